"""What was kept as evidence with an incident, taken apart for pages, the API and forms. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS
from schoolwatch_server.state import parse_key
from schoolwatch_server.texts import Language, Texts, pick

MOST = 60
"""Readings, facts and sightings of one witness that are shown; how many more there are is said."""

_FOUND_UNITS = {
    "finding.server_disk_free": "B",
    "finding.server_disk_share": "ratio",
    "finding.server_store_seconds": "s",
    "finding.server_alerts_seconds": "s",
    "finding.silence_habit": "ratio",
}
"""Units of what watches found, where its name doesn't say it: the catalogue has the devices' own."""

_CODES = {
    "finding.indicator_name": "indicator",
    "finding.reason": "refusal",
    "finding.server_reader": "cursor",
    "finding.site_tls": "site.tls",
    "finding.target_confidence": "confidence",
}
"""What is kept as a code → the texts that say it; every other code is a `value`."""

_ABOUT = ("finding.grafana_rule", "finding.indicator_name", "finding.site_address", "finding.outage_isp")
"""What watches of many things found, by which their incidents are told apart in a list."""

ABOUT_MAX = 80
"""Characters of it: what others wrote must not push the place out of a row of a phone."""

Which = Literal["first", "last", "again"]


@dataclass(frozen=True, slots=True)
class Line:
    """A reading or a fact as it was: `key(name, labels)`, and the unit of its name in the catalogue."""

    key: str
    name: str
    labels: Mapping[str, str]
    value: float | str | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting: of what kind, about what, with which details, when (UTC seconds; None: not known).

    `device` is who saw it, a device's internal id (0: not kept).
    """

    kind: str
    subject: str
    detail: Mapping[str, str]
    seen_at: float | None
    device: int = 0


@dataclass(frozen=True, slots=True)
class Witness:
    """One report that was kept: the first that showed the fault, the one that opened the incident, or the
    newest one for which it was noted anew.

    `taken_at` is when it was measured, `received_at` when it reached the server (UTC seconds; None: not
    remembered). `left_out` says how many more lines were kept than are shown.
    """

    which: Which
    taken_at: float | None
    received_at: float | None
    lines: tuple[Line, ...]
    seen: tuple[Seen, ...]
    left_out: int = 0


def witnesses(evidence: object, again: object = None) -> tuple[Witness, ...]:
    """What an incident keeps, in order; nothing of what an older program wrote otherwise.

    `again` is what its newest event of `kept.AGAIN` kept. A report that began and opened it is told once.
    """
    own = evidence if isinstance(evidence, Mapping) else {}
    newer = again if isinstance(again, Mapping) else {}
    first, last = own.get("first"), own.get("last")
    told: tuple[tuple[Which, object], ...] = (
        ("first", None if first == last else first),
        ("last", last),
        ("again", newer.get("last")),
    )
    return tuple(_witness(which, kept) for which, kept in told if isinstance(kept, Mapping))


def seers(evidence: object, again: object = None) -> frozenset[int]:
    """The devices that saw what an incident keeps, by their internal ids."""
    told = (seen.device for one in witnesses(evidence, again) for seen in one.seen)
    return frozenset(told) - {0}


def pseudonyms(evidence: object, again: object = None) -> frozenset[str]:
    """All that may be a device's pseudonym in what was seen."""
    told = [seen for one in witnesses(evidence, again) for seen in one.seen]
    return frozenset(text for seen in told for text in (seen.subject, *seen.detail.values()))


def _witness(which: Which, kept: Mapping[str, Any]) -> Witness:
    lines, seen = tuple(_lines(kept)), tuple(_sightings(kept))
    shown = lines[:MOST]
    sightings = seen[: MOST - len(shown)]
    return Witness(
        which,
        _time(kept.get("taken_at")),
        _time(kept.get("arrived_at")),
        shown,
        sightings,
        len(lines) + len(seen) - len(shown) - len(sightings),
    )


def _lines(kept: Mapping[str, Any]) -> Iterator[Line]:
    for key, value in {**kept.get("readings", {}), **kept.get("facts", {})}.items():
        name, labels = parse_key(key)
        metric = METRICS.get(name)
        yield Line(key, name, labels, value, metric.unit if metric else _FOUND_UNITS.get(name, ""))


def _sightings(kept: Mapping[str, Any]) -> Iterator[Seen]:
    """The sighting of this witness, if it is one: its time is when it was seen."""
    if kept.get("sighting"):
        detail = {name: str(value) for name, value in (kept.get("detail") or {}).items()}
        at, by = _time(kept.get("taken_at")), kept.get("device")
        about = str(kept.get("subject", ""))
        yield Seen(str(kept["sighting"]), about, detail, at, by if isinstance(by, int) else 0)


def _time(value: object) -> float | None:
    """A time that is known: 0 is what an older program left."""
    return float(value) if isinstance(value, int | float) and value > 0 else None


def about(evidence: object) -> tuple[str, str] | None:
    """Which of the many things that its rule may find: the fact's name and value, cut; None: there is one."""
    last = evidence.get("last") if isinstance(evidence, Mapping) else None
    facts = last.get("facts") if isinstance(last, Mapping) else None
    for name in _ABOUT:
        value = facts.get(name) if isinstance(facts, Mapping) else None
        text = "".join(each for each in " ".join(str(value or "").split()) if each.isprintable())
        if text:
            return name, text if len(text) <= ABOUT_MAX else text[: ABOUT_MAX - 1].rstrip() + "…"
    return None


def about_in_words(evidence: object, texts: Texts, language: Language) -> str:
    """The same as people read it in a list; empty where there is nothing to tell apart."""
    found = about(evidence)
    return told(*found, texts, language) if found else ""


def title(name: str, texts: Texts, language: Language) -> str:
    """What a reading, fact or sighting is called; what a watch found has its name in the texts."""
    found = METRICS.get(name) or FACTS.get(name) or SIGHTINGS.get(name)
    if found is None:
        return texts.either(language, name, name)
    return pick(found, language)


def told(name: str, value: str, texts: Texts, language: Language) -> str:
    """What a fact says: codes have their words in the texts, all else (an address, a name) is as it was."""
    if name == "finding.target_deadline" and language == "vi":
        return "/".join(reversed(value.split("-")))
    if name == "finding.outage_communes":  # ids with counts, for the hours of each commune
        return str(len(value.split()))
    return texts.either(language, f"{_CODES.get(name, 'value')}.{value}", value)
