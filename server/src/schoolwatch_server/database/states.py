"""What is known of each device now: packed whole, and beside it the columns that indicators group by."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.arrays import among
from schoolwatch_server.database.upsert import change, upsert
from schoolwatch_server.line_history import extended
from schoolwatch_server.machine import machine
from schoolwatch_server.posture import TOP, posture
from schoolwatch_server.state import ByMetric, State, Text, key, merge, pack, unpack

_CLOSE = (
    update(t.fact_history).where(t.fact_history.c.id == bindparam("of")).values(valid_to=bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class Told:
    """An envelope of one device, with its number and its times on the server's clock."""

    device_id: int
    seq: int
    envelope: Envelope
    taken_at: float
    arrived: float


@dataclass(slots=True)
class _Row:
    """A device's state while a batch is merged into it."""

    taken_at: float = float("-inf")
    seq: int = 0
    heard_at: float = 0.0
    agent: str = ""
    state: State = field(default_factory=State)
    line_tests: bytes | None = None
    ipv6_worked_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    device_id: int
    key: str
    text: Text


def load(conn: Connection, device_id: int) -> State | None:
    """What is known of a device now; None when it was never heard."""
    body = conn.scalar(select(t.state_body.c.body).where(t.state_body.c.device_id == device_id))
    return None if body is None else unpack(body)


def known(conn: Connection, device_ids: Collection[int]) -> dict[int, State]:
    """Device → what is known of it now; those never heard are left out."""
    b = t.state_body.c
    query = select(b.device_id, b.body).where(b.device_id.in_(device_ids))
    return {device_id: unpack(body) for device_id, body in conn.execute(query)}


def advance(conn: Connection, told: Sequence[Told]) -> None:
    """Merges envelopes into their devices' states; older ones than a state holds only count as heard.

    A state follows (taken_at, seq), never the order of arrival. Facts that changed go into the history.
    """
    rows = _rows(conn, {one.device_id for one in told})
    changes: list[_Change] = []
    moved: set[int] = set()
    for one in told:
        row = rows[one.device_id]
        row.heard_at = max(row.heard_at, one.arrived)
        if (one.taken_at, one.seq) <= (row.taken_at, row.seq):
            continue
        changes += _changes(row.state, one)
        row.state = merge(row.state, one.envelope, one.taken_at)
        row.line_tests = extended(row.line_tests, one.envelope, one.taken_at)
        row.taken_at, row.seq, row.agent = one.taken_at, one.seq, one.envelope.agent
        moved.add(one.device_id)
    upsert(conn, t.state, [_columns(device_id, rows[device_id]) for device_id in sorted(moved)])
    bodies = [{"device_id": id_, "body": pack(rows[id_].state)} for id_ in sorted(moved)]
    upsert(conn, t.state_body, bodies)
    heard = [{"device_id": id_, "heard_at": row.heard_at} for id_, row in rows.items() if id_ not in moved]
    change(conn, t.state, heard)
    _write_history(conn, changes)


def hear(conn: Connection, device_ids: Collection[int], at: float) -> None:
    """Devices were heard, but of what they told nobody knows when it was so."""
    older = t.state.c.device_id.in_(device_ids), t.state.c.heard_at < at
    conn.execute(update(t.state).where(*older).values(heard_at=at))


def _rows(conn: Connection, device_ids: Collection[int]) -> dict[int, _Row]:
    s = t.state.c
    columns = (s.device_id, s.taken_at, s.seq, s.heard_at, s.agent, t.state_body.c.body)
    query = select(*columns, s.line_tests, s.ipv6_worked_at).join(
        t.state_body, t.state_body.c.device_id == s.device_id
    )
    rows = {device_id: _Row() for device_id in device_ids}
    for device_id, taken_at, seq, heard_at, agent, body, *kept in conn.execute(
        query.where(among(conn, s.device_id, device_ids))
    ):
        rows[device_id] = _Row(taken_at, seq, heard_at, agent, unpack(body), *kept)
    return rows


def _columns(device_id: int, row: _Row) -> dict[str, Any]:
    state = State(ByMetric(row.state.readings), row.state.facts)
    seen = posture(state)
    return {
        "device_id": device_id,
        "taken_at": row.taken_at,
        "seq": row.seq,
        "heard_at": row.heard_at,
        "agent": row.agent,
        "protected": seen.protected,
        "ipv6_rung": seen.ipv6_rung,
        "link_speed": seen.link_speed,
        "link_medium": seen.link_medium,
        "antivirus": seen.antivirus,
        "windows_activated": seen.windows_activated,
        "office_activated": seen.office_activated,
        **msgspec.structs.asdict(machine(state)),
        "ipv6_worked_at": row.taken_at if seen.ipv6_rung == TOP else row.ipv6_worked_at,
        "line_tests": row.line_tests,
    }


def _changes(state: State, one: Told) -> list[_Change]:
    changes = []
    for fact in one.envelope.facts:
        name = key(fact.name, fact.labels)
        held = state.facts.get(name)
        if held is None or (held.value, held.reason) != (fact.value, fact.reason):
            changes.append(_Change(one.device_id, name, Text(fact.value, fact.reason, one.taken_at)))
    return changes


def _write_history(conn: Connection, changes: Sequence[_Change]) -> None:
    """Closes what was said before and opens what is said now; a fact that only expired is not said anew."""
    if not changes:
        return
    h = t.fact_history.c
    query = select(h.id, h.device_id, h.name, h.labels, h.value, h.reason)
    devices = {told.device_id for told in changes}
    open_rows = {
        (row.device_id, row.name + row.labels): (row.id, row.value, row.reason)
        for row in conn.execute(query.where(among(conn, h.device_id, devices), h.valid_to.is_(None)))
    }
    for told in changes:
        said = open_rows.get((told.device_id, told.key))
        if said is not None and said[1:] == (told.text.value, told.text.reason):
            continue
        if said is not None:
            conn.execute(_CLOSE, {"of": said[0], "until": told.text.taken_at})
        row_id = _open(conn, told)
        open_rows[told.device_id, told.key] = (row_id, told.text.value, told.text.reason)


def _open(conn: Connection, change: _Change) -> int:
    name, brace, labels = change.key.partition("{")
    row = {"device_id": change.device_id, "name": name, "labels": brace + labels}
    text = {"value": change.text.value, "reason": change.text.reason, "valid_from": change.text.taken_at}
    key = conn.execute(insert(t.fact_history), {**row, **text}).inserted_primary_key
    return int(key[0]) if key else 0
