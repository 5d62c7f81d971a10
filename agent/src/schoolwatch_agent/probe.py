"""A probe is a value; `observe` runs it, and whatever goes wrong becomes a reading."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schoolwatch_agent import personal
from schoolwatch_agent.errors import EVIDENCE, one_line
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading, Sighting


class NotHere(Exception):  # noqa: N818  an outcome, not an error
    """What the probe measures does not exist on this machine; nothing is sent, not even a zero."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A named way to read something off the host every so many seconds; 0 is each cycle.

    A change in what is `watched` (metrics, facts) is delivered at once instead of with the next report.
    """

    name: str
    every: float
    read: Callable[[Host], Iterable[Reading | Fact | Sighting]]
    watched: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Observed:
    """What one run of a probe gave."""

    readings: tuple[Reading, ...] = ()
    facts: tuple[Fact, ...] = ()
    sightings: tuple[Sighting, ...] = ()


def observe(probe: Probe, host: Host) -> Observed:
    """Runs one probe. It worked, it failed (`probe.ok` 0 and the reason), or it is not here (nothing)."""
    started = time.monotonic()
    labels = {"probe": probe.name}
    failures: tuple[Fact, ...] = ()
    records: tuple[Reading | Fact | Sighting, ...] = ()
    try:
        records = tuple(probe.read(host))
    except NotHere:
        return Observed()
    except Exception as error:  # noqa: BLE001  the one place where anything may go wrong
        failures = (Fact("probe.failure", _evidence(error, host), labels),)
    own = (
        Reading("probe.ok", 0.0 if failures else 1.0, labels),
        Reading("probe.seconds", round(time.monotonic() - started, 3), labels),
    )
    return Observed(
        (*(record for record in records if isinstance(record, Reading)), *own),
        (*(record for record in records if isinstance(record, Fact)), *failures),
        tuple(record for record in records if isinstance(record, Sighting)),
    )


def _evidence(error: Exception, host: Host) -> str:
    kind = type(error).__name__
    text = personal.cut(one_line(str(error)), host.own_names())
    return f"{kind}: {text}"[:EVIDENCE] if text else kind
