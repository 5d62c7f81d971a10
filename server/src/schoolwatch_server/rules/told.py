"""What one envelope says, as rules ask for it."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.state import EXPIRES, Heard, Known, Text, key


class Given(msgspec.Struct, frozen=True):
    """What a server's own settings add to the rules.

    `issued`: parts of the names of the antivirus that the province issues. `systems`: until when makers
    support their operating systems.
    """

    issued: tuple[str, ...] = ()
    systems: Systems = ()


NOTHING = Given()
"""Of a server where nobody named a product; rules that need more are then not known to be met."""


@dataclass(frozen=True)
class Told:
    """An envelope's readings, with the facts as they were told last; `at` is when it was taken (UTC seconds).

    `subjects` are those (`antivirus` of `antivirus.running`) of which the envelope itself says something.
    """

    state: Known
    at: float
    subjects: frozenset[str]
    given: Given = NOTHING


Facts = dict[str, Text]

RECALLED = frozenset(
    {
        "antivirus.name",
        "link.duplex",
        "link.medium",
        "os.build",
        "os.edition",
        "os.name",
        "os.version",
    }
)
"""Facts that rules judge readings by: told when they change and once a day, not with each reading."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What `merge` makes of an envelope and of facts that were told before."""

    readings: Heard
    facts: Facts


def hear(envelope: Envelope, at: float, recalled: Facts, given: Given = NOTHING) -> Told:
    """What an envelope taken at `at` says, beside the facts that the device told before."""
    readings, oldest = Heard(envelope.readings, at), at - EXPIRES
    facts = {name: text for name, text in recalled.items() if text.taken_at >= oldest}
    for fact in envelope.facts:
        facts[key(fact.name, fact.labels)] = Text(fact.value, fact.reason, at)
    names = frozenset([*readings.metrics, *(fact.name for fact in envelope.facts)])
    return Told(_Said(readings, facts), at, _subjects(names), given)


@lru_cache(maxsize=4096)
def _subjects(names: frozenset[str]) -> frozenset[str]:
    """Computers say the same ones again and again."""
    return frozenset(map(subject, names))


def recall(envelope: Envelope, at: float, recalled: Facts) -> Facts:
    """The facts to go on with: a newer one replaces an older one. The same object when none is new."""
    if not envelope.facts:
        return recalled
    new = {
        key(fact.name, fact.labels): Text(fact.value, fact.reason, at)
        for fact in envelope.facts
        if fact.name in RECALLED
    }
    new = {name: text for name, text in new.items() if name not in recalled or recalled[name].taken_at <= at}
    return {**recalled, **new} if new else recalled


def subject(name: str) -> str:
    """`antivirus` of `antivirus.running{"product":"x"}`."""
    return name.partition(".")[0]
