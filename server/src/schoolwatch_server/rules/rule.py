"""A rule as data: on what condition, held for how long, an incident opens, and what people should then do."""

import zlib
from functools import cached_property
from typing import Annotated, Literal

import msgspec

from schoolwatch_server.levels import Stage
from schoolwatch_server.rules.subject import Kind
from schoolwatch_server.severity import Severity
from schoolwatch_server.strict_yaml import Confidence, Id, Title, Version

Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * 86400)]

HOUR = 3600.0
"""Seconds within which a fault that returns is the same incident; a proposal of this project."""

WEEKS = 21 * 86400.0
"""Seconds after which an incident is a standing fault; a proposal of this project."""


KEEP = 180 * 86400.0
"""Seconds for which what a network is known to have is remembered unseen; a proposal of this project."""

TEXT_MAX = 2000
"""Characters of a rule's text in one language."""

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]


class Both(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    vi: Words
    en: Words


class Only(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which schools a rule is about; empty is all. `communes` are codes, `levels` what a school teaches."""

    communes: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()
    levels: tuple[Stage, ...] = ()


class RuleSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document and clause behind a rule, and how sure they are."""

    document: Title
    clause: str
    confidence: Confidence


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """What must be so; exactly one of five.

    A verdict of the posture or of the machine, or a reading's number, in an envelope; a sighting of a kind,
    which needs no comparison, where `detail` names the values that its details must have one of, and
    `at_least` what those that are numbers must reach; what a watch finds when it looks at the database and
    the clock, as its `parameters` ask, which answers yes or no by itself.

    `equals`, `below` and `above` are the comparison, exactly one of them where there is one. A reading with
    labels comes several times: `every` says whether all of them must meet it, or one is enough. `evidence`
    names the subjects (`antivirus` of `antivirus.running`) whose readings and facts are kept with the
    incident; an envelope that says nothing of them says nothing about the rule.
    """

    evidence: tuple[str, ...] = ()
    posture: Literal["protected", "ipv6_rung", "link_speed"] | None = None
    machine: (
        Literal[
            "realtime",
            "firewall",
            "autorun_off",
            "patch_age",
            "disk_failing",
            "backup_age",
            "accounts_closed",
            "other_antivirus",
            "disk_full",
            "rdp_open",
            "smb1",
            "unsupported_system",
            "slow_link",
            "very_slow_link",
            "half_duplex",
            "link_errors",
        ]
        | None
    ) = None
    reading: str | None = None
    sighting: str | None = None
    detail: dict[str, tuple[str, ...]] = {}
    at_least: dict[str, float] = {}
    watch: str | None = None
    parameters: dict[str, float] = {}
    equals: bool | float | None = None
    below: float | None = None
    above: float | None = None
    every: bool = False

    @cached_property
    def mark(self) -> int:
        """Another number for another condition: by it one knows that a rule has changed what it asks."""
        return zlib.crc32(msgspec.json.encode(self))


class Worse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second limit of the same number beyond which an incident has another severity; one of the two."""

    severity: Severity
    below: float | None = None
    above: float | None = None


class Learn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was there when a sensor came is no incident: what it sees in its first `seconds` becomes known.

    Known are the machine (or whatever `same` tells apart) and what it announces, by the details in `by`
    (`subject`: the machine itself). Without `seconds` nothing is learned but what people call no fault. What
    a known one announces otherwise is an incident of the rule `changed`, or of this one where none is named.
    What was not seen for `keep` seconds while its network was heard is known no more.
    """

    seconds: Annotated[float, msgspec.Meta(ge=0, le=90 * 86400)]
    by: Annotated[tuple[str, ...], msgspec.Meta(max_length=8)] = ()
    changed: str = ""
    keep: Annotated[float, msgspec.Meta(ge=86400, le=1830 * 86400)] = KEEP


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rules; a higher version of the same id replaces it as a whole. Times in seconds.

    `when_found` says what becomes of what was so already when the computer was first judged: it goes on the
    school's work list, it is an incident, or it is nothing but how this computer is. `when_begun` says what
    becomes of a fault that begins later. An incident that lasts `standing_after` goes on the list too: nobody
    acts on it today who did not act in weeks. What returns within `reopen_within` of its end is the same
    incident once more.

    `worse` raises the severity of the same incident. `again` names a fact (`antivirus.threat`): a new one is
    noted with the open incident, people are told of a new name, and it opens anew where a person closed it.
    `late` says whether evidence that comes late opens an incident or waits for newer evidence. One that is
    not `enabled` judges nothing, one with `only` nothing of other schools.

    Rules of sightings alone: those that have the same of the details in `same` are one incident (where it
    says nothing, those about the same machine), and `learn` is what must be new. With `scope: school` it is
    one of the school, whichever of its gateways sees it. `known_by` names the rule that learns for this one,
    which is `changed` there: it judges nothing by itself.

    Rules of watches alone: an open incident of a rule in `silenced_by` about the same place, or one above it,
    has this one's findings as its part; with `quiet_when_planned` nothing opens during planned work there.
    """

    id: Id
    version: Version
    severity: Severity
    scope: Kind
    title: Both
    why: Both
    what_to_do: Both
    source: RuleSource
    condition: Condition
    open_after: Seconds
    close_after: Seconds = 0
    when_found: Literal["work_list", "incident", "nothing"] = "work_list"
    when_begun: Literal["incident", "work_list"] = "incident"
    standing_after: Seconds = WEEKS
    reopen_within: Seconds = HOUR
    worse: Worse | None = None
    again: str = ""
    late: Literal["waits", "opens"] = "waits"
    same: Annotated[tuple[str, ...], msgspec.Meta(max_length=8)] = ()
    learn: Learn | None = None
    known_by: str = ""
    silenced_by: tuple[Id, ...] = ()
    quiet_when_planned: bool = False
    enabled: bool = True
    only: Only = Only()

    @property
    def is_attack(self) -> bool:
        """What people must hear of even days late must not go under in a storm either."""
        return self.late == "opens"

    @property
    def name(self) -> str:
        """`antivirus_off@1`: what an incident says it was opened by."""
        return f"{self.id}@{self.version}"
