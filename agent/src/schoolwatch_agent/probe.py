"""A probe is a value; `observe` runs it, and whatever goes wrong becomes a reading."""

import itertools
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from schoolwatch_agent import deadline, personal
from schoolwatch_agent.errors import EVIDENCE, NotUnderstood, one_line
from schoolwatch_agent.host import Host
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Fact, Reading, Sighting

NAMES_SECONDS = 1.0
"""For the names that are cut out of a failure, when not even these can be read."""

_HELD_UP: Final = r"timeout|not understood|cannot be read|no PowerShell|ended with -?\d+|error 0x[0-9a-f]{8}"
"""Reasons that say that a question had no answer. A refusal ("not permitted") is one, and so is absence."""

RECORDS_MAX = 300
"""Records of one run of one probe; an envelope of all of them stays below the contract's bounds."""


class NotHere(Exception):  # noqa: N818  an outcome, not an error
    """What the probe measures does not exist on this machine; nothing is sent, not even a zero."""


class Probe(msgspec.Struct, frozen=True):
    """A named way to read something off the host every so many seconds; 0 is each cycle.

    A change in what is `watched` (metrics, facts) is delivered at once instead of with the next report.
    Whatever it asks of the machine, it has `limit` seconds for all of it.
    Probes of one `group` and period run in the same cycles: they ask the same dear source.
    """

    name: str
    every: float
    read: Callable[[Host], Iterable[Reading | Fact | Sighting]]
    watched: frozenset[str] = frozenset()
    limit: float = 90.0
    group: str = ""


class Observed(msgspec.Struct, frozen=True):
    """What one run of a probe gave."""

    readings: tuple[Reading, ...] = ()
    facts: tuple[Fact, ...] = ()
    sightings: tuple[Sighting, ...] = ()


CYCLE_SECONDS = 240.0
"""What all probes of a cycle may take together: the next cycle, 300 s after this one, is not to be missed."""


def observe_all(
    probes: Iterable[Probe], host: Host, seconds: float | None = None
) -> Iterator[tuple[Probe, Observed, bool]]:
    """Runs probes in their order, all of them in `seconds` (`CYCLE_SECONDS`).

    False comes with those for which no time was left, and which have failed so.
    """
    end = time.monotonic() + (CYCLE_SECONDS if seconds is None else seconds)
    for probe in probes:
        left = end - time.monotonic()
        yield (probe, observe(probe, host, max(left, 0.0)), left > 0)


def observe(probe: Probe, host: Host, within: float = math.inf) -> Observed:
    """Runs one probe. It worked, it failed (`probe.ok` 0 and the reason), or it is not here (nothing).

    It has its own limit, or `within` seconds when that is less. Where all that it says is unknown because
    what it asked hung or failed, it has failed too; what it says is told all the same.
    """
    started = time.monotonic()
    labels = {"probe": probe.name}
    failure = ""
    records: tuple[Reading | Fact | Sighting, ...] = ()
    try:
        with deadline.of(min(probe.limit, within), probe.name):
            deadline.cut(probe.limit)
            records = _checked(probe.read(host))
        failure = _nothing_known(records)
    except NotHere:
        return Observed()
    except Exception as error:  # noqa: BLE001  the one place where anything may go wrong
        failure = _evidence(error, host)
    own = (
        Reading("probe.ok", 0.0 if failure else 1.0, labels),
        Reading("probe.seconds", round(time.monotonic() - started, 3), labels),
    )
    failures = (Fact("probe.failure", failure, labels),) if failure else ()
    return Observed(
        (*(record for record in records if isinstance(record, Reading)), *own),
        (*(record for record in records if isinstance(record, Fact)), *failures),
        tuple(record for record in records if isinstance(record, Sighting)),
    )


def _checked(found: Iterable[Reading | Fact | Sighting]) -> tuple[Reading | Fact | Sighting, ...]:
    """What the contract takes; anything longer, not finite or too much is a failure of this probe alone."""
    records = tuple(itertools.islice(found, RECORDS_MAX + 1))
    if len(records) > RECORDS_MAX:
        raise NotUnderstood(f"more than {RECORDS_MAX} records", records[-1])
    for record in records:
        msgspec.convert(msgspec.to_builtins(record), type(record))
        envelope.check_record(record)
        if isinstance(record, Reading) and record.value is not None and not math.isfinite(record.value):
            raise NotUnderstood("not a finite number", record)
    return records


def _nothing_known(records: Iterable[Reading | Fact | Sighting]) -> str:
    """Why a probe that could say nothing at all has failed; "" when it knows something, or may not."""
    reasons = []
    for record in records:
        if isinstance(record, Sighting) or record.value is not None:
            return ""
        if isinstance(record, Fact) and re.fullmatch(_HELD_UP, record.reason):
            reasons.append(record.reason)
    return f"nothing is known: {reasons[0]}" if reasons else ""


def _evidence(error: Exception, host: Host) -> str:
    kind = type(error).__name__
    with deadline.of(NAMES_SECONDS, "names"):
        names = host.own_names()
    text = personal.cut(one_line(str(error)), names)
    return f"{kind}: {text}"[:EVIDENCE] if text else kind
