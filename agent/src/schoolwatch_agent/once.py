"""Measures once and shows it, without touching spool or server: for a technician and for scripts."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schoolwatch_agent import ladder
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe, observe_all
from schoolwatch_agent.texts import Language, Texts
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS, FactKind, Metric, SightingKind
from schoolwatch_contract.records import Fact, Reading, Sighting


@dataclass(frozen=True, slots=True)
class Seen:
    """What all probes saw, and when (UTC seconds)."""

    taken_at: float
    readings: tuple[Reading, ...]
    facts: tuple[Fact, ...]
    sightings: tuple[Sighting, ...]


def look(host: Host, probes: Iterable[Probe]) -> Seen:
    """Runs every probe, whatever its period."""
    taken_at = host.now()
    observed = [seen for _, seen, _ in observe_all(probes, host)]
    return Seen(
        taken_at,
        tuple(reading for each in observed for reading in each.readings),
        tuple(fact for each in observed for fact in each.facts),
        tuple(sighting for each in observed for sighting in each.sightings),
    )


def as_json(seen: Seen) -> str:
    """For programs: values in the catalogue's base units, null is unknown."""
    return json.dumps(
        {
            "taken_at": seen.taken_at,
            "readings": [
                {"metric": r.metric, "value": r.value, "unit": _unit(r.metric), "labels": r.labels}
                for r in seen.readings
            ],
            "facts": [
                {"name": f.name, "value": f.value, "labels": f.labels, "reason": f.reason} for f in seen.facts
            ],
            "sightings": [
                {"kind": s.kind, "subject": s.subject, "detail": s.detail, "seen_at": s.seen_at}
                for s in seen.sightings
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def table(seen: Seen, texts: Texts) -> str:
    """For people."""
    unknown, problems = texts("unknown"), texts.room("problems")
    readings = [
        (_named(r.metric, r.labels), unknown if r.value is None else _amount(r.metric, r.value))
        for r in seen.readings
    ]
    facts = [
        (
            _named(f.name, f.labels),
            f"{unknown} ({reason(f.reason, problems)})" if f.value is None else f.value,
        )
        for f in seen.facts
    ]
    sightings = [(_named(s.kind, s.detail), s.subject) for s in seen.sightings]
    ipv6 = ladder.line(seen.readings, seen.facts, texts)
    return "\n\n".join(
        (
            _columns((texts("column_reading"), texts("column_value")), readings),
            _columns((texts("column_fact"), texts("column_value")), [*facts, *sightings]),
            *([ipv6] if ipv6 else []),
        )
    )


def probe_list(probes: Sequence[Probe], tongue: Language, texts: Texts) -> str:
    """Each probe, how often it runs, and what it measures in words."""
    kinds: list[Metric | FactKind | SightingKind] = [*METRICS.values(), *FACTS.values(), *SIGHTINGS.values()]
    lines: list[str] = []
    for probe in probes:
        every = texts("every_seconds", seconds=f"{probe.every:g}") if probe.every else texts("every_cycle")
        lines.append(f"{probe.name}  ({every})")
        lines += [
            f"    {kind.name:<28} {kind.vi if tongue == 'vi' else kind.en}"
            for kind in kinds
            if kind.probe == probe.name
        ]
    return "\n".join(lines)


def reason(reason: str, problems: Texts) -> str:
    """The catalogue's reasons in words; what a tool or the system said stays in its own."""
    if ended := re.fullmatch(r"ended with (-?\d+)", reason):
        return problems("reason_ended_with", number=ended[1])
    if error := re.fullmatch(r"error (0x[0-9a-f]{8})", reason):
        return problems("reason_error", code=error[1])
    key = f"reason_{reason.replace(' ', '_')}"
    return problems(key) if problems.has(key) else reason


def _columns(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(left) for left, _ in (head, *rows))
    return "\n".join(f"{left:<{width}}  {right}" for left, right in (head, *rows))


def _named(name: str, labels: dict[str, str]) -> str:
    inside = ", ".join(f"{key}={value}" for key, value in labels.items())
    return f"{name} {{{inside}}}" if inside else name


def _unit(metric: str) -> str:
    kind = METRICS.get(metric)
    return "" if kind is None else kind.unit


def _amount(metric: str, value: float) -> str:
    unit = _unit(metric)
    return f"{value:.12g} {unit}" if unit in ("s", "B", "bit/s", "Hz", "dBm") else f"{value:.12g}"
