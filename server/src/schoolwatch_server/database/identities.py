"""Hints in the database: what devices told of their hardware, and what changed since; frozen devices."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from schoolwatch_server import identity
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.identity import HINT, Hints
from schoolwatch_server.state import parse_key

CHANGED = "device.changed"
"""The sighting of a machine with another disk, adapter, board or name, or installed anew."""

CLONE = "device.clone"
"""The sighting of two machines that act as one device: two reports under one number, or hardware that
alternates."""


@dataclass(frozen=True, slots=True)
class HintsTold:
    """The hints in one report of a device, with the report's row and its times on the server's clock."""

    device_id: int
    device: str
    journal_id: int
    hints: Hints
    taken_at: float
    arrived: float
    late: bool


@dataclass(slots=True)
class _Known:
    """What a device told before: its hints now and since when, and every digest that it has left behind."""

    hints: dict[str, frozenset[str]]
    since: float
    left: dict[str, frozenset[str]]


def compare(conn: Connection, told: Sequence[HintsTold]) -> list[dict[str, Any]]:
    """Sighting rows for what happened to machines; call it before the facts are written.

    Hardware that alternates between two sets is two machines under one identity: a clone. A machine that
    another device of the same school was before is one installed anew.
    """
    if not told:
        return []
    known = _known(conn, {one.device_id for one in told})
    rows: list[dict[str, Any]] = []
    for one in sorted(told, key=lambda one: one.taken_at):
        before = known[one.device_id]
        if one.taken_at <= before.since:
            continue
        if not before.hints:
            earlier = _earlier_device(conn, one)
            rows += [] if earlier is None else [_row(one, CHANGED, {"what": "reinstalled", "was": earlier})]
        for what in identity.changes(before.hints, one.hints):
            is_back = what == "other_machine" and identity.is_same_machine(before.left, one.hints)
            rows.append(_row(one, CLONE if is_back else CHANGED, {"what": "alternates" if is_back else what}))
        for kind, digests in before.hints.items():
            before.left[kind] = before.left.get(kind, frozenset()) | (
                digests - one.hints.get(kind, frozenset())
            )
        before.hints, before.since = {**before.hints, **one.hints}, one.taken_at
    return rows


def keep_frozen(conn: Connection, device_id: int, hints: Hints, now: float) -> None:
    """What a frozen device is found by when it enrols again after a restart."""
    plain = {kind: sorted(digests) for kind, digests in hints.items()}
    upsert(conn, t.frozen_device, [{"device_id": device_id, "hints": plain, "enrolled_at": now}])


def frozen(conn: Connection, school_id: int) -> dict[int, Hints]:
    """The frozen devices of a school, and those that came with a token of it, wherever they are now.

    A moved one, or one whose school was merged, goes on asking with the token of its image.
    """
    m, a, k = t.membership.c, t.arrival.c, t.enrolment_token.c
    here = select(m.device_id).where(m.school_id == school_id, m.valid_to.is_(None))
    own_tokens = select(k.id).where(k.school_id == school_id)
    asked = select(a.device_id).where(or_(a.school_id == school_id, a.token_id.in_(own_tokens)))
    f = t.frozen_device.c
    query = select(f.device_id, f.hints).where(or_(f.device_id.in_(here), f.device_id.in_(asked)))
    return {
        device_id: {kind: frozenset(digests) for kind, digests in hints.items()}
        for device_id, hints in conn.execute(query)
    }


def of_school(conn: Connection, school_id: int) -> dict[int, Hints]:
    """The hardware of every device that the school has, had, or was asked to let in, as it was told last."""
    m, a = t.membership.c, t.arrival.c
    found: dict[int, Hints] = {
        device_id: {kind: frozenset(digests) for kind, digests in hints.items()}
        for device_id, hints in conn.execute(select(a.device_id, a.hints).where(a.school_id == school_id))
    }
    members = select(m.device_id).where(m.school_id == school_id)
    return found | _told_by(conn, t.fact_history.c.device_id.in_(members))


def behind(conn: Connection, incident_id: int, pseudonyms: Collection[str]) -> dict[str, int]:
    """Pseudonym of a MAC address → the device of the incident's school that told it of itself, if one did."""
    school: int | None = conn.scalar(select(t.incident.c.school_id).where(t.incident.c.id == incident_id))
    told = machines(conn, school) if pseudonyms and school is not None else {}
    return {digest: id_ for digest, id_ in told.items() if digest in pseudonyms}


def machines(conn: Connection, school_id: int) -> dict[str, int]:
    """Pseudonym of a MAC address → the device of the school that told it of itself."""
    told = of_school(conn, school_id)
    return {digest: id_ for id_, hints in told.items() for digest in hints.get("mac", ())}


def _known(conn: Connection, device_ids: set[int]) -> defaultdict[int, _Known]:
    h = t.fact_history.c
    query = select(h.device_id, h.labels, h.value, h.valid_from, h.valid_to).where(
        h.name == HINT, h.device_id.in_(device_ids), h.value.is_not(None)
    )
    known: defaultdict[int, _Known] = defaultdict(lambda: _Known({}, float("-inf"), {}))
    for row in conn.execute(query):
        device, kind = known[row.device_id], _kind(row.labels)
        digests = frozenset(row.value.split())
        if row.valid_to is None:
            device.hints[kind] = digests
            device.since = max(device.since, row.valid_from)
        else:
            device.left[kind] = device.left.get(kind, frozenset()) | digests
    return known


def _earlier_device(conn: Connection, one: HintsTold) -> str | None:
    """The other device of the same school, now or before, that was this machine."""
    m, h = t.membership.c, t.fact_history.c
    here = select(m.school_id).where(m.device_id == one.device_id, m.valid_to.is_(None))
    members = select(m.device_id).where(m.school_id.in_(here))
    others = _told_by(conn, and_(h.device_id != one.device_id, h.device_id.in_(members)))
    found = identity.find(one.hints, others)
    return None if found is None else conn.scalar(select(t.device.c.device).where(t.device.c.id == found))


def _told_by(conn: Connection, whom: ColumnElement[bool]) -> dict[int, Hints]:
    h = t.fact_history.c
    query = (
        select(h.device_id, h.labels, h.value)
        .where(h.name == HINT, h.valid_to.is_(None), h.value.is_not(None), whom)
        .order_by(h.device_id)
    )
    told: dict[int, dict[str, frozenset[str]]] = {}
    for row in conn.execute(query):
        told.setdefault(row.device_id, {})[_kind(row.labels)] = frozenset(row.value.split())
    return dict(told)


def _kind(labels: str) -> str:
    return parse_key(HINT + labels)[1].get("kind", "")


def _row(one: HintsTold, kind: str, detail: dict[str, str]) -> dict[str, Any]:
    return {
        "device_id": one.device_id,
        "journal_id": one.journal_id,
        "kind": kind,
        "subject": one.device if kind == CLONE else "hardware",
        "detail": detail,
        "seen_at": one.taken_at,
        "received_at": one.arrived,
        "late": one.late,
    }
