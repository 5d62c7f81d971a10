"""docs/metrics.md: every metric, fact and sighting that an agent sends."""

from collections.abc import Iterable

from generators.markdown import code, table
from generators.markdown import page as whole
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS, FactKind, Metric, SightingKind

INTRODUCTION = """\
Everything that an agent can send is on this page; a test proves that nothing else is sent.
`null` is "unknown" and never stands for 0, for good or for bad.
Units are base units: s, B, bit/s, Hz, dBm, a ratio from 0 to 1; a boolean is 0 or 1.
An empty probe is the agent speaking of itself; of a sighting, the server.
What each privacy class means is said in [privacy.md](privacy.md)."""

_HEAD = ("Probe", "Labels", "Privacy", "Nghĩa", "Meaning")


def page() -> str:
    """The catalogue as three tables."""
    metrics = table(
        ("Metric", "Unit", *_HEAD), ((code(m.name), m.unit, *_cells(m)) for m in METRICS.values())
    )
    facts = table(("Fact", *_HEAD), ((code(f.name), *_cells(f)) for f in FACTS.values()))
    return whole(
        "Metrics, facts and sightings",
        INTRODUCTION,
        f"## Metrics ({len(METRICS)})",
        metrics,
        f"## Facts ({len(FACTS)})",
        facts,
        f"## Sightings ({len(SIGHTINGS)})",
        _sightings(),
    )


def _sightings() -> str:
    if not SIGHTINGS:
        return "None yet: no probe of today watches the wire."
    head = ("Sighting", "Probe", "Details", "Privacy", "Nghĩa", "Meaning")
    return table(head, ((code(s.name), *_seen(s)) for s in SIGHTINGS.values()))


def _seen(kind: SightingKind) -> Iterable[str]:
    return (kind.probe, ", ".join(map(code, kind.details)), kind.privacy, kind.vi, kind.en)


def _cells(kind: Metric | FactKind) -> Iterable[str]:
    return (kind.probe, ", ".join(code(label) for label in kind.labels), kind.privacy, kind.vi, kind.en)
