"""How far each spool generation of a device has arrived, with nothing missing below; and the acks of that."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    delete,
    func,
    select,
)

from schoolwatch_contract.ack import Ack
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.arrays import among, among_rows
from schoolwatch_server.database.upsert import change, insert_new, upsert

NEWEST = 8
"""Generations of a device that its ack tells of; those that were just heard come on top."""

Pair = tuple[int, str]
"""A device's id and the name of one of its spool generations."""


@dataclass(slots=True)
class Generation:
    """One spool generation: all up to `upto` has arrived, and of what is above it, the numbers in `above`.

    `offset` is what its newest clock lacks to ours, in seconds; `at_its_word` says that no report that
    came at once has told it yet.
    """

    id: int
    offset: float
    upto: int = 0
    above: set[int] = field(default_factory=set)
    heard_at: float = 0.0
    at_its_word: bool = False
    was_above: frozenset[int] = frozenset()

    @property
    def measured(self) -> float | None:
        """The offset, if a report that came at once has told it."""
        return None if self.at_its_word else self.offset

    def counted(self, seq: int) -> bool:
        """Whether this number has arrived already, or was given up by the agent."""
        return seq <= self.upto or seq in self.above

    def take(self, seq: int, floor: int) -> None:
        """Counts a number that arrived; below `floor` the agent holds nothing that could still come."""
        self.upto = max(self.upto, floor - 1)
        if seq > self.upto:
            self.above.add(seq)
        while self.upto + 1 in self.above:
            self.upto += 1
        if self.above:
            self.above = {n for n in self.above if n > self.upto}


def load(conn: Connection, pairs: Collection[Pair]) -> dict[Pair, Generation]:
    """The known ones of these generations; in a transaction that writes they stay so, as it writes alone."""
    g, a = t.generation.c, t.arrived.c
    query = (
        select(g.device_id, g.spool, g.id, g.clock_offset, g.upto, g.heard_at, g.at_its_word)
        .where(among_rows(conn, (g.device_id, g.spool), pairs))
        .order_by(g.id)
    )
    found: dict[Pair, Generation] = {}
    by_id: dict[int, Generation] = {}
    for device_id, spool, id_, offset, upto, heard_at, at_its_word in conn.execute(query):
        one = Generation(id_, offset, upto, heard_at=heard_at, at_its_word=at_its_word)
        by_id[id_] = found[device_id, spool] = one
    gaps = select(a.generation_id, a.seq)
    for id_, seq in conn.execute(gaps.where(among(conn, a.generation_id, by_id))):
        by_id[id_].above.add(seq)
    for generation in by_id.values():
        generation.was_above = frozenset(generation.above)
    return found


def create(
    conn: Connection, offsets: dict[Pair, float], now: float, unmeasured: Collection[Pair] = ()
) -> dict[Pair, Generation]:
    """Begins generations that were never heard of, with the offset of their clocks."""
    insert_new(
        conn,
        t.generation,
        [
            {
                "device_id": pair[0],
                "spool": pair[1],
                "clock_offset": offset,
                "at_its_word": pair in unmeasured,
                "heard_at": now,
            }
            for pair, offset in offsets.items()
        ],
        ("device_id", "spool"),
    )
    return load(conn, offsets)


def newest_offsets(conn: Connection, device_ids: Collection[int]) -> dict[int, float]:
    """The clock offset of each device's newest generation that was measured."""
    g = t.generation.c
    newest = select(func.max(g.id)).where(g.device_id.in_(device_ids), ~g.at_its_word).group_by(g.device_id)
    rows = conn.execute(select(g.device_id, g.clock_offset).where(g.id.in_(newest)))
    return {row.device_id: row.clock_offset for row in rows}


def save(conn: Connection, generations: Iterable[Generation]) -> None:
    """Writes how far they have come."""
    changed = list(generations)
    if not changed:
        return
    change(conn, t.generation, [_saved(c) for c in changed])
    new = [{"generation_id": c.id, "seq": seq} for c in changed for seq in c.above - c.was_above]
    upsert(conn, t.arrived, new)
    a = t.arrived.c
    for c in changed:
        if c.was_above - c.above:
            conn.execute(delete(t.arrived).where(and_(a.generation_id == c.id, a.seq <= c.upto)))


def _saved(one: Generation) -> dict[str, Any]:
    times = {"heard_at": one.heard_at, "clock_offset": one.offset, "at_its_word": one.at_its_word}
    return {"id": one.id, "upto": one.upto, **times}


def acks(
    conn: Connection, epoch: str, devices: Collection[int], heard: Collection[tuple[int, str, int]] = ()
) -> dict[int, Ack]:
    """What to tell each device: how far its newest generations have come, and those of `heard`.

    `heard` are (device id, generation, upto) of generations that just sent something, new or old.
    """
    told: dict[int, dict[str, int]] = {}
    for row in conn.execute(_newest(conn.dialect.name).where(among(conn, t.device.c.id, devices))):
        device_id, packed = row
        told[device_id] = msgspec.json.decode(packed, type=dict[str, int]) if packed else {}
    for device_id, spool, upto in heard:
        told[device_id][spool] = upto
    return {device_id: Ack(epoch, spools) for device_id, spools in told.items()}


def _newest(dialect: str) -> Select[Any]:
    """Each device's newest generations as JSON: spool → upto."""
    g = t.generation.c
    newest = (
        select(g.spool, g.upto)
        .where(g.device_id == t.device.c.id)
        .order_by(g.id.desc())
        .limit(NEWEST)
        .correlate(t.device)
        .subquery()
    )
    if dialect == "postgresql":
        packed: ColumnElement[Any] = cast(func.json_object_agg(newest.c.spool, newest.c.upto), Text)
    else:
        packed = func.json_group_object(newest.c.spool, newest.c.upto)
    return select(t.device.c.id, select(packed).scalar_subquery())
