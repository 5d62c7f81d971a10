"""What was kept as evidence with an incident, in words: value with unit, when measured, when it arrived."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schoolwatch_contract.catalogue import FACTS, METRICS
from schoolwatch_server.console import lines, sighting_words
from schoolwatch_server.console.words import Words
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.serious import evidence
from schoolwatch_server.serious.evidence import Line, Seen, Witness

LATE = 300.0
"""Seconds between measuring and arriving from which both times are shown; a proposal of this project."""


@dataclass(frozen=True, slots=True)
class SeenWords:
    """A sighting in words."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WitnessWords:
    """One report that was kept as evidence: when it was taken (UTC seconds), and what it said, in words."""

    taken_at: float | None
    arrived: str
    lines: tuple[tuple[str, str], ...]
    seen: tuple[SeenWords, ...]
    left_out: int


def evidence_in_words(
    kept: object,
    words: Words,
    again: object = None,
    called: Callable[[str], str] = str,
    devices: Mapping[int, str] | None = None,
    behind: Mapping[str, int] | None = None,
) -> list[tuple[str, WitnessWords]]:
    """The reports that rules kept: which showed the fault first, opened the incident, told of it `again`.

    `called` is what a channel of notification is called for who looks, `devices` what those are called who
    saw something (`evidence.seers`), or are `behind` a pseudonym.
    """
    names = sighting_words.Names(devices or {}, behind or {})
    return [(one.which, _in_words(one, words, called, names)) for one in evidence.witnesses(kept, again)]


def _in_words(
    one: Witness, words: Words, called: Callable[[str], str], names: sighting_words.Names
) -> WitnessWords:
    told = tuple(_line(line, words, called) for line in _with_shares(one.lines))
    seen = tuple(_seen(each, words, names) for each in one.seen)
    return WitnessWords(one.taken_at, _arrived(one, words), told, seen, one.left_out)


_SHARES = frozenset(each.id for each in INDICATORS if each.unit == "ratio")


def _with_shares(kept: tuple[Line, ...]) -> Iterator[Line]:
    """The figures of an indicator have its unit, where that is a share of both a school and a commune."""
    is_share = any(line.name == "finding.indicator_name" and line.value in _SHARES for line in kept)
    figures = ("finding.indicator_value", "finding.indicator_target") if is_share else ()
    return (replace(line, unit="ratio") if line.name in figures else line for line in kept)


def _arrived(one: Witness, words: Words) -> str:
    """Said only of what came late: of all else it is the same minute."""
    if one.taken_at is None or one.received_at is None or one.received_at - one.taken_at < LATE:
        return ""
    waited = words.span(one.received_at - one.taken_at)
    return words.text("incident.evidence_arrived", when=words.when(one.received_at), waited=waited)


def _line(line: Line, words: Words, called: Callable[[str], str]) -> tuple[str, str]:
    """Name and value as the device's page has them."""
    kind = METRICS.get(line.name) or FACTS.get(line.name)
    title = lines.title(line.name, kind, words) if kind else words.known(line.name, line.name)
    where = lines.labels_in_words(dict(line.labels), words)
    if line.name == "antivirus.threat" and line.value:
        shown = _when(str(line.value), words)
    elif line.name == "finding.server_channel" and line.value:
        shown = called(str(line.value))
    elif isinstance(line.value, str):
        shown = evidence.told(line.name, line.value, words.texts, words.language)
    else:
        shown = words.amount(line.value, line.unit)
    return (f"{title} ({where})" if where else title, shown)


def _when(told: str, words: Words) -> str:
    """`2026-11-23T03:04:05Z`, as an agent writes an instant, in Vietnam's time; else as it was told."""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return told
    return words.when(at.timestamp()) if at.tzinfo else told


_OF_DEVICES = frozenset({"device.clone", "device.changed"})
"""What the server itself sees of a device."""


def _seen(seen: Seen, words: Words, names: sighting_words.Names) -> SeenWords:
    if seen.kind in _OF_DEVICES:  # numbers of reports and digests, which tell a person nothing
        what = seen.detail.get("what", "same_number")
        return SeenWords(words.known(f"change.{what}", what), ())
    title = words.known(f"sighting.{seen.kind}", evidence.title(seen.kind, words.texts, words.language))
    return SeenWords(title, tuple(sighting_words.details(seen, words, names)))
