"""What one cycle tells the next: when probes ran, what was already told, and whether it is urgent."""

import zlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from schoolwatch_agent.probe import Observed, Probe
from schoolwatch_contract.records import Fact, Sighting

REPEAT = 86_400.0
"""Seconds after which a fact that has not changed is told again: once a day."""

GONE = "gone"
"""The reason of a fact that was there and isn't any more."""


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A fact as it was last told, and when (UTC seconds)."""

    value: str | None
    reason: str
    told_at: float


class Outcome(msgspec.Struct, frozen=True):
    """How the last attempt to deliver ended, and when (UTC seconds)."""

    kind: Literal["delivered", "interrupted", "unreachable", "refused", "pending"]
    at: float
    detail: str = ""


class Memory(msgspec.Struct, frozen=True):
    """Kept in the spool, in the same transaction as the envelope that it belongs to.

    `generation` is the spool generation in which the facts were told; `ran` maps a probe to the time it
    last ran; `facts` and `watched` map a probe to what is known of it, `seen` to the sightings that it still
    shows and that were told; `urgent` waits for a delivery;
    `delivered_at` is when everything due was last delivered; `unreached` are the probes for which the last
    cycle had no time left.
    """

    generation: str = ""
    ran: dict[str, float] = {}
    facts: dict[str, dict[str, Known]] = {}
    watched: dict[str, dict[str, float | None]] = {}
    seen: dict[str, tuple[str, ...]] = {}
    urgent: bool = False
    delivered_at: float | None = None
    outcome: Outcome | None = None
    unreached: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Memory)


def encode(memory: Memory) -> bytes:
    """The memory as JSON."""
    return _encoder.encode(memory)


def decode(text: bytes | None) -> Memory:
    """The memory in a JSON text; what cannot be read is forgotten, and then everything is told again."""
    if text is None:
        return Memory()
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return Memory()


def key(name: str, labels: dict[str, str]) -> str:
    """A name and its labels as one text, the same whatever the labels' order."""
    return name + msgspec.json.encode(labels, order="sorted").decode()


def parse_key(text: str) -> tuple[str, dict[str, str]]:
    """Name and labels of a `key`."""
    name, brace, rest = text.partition("{")
    return name, msgspec.json.decode(brace + rest, type=dict[str, str])


def wake(memory: Memory, generation: str) -> Memory:
    """The memory in a generation: in a new one every probe runs and every fact is told again."""
    if memory.generation == generation:
        return memory
    return msgspec.structs.replace(memory, ran={})


def again(memory: Memory, unreached: tuple[str, ...]) -> Memory:
    """The memory of a cycle without time for some probes: they are due in the next one, and come first."""
    ran = {name: at for name, at in memory.ran.items() if name not in unreached}
    return msgspec.structs.replace(memory, ran=ran, unreached=unreached)


def learn(
    memory: Memory, probe: Probe, observed: Observed, *, now: float, generation: str
) -> tuple[tuple[Fact | Sighting, ...], Memory]:
    """The facts and sightings worth telling after `probe` ran, and the memory after that.

    A fact is told when it changed, when it went, once a day, and anew in each spool generation: a frozen
    lab PC forgets at every boot what it told since its image was taken. A sighting is told once, as long as
    the probe shows it.
    """
    failed = any(r.metric == "probe.ok" and r.value != 1 for r in observed.readings)
    known = memory.facts.get(probe.name, {})
    told: list[Fact | Sighting] = []
    urgent = False
    kept: dict[str, Known] = {}
    for fact in observed.facts:
        name = key(fact.name, fact.labels)
        before = known.get(name)
        changed = before is None or (before.value, before.reason) != (fact.value, fact.reason)
        urgent |= changed
        if before is None or changed or memory.generation != generation or _is_old(before, now):
            told.append(fact)
            kept[name] = Known(fact.value, fact.reason, now)
        else:
            kept[name] = before
    missing = {name: fact for name, fact in known.items() if name not in kept}
    if failed:  # what a failed probe did not say is unknown, not gone
        kept |= missing
    else:
        told.extend(_gone(missing))
        urgent |= bool(missing)
    watched = _watched(memory, probe, observed, failed=failed)
    shown = {_identity(sighting): sighting for sighting in observed.sightings}
    before_this = memory.seen.get(probe.name, ())
    new = [sighting for identity, sighting in shown.items() if identity not in before_this]
    told.extend(new)
    urgent |= watched != memory.watched.get(probe.name, {}) or bool(new)
    return tuple(told), msgspec.structs.replace(
        memory,
        ran=memory.ran | {probe.name: now},
        facts=memory.facts | {probe.name: kept},
        watched=memory.watched | {probe.name: watched},
        seen=_seen(memory, probe, tuple(shown), failed=failed),
        urgent=memory.urgent or urgent,
    )


def _seen(
    memory: Memory, probe: Probe, shown: tuple[str, ...], *, failed: bool
) -> dict[str, tuple[str, ...]]:
    """No entry for a probe that shows none, as nearly all do; what a failed one showed, it may again."""
    others = {name: seen for name, seen in memory.seen.items() if name != probe.name}
    kept = memory.seen.get(probe.name, ()) if failed else shown
    return others | ({probe.name: kept} if kept else {})


def _identity(sighting: Sighting) -> str:
    """When it was, and all that it says as a short number."""
    return f"{sighting.seen_at} {zlib.crc32(msgspec.json.encode(sighting)):08x}"


def _is_old(known: Known, now: float) -> bool:
    return not 0 <= now - known.told_at < REPEAT  # a clock that was set back counts as old


def _gone(missing: Iterable[str]) -> Iterable[Fact]:
    for name, labels in map(parse_key, missing):
        yield Fact(name, None, labels, GONE)


def _watched(memory: Memory, probe: Probe, observed: Observed, *, failed: bool) -> dict[str, float | None]:
    if failed:
        return memory.watched.get(probe.name, {})
    return {key(r.metric, r.labels): r.value for r in observed.readings if r.metric in probe.watched}
