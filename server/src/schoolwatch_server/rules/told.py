"""What one envelope says, as rules ask for it."""

from dataclasses import dataclass

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.state import State, Text, key, merge


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

    state: State
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


def hear(envelope: Envelope, at: float, recalled: Facts, given: Given = NOTHING) -> Told:
    """What an envelope taken at `at` says, beside the facts that the device told before."""
    names = {reading.metric for reading in envelope.readings} | {fact.name for fact in envelope.facts}
    return Told(merge(State({}, recalled), envelope, at), at, frozenset(map(subject, names)), given)


def recall(envelope: Envelope, at: float, recalled: Facts) -> Facts:
    """The facts to go on with: a newer one replaces an older one. The same object when none is new."""
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
