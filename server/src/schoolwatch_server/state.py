"""What is known of one device now: its newest readings and facts, each with the time it was taken."""

import json
from typing import Literal

import msgspec

from schoolwatch_contract.catalogue import probe_of
from schoolwatch_contract.records import Envelope

EXPIRES = 26 * 3600.0
"""Seconds after which a value that newer envelopes no longer carry is unknown (facts come once a day)."""


class Value(msgspec.Struct, frozen=True, array_like=True):
    """A reading's number (None: unknown) and when it was taken, UTC seconds on the server's clock."""

    value: float | None
    taken_at: float


class Text(msgspec.Struct, frozen=True, array_like=True):
    """A fact's text (None: unknown, with the reason) and when it was taken."""

    value: str | None
    reason: str
    taken_at: float


class State(msgspec.Struct, frozen=True):
    """Keys are `key(name, labels)`; packed with msgpack into one row a device."""

    readings: dict[str, Value] = {}
    facts: dict[str, Text] = {}


def key(name: str, labels: dict[str, str]) -> str:
    """`link.speed{"nic":"eth0"}`: a name and its labels as one text, the same whatever their order."""
    return name if not labels else name + json.dumps(labels, sort_keys=True, separators=(",", ":"))


def parse_key(text: str) -> tuple[str, dict[str, str]]:
    """Name and labels of a `key`."""
    name, brace, rest = text.partition("{")
    return name, json.loads(brace + rest) if brace else {}


def merge(state: State, envelope: Envelope, taken_at: float) -> State:
    """The state after an envelope that is newer than what it holds.

    A probe that ran replaces all its earlier readings, so what it no longer measures is gone; a probe
    that failed leaves none. Facts come when they change, so they stay until they expire.
    """
    ran = {r.labels.get("probe") for r in envelope.readings if r.metric == "probe.ok"}
    readings = {
        k: v
        for k, v in state.readings.items()
        if taken_at - v.taken_at <= EXPIRES and probe_of(k.partition("{")[0]) not in ran
    }
    facts = {k: t for k, t in state.facts.items() if taken_at - t.taken_at <= EXPIRES}
    readings.update((key(r.metric, r.labels), Value(r.value, taken_at)) for r in envelope.readings)
    facts.update((key(f.name, f.labels), Text(f.value, f.reason, taken_at)) for f in envelope.facts)
    return State(readings, facts)


def find(values: dict[str, Value], name: str) -> dict[str, tuple[dict[str, str], float | None]]:
    """All readings of one metric: key → labels and number."""
    return {k: (parse_key(k)[1], v.value) for k, v in values.items() if k.partition("{")[0] == name}


Medium = Literal["wired", "wireless"]


class Posture(msgspec.Struct, frozen=True):
    """What indicators group by, judged from one state; None is unknown, never bad and never good.

    `protected`: some antivirus runs. `ipv6_rung`: the highest rung with every one below it ok, -1 when
    rung 0 failed. `link_speed`: bit/s of the fastest link in use, with its `link_medium`.
    """

    protected: bool | None
    ipv6_rung: int | None
    link_speed: float | None
    link_medium: Medium | None
