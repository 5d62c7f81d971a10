"""Keeps what rules remember of each computer's readings: one packed row a computer.

Only who judges the journal writes here; what watches and sightings leave behind is in `incidents`.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, delete, func, literal, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.rules.memory import Kept, Memory, pack, unpack
from schoolwatch_server.rules.subject import device

_m = t.rule_memory.c


def of_devices(conn: Connection, device_ids: Collection[int]) -> Memory:
    """What is remembered of these; those of whom nothing is, are left out."""
    found: Memory = {}
    for part in in_parts(device_ids):
        query = select(_m.device_id, _m.body).where(_m.device_id.in_(part))
        found.update({device(id_): unpack(body) for id_, body in conn.execute(query)})
    return found


def write(conn: Connection, memory: Memory) -> None:
    """All that is remembered of these computers from now on; subjects that are none have no row here."""
    rows = [
        {"device_id": about.id, "body": pack(kept)}
        for about, kept in memory.items()
        if about.kind == "device" and not about.part
    ]
    upsert(conn, t.rule_memory, rows)


def remembering(conn: Connection, rule: str) -> set[int]:
    """The computers of which a rule remembers something."""
    return set(_having(conn, rule))


def forget(conn: Connection, rule: str, device_ids: Collection[int] | None = None) -> None:
    """Forgets what a rule remembers of these computers, or of all."""
    if device_ids is None:
        found = {device(id_): kept for id_, kept in _having(conn, rule).items()}
    else:
        found = {about: kept for about, kept in of_devices(conn, device_ids).items() if rule in kept}
    left: Memory = {
        about: {name: state for name, state in kept.items() if name != rule} for about, kept in found.items()
    }
    write(conn, {about: kept for about, kept in left.items() if kept})
    for about, kept in left.items():
        if not kept:
            conn.execute(delete(t.rule_memory).where(_m.device_id == about.id))


def _having(conn: Connection, rule: str) -> dict[int, dict[str, Kept]]:
    """Device → all that is remembered, where this rule remembers something; bodies alone can tell."""
    query = select(_m.device_id, _m.body).where(_holds(conn, rule.encode()))
    bodies = ((id_, unpack(body)) for id_, body in conn.execute(query))
    return {id_: kept for id_, kept in bodies if rule in kept}


def _holds(conn: Connection, name: bytes) -> ColumnElement[bool]:
    """Whether a body may hold the name: the few that do are unpacked."""
    if conn.dialect.name == "postgresql":
        return func.position(literal(name).op("IN")(_m.body)) > 0
    return func.instr(_m.body, name) > 0
