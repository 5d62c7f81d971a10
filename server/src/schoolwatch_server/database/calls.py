"""Whom to call about an incident: the school's contacts, its provider, who answers for the place."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.database import contacts, whereabouts
from schoolwatch_server.database.whereabouts import Line, Whereabouts
from schoolwatch_server.scope import Scope
from schoolwatch_server.sealing import SealError
from schoolwatch_server.serious.calls import Call, in_order, tel
from schoolwatch_server.workbooks.contacts import KINDS


@dataclass(frozen=True, slots=True)
class Calls:
    """Whom to call, in order, as far as who asks may see it.

    `hidden` are contacts that there are and whose numbers are not for who asks, `missing` what nobody gave
    (`it_contact`, `deputy`, `isp`), `responsible` the accounts that answer for a commune, province or server.
    `is_unreadable`: the contacts can't be opened just now, as the master key is another one.
    """

    calls: tuple[Call, ...] = ()
    hidden: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    responsible: tuple[str, ...] = ()
    is_unreadable: bool = False


def of_incident(
    conn: Connection, where: Whereabouts, scope: Scope, now: float, *, line_first: bool, may_see: bool
) -> Calls:
    """Of an incident that the scope sees. A look with `may_see` is in the audit log before this is called."""
    lines = tuple(
        Call("isp", line.isp, line.hotline, tel(line.hotline), subscriber=line.subscriber, count=line.schools)
        for line in whereabouts.lines_at(conn, where, now)
    )
    if where.school_id is None:
        return Calls(lines, responsible=whereabouts.answer_for(conn, where))
    known = contacts.kinds(conn, where.school_id, scope)
    missing = tuple(kind for kind in KINDS if kind not in known)
    if not any(line.number for line in lines):
        missing = (*missing, "isp")
    if not may_see:
        return Calls(in_order(lines, line_first=line_first), tuple(known), missing)
    try:
        people = contacts.opened(conn, scope, school_id=where.school_id).get(where.school_id, ())
    except SealError:
        return Calls(in_order(lines, line_first=line_first), (), missing, is_unreadable=True)
    calls = tuple(
        Call(
            "it_contact" if one.kind == "it_contact" else "deputy",
            one.name,
            one.phone,
            tel(one.phone),
            one.email,
        )
        for one in people
    )
    return Calls(in_order((*calls, *lines), line_first=line_first), (), missing)


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom to call, as far as a message may say it that leaves the server: it names no person.

    `provider` is the first line's, None without a hotline; `has_contact` None where no school is concerned.
    """

    provider: Line | None
    has_contact: bool | None


def hint(conn: Connection, incident_id: int, now: float) -> Hint:
    """Of any incident, for the server's own messages."""
    where = whereabouts.of_incident(conn, incident_id)
    provider = next((line for line in whereabouts.lines_at(conn, where, now) if line.hotline), None)
    if where.school_id is None:
        return Hint(provider, None)
    return Hint(provider, bool(contacts.known_kinds(conn, where.school_id)))
