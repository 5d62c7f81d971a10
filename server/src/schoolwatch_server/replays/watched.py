"""A rule of a watch over the past: the looks and the steps that `evaluate` makes, at past instants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schoolwatch_server import watches
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import rule_reach
from schoolwatch_server.database.past import Past
from schoolwatch_server.packs import Packs
from schoolwatch_server.replays.job import Larger
from schoolwatch_server.replays.judge import Finds
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding, Watched, watch
from schoolwatch_server.watches.sight import Sight

_OPEN: Mapping[str, object] = {"is_open": True, "opened_since": 1.0}


@dataclass
class Version:
    """One version of the rule on its way: what it remembers, and what it has found."""

    rule: Rule
    finds: Finds = field(default_factory=Finds)
    memory: Watched = field(default_factory=dict)
    looked: dict[str, float] = field(default_factory=dict)


def follow(
    past: Past,
    config: ServerConfig,
    packs: Packs,
    versions: Sequence[Version],
    instants: Iterable[float],
    larger: Sequence[Larger] = (),
) -> Iterator[float]:
    """Looks at each instant (UTC seconds), and says that it did.

    `larger` are the incidents of the rules that silence this one, as they really were.
    """
    for now in instants:
        deaf_at = past.to(now)
        really = [one for one in larger if one.opened_at <= now < one.closed_at]
        for version in versions:
            _look(past, config, packs, version, really, deaf_at)
        yield now


def _look(
    past: Past,
    config: ServerConfig,
    packs: Packs,
    version: Version,
    really: Sequence[Larger],
    deaf_at: float,
) -> None:
    rule, now = version.rule, past.now
    silencing: Watched = {
        (one.rule, one.subject): dict(_OPEN) for one in really if one.rule in rule.silenced_by
    }
    open_now = {rule.condition.watch or "": _open(version)}
    sight = Sight(past.conn, config, now, packs, open_now, deaf_at)
    found = watches.look(sight, [rule], version.looked)
    if rule.id not in found:
        return
    findings = _within(past, rule, found[rule.id])
    changed, occurrences = watch([rule], {rule.id: findings}, now, version.memory | silencing)
    version.memory |= changed
    version.memory = {place: body for place, body in version.memory.items() if body}
    for one in occurrences:
        version.finds.note(one)


def _open(version: Version) -> dict[Subject, float]:
    is_open = {subject for (_, subject), body in version.memory.items() if body.get("is_open")}
    return {subject: version.finds.since(subject) for subject in is_open}


def _within(past: Past, rule: Rule, findings: Sequence[Finding]) -> list[Finding]:
    """Those of the schools and communes that the rule is about."""
    apart = rule_reach.apart(past.conn, [rule], [finding.subject for finding in findings])
    return [finding for finding in findings if (rule.id, finding.subject) not in apart]
