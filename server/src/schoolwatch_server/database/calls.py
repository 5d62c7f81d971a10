"""Whom to call about an incident: the school's contacts, its provider, who answers for the place."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.database import contacts, whereabouts
from schoolwatch_server.database.whereabouts import Whereabouts
from schoolwatch_server.scope import Scope
from schoolwatch_server.sealing import SealError
from schoolwatch_server.serious.calls import Call, in_order, is_about_a_line, tel
from schoolwatch_server.texts import Language, Texts
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


def short_line(
    conn: Connection,
    incident_id: int,
    evidence: tuple[str, ...],
    now: float,
    texts: Texts,
    language: Language = "vi",
) -> str:
    """One line for a notification: it leaves the server, so it names no person and no person's number.

    `evidence` are the subjects of the rule's evidence. Of a line's trouble the provider's hotline stands
    there with the subscriber's code; otherwise whether there is a contact, who is on the incident's page.
    """
    where = whereabouts.of_incident(conn, incident_id)
    lines = [line for line in whereabouts.lines_at(conn, where, now) if line.hotline]
    if lines and is_about_a_line(where.rule, evidence):
        line = lines[0]
        key = "call.line.subscriber" if line.subscriber else "call.line.isp"
        return texts.get(language, key, isp=line.isp, hotline=line.hotline, subscriber=line.subscriber)
    if where.school_id is None:
        return texts.get(language, "call.line.page")
    is_known = contacts.known_kinds(conn, where.school_id)
    return texts.get(language, "call.line.page" if is_known else "call.line.missing")
