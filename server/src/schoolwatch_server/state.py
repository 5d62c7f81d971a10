"""What is known of one device now: its newest readings and facts, each with the time it was taken."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, Protocol, TypeVar

import msgspec

from schoolwatch_contract.catalogue import probe_of, shown_alone
from schoolwatch_contract.records import Envelope, Reading

EXPIRES = 26 * 3600.0
"""Seconds after which a value that newer envelopes no longer carry is unknown (facts come once a day)."""


KEYS_MAX = 4000
"""Readings, and facts, that one device's state holds at most."""


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reading's number (None: unknown) and when it was taken, UTC seconds on the server's clock."""

    value: float | None
    taken_at: float


class Text(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A fact's text (None: unknown, with the reason) and when it was taken."""

    value: str | None
    reason: str
    taken_at: float


_Kept = TypeVar("_Kept", Value, Text)


class State(msgspec.Struct, frozen=True):
    """Keys are `key(name, labels)`; packed with msgpack into one row a device."""

    readings: dict[str, Value] = {}
    facts: dict[str, Text] = {}


def key(name: str, labels: dict[str, str]) -> str:
    """`link.speed{"nic":"eth0"}`: a name and its labels as one text, the same whatever their order."""
    if not labels:
        return name
    pairs = tuple(labels.items())
    return _key(name, pairs if len(pairs) == 1 else tuple(sorted(pairs)))


@lru_cache(maxsize=1 << 16)
def _key(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    return name + json.dumps(dict(labels), separators=(",", ":"))


def parse_key(text: str) -> tuple[str, dict[str, str]]:
    """Name and labels of a `key`."""
    name, labels = _parsed(text)
    return name, dict(labels)


@lru_cache(maxsize=1 << 16)
def _parsed(text: str) -> tuple[str, dict[str, str]]:
    name, brace, rest = text.partition("{")
    return name, json.loads(brace + rest) if brace else {}


@lru_cache(maxsize=1 << 16)
def _probe_of_key(text: str) -> str | None:
    return probe_of(text.partition("{")[0])


def merge(state: State, envelope: Envelope, taken_at: float) -> State:
    """The state after an envelope that is newer than what it holds.

    A probe that ran replaces all its earlier readings, so what it no longer measures is gone; a probe
    that failed leaves none. Facts come when they change, so they stay until they expire.
    """
    ran = {r.labels.get("probe") for r in envelope.readings if r.metric == "probe.ok"} - {None}
    oldest = taken_at - EXPIRES
    readings = {
        k: v for k, v in state.readings.items() if v.taken_at >= oldest and _probe_of_key(k) not in ran
    }
    facts = {k: t for k, t in state.facts.items() if t.taken_at >= oldest}
    for r in envelope.readings:
        if shown_alone(r.metric):  # a device's page, the API and exports are made of the state
            readings[key(r.metric, r.labels)] = Value(r.value, taken_at)
    for f in envelope.facts:
        facts[key(f.name, f.labels)] = Text(f.value, f.reason, taken_at)
    return State(_bounded(readings), _bounded(facts))


def _bounded(values: dict[str, _Kept]) -> dict[str, _Kept]:
    """At most `KEYS_MAX` of them, the newest: no device can make its row grow without end."""
    if len(values) <= KEYS_MAX:
        return values
    newest = sorted(values, key=lambda k: values[k].taken_at, reverse=True)[:KEYS_MAX]
    return {k: values[k] for k in newest}


class Readings(Protocol):
    """Readings by their key: those of a state, or some that answer by metric without looking at all."""

    def get(self, key: str, /) -> Value | None: ...  # noqa: D102  a dict's
    def items(self) -> Iterable[tuple[str, Value]]: ...  # noqa: D102
    def __getitem__(self, key: str, /) -> Value: ...
    def __contains__(self, key: object, /) -> bool: ...


class Known(Protocol):
    """What verdicts are reached by."""

    @property
    def readings(self) -> Readings: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Text]: ...  # noqa: D102


Labelled = dict[str, tuple[dict[str, str], float | None]]
"""All readings of one metric: key → labels and number."""


def find(values: Readings, name: str) -> Labelled:
    """All readings of one metric."""
    if isinstance(values, Heard | ByMetric):
        return values.of(name)
    begin = name + "{"
    return {
        k: (parse_key(k)[1], v.value)
        for k, v in values.items()
        if k.startswith(name) and (k == name or k.startswith(begin))
    }


class ByMetric(dict[str, Value]):
    """A state's readings to be asked many questions: each looks at its metric's alone."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self._keys: dict[str, list[str]] = {}
        for k in values:
            self._keys.setdefault(k.partition("{")[0], []).append(k)

    def of(self, metric: str) -> Labelled:
        """All readings of one metric."""
        return {k: (parse_key(k)[1], self[k].value) for k in self._keys.get(metric, ())}


class Heard:
    """One envelope's readings that may be shown of a computer; only what is asked for gets a key.

    They are what `merge` puts into an empty state: of two with one key the later counts.
    """

    __slots__ = ("_all", "_at", "_found", "_of")

    def __init__(self, readings: Sequence[Reading], at: float) -> None:
        self._all, self._at = readings, at
        self._found: dict[str, Labelled] = {}
        self._of: dict[str, list[Reading]] = {}
        for reading in readings:
            held = self._of.get(reading.metric)
            if held is None:
                self._of[reading.metric] = [reading]
            else:
                held.append(reading)

    def of(self, metric: str) -> Labelled:
        """All readings of one metric."""
        found = self._found.get(metric)
        if found is None:
            told = self._of.get(metric, ()) if shown_alone(metric) else ()
            found = self._found[metric] = {key(r.metric, r.labels): (r.labels, r.value) for r in told}
        return found

    def get(self, key: str, /) -> Value | None:
        """As a dict's."""
        told = self.of(key.partition("{")[0]).get(key)
        return None if told is None else Value(told[1], self._at)

    def __getitem__(self, key: str, /) -> Value:
        return Value(self.of(key.partition("{")[0])[key][1], self._at)

    def __contains__(self, key: object, /) -> bool:
        return isinstance(key, str) and key in self.of(key.partition("{")[0])

    def items(self) -> Iterable[tuple[str, Value]]:
        """All of them, in their order."""
        return {
            key(r.metric, r.labels): Value(r.value, self._at) for r in self._all if shown_alone(r.metric)
        }.items()

    @property
    def metrics(self) -> Iterable[str]:
        """What there are readings of, whether they may be shown of one computer or not."""
        return self._of


Medium = Literal["wired", "wireless"]


class Posture(msgspec.Struct, frozen=True):
    """What indicators group by, judged from one state; None is unknown, never bad and never good.

    `protected`: some antivirus runs. `ipv6_rung`: the highest rung with every one below it ok, -1 when
    rung 0 failed. `link_speed`: bit/s of the fastest link in use, with its `link_medium`. `antivirus`: what
    runs, as `posture.issued` reads it. `…_activated`: some product of the kind says so; it says nothing of a
    licence.
    """

    protected: bool | None
    ipv6_rung: int | None
    link_speed: float | None
    link_medium: Medium | None
    antivirus: str | None = None
    windows_activated: bool | None = None
    office_activated: bool | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def pack(state: State) -> bytes:
    """The state as it stands in its row: msgpack."""
    return _encoder.encode(state)


def unpack(body: bytes) -> State:
    """The state in a row."""
    return _decoder.decode(body)
