"""Loads the shipped rules and the folder of overrides."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from schoolwatch_contract.catalogue import SIGHTINGS
from schoolwatch_server import strict_yaml
from schoolwatch_server.rules.dependency import circle
from schoolwatch_server.rules.held import Held, Origin
from schoolwatch_server.rules.rule import Condition, Only, Rule
from schoolwatch_server.rules.verdicts import MACHINE, NUMBERS, POSTURE
from schoolwatch_server.rules.watch import OF_DEVICES, PARAMETERS
from schoolwatch_server.strict_yaml import SheetError

YES_NO = frozenset({*POSTURE, *MACHINE}) - NUMBERS
"""Verdicts that are yes or no; of the others there is a number."""

PARAMETER_MAX = 1e15
"""No number of seconds, bytes or pieces is larger, and what is can't be asked of a database."""

SHIPPED = Path(__file__).parent
"""The folder of the rules that come with the program."""


def load(overrides: Path | None = None) -> tuple[Rule, ...]:
    """The rules in force, by id: shipped ones, replaced by those of `overrides` with a higher version.

    A rule with a new id is one rule more. Raises `SheetError` naming the file and what to do.
    """
    return tuple(held.rule for held in of_files(overrides))


def of_files(overrides: Path | None = None) -> tuple[Held, ...]:
    """As `load`, with the texts."""
    chosen = {held.rule.id: held for held in shipped()}
    for held in _read(overrides, "file") if overrides is not None else ():
        rule, known = held.rule, chosen.get(held.rule.id)
        if known is not None and rule.version <= known.rule.version:
            raise SheetError(
                f"{held.path}: version: {rule.name} does not replace {known.rule.name}: "
                f"write version {known.rule.version + 1} or remove the file"
            )
        chosen[rule.id] = held
    found = tuple(chosen[name] for name in sorted(chosen))
    check_together([held.rule for held in found])
    return found


@cache
def shipped() -> tuple[Held, ...]:
    """The rules that come with the program."""
    return _read(SHIPPED, "shipped")


def read(raw: bytes, path: Path, origin: Origin, since: float | None = None) -> Held:
    """The rule of a text; `path` is what errors call it. Raises `SheetError`."""
    rule = strict_yaml.parse(raw, path, Rule)
    try:
        _check_all(rule, path)
    except SheetError as error:
        key, _, what = str(error).removeprefix(f"{path}: ").partition(": ")
        raise SheetError(str(error), where=f"$.{key}", what=what) from error
    return Held(rule, raw, origin, since, path)


def _check_all(rule: Rule, path: Path) -> None:
    _check(rule.condition, path)
    _check_worse(rule, path)
    if rule.only != Only() and rule.scope in ("province", "server"):
        raise SheetError(f"{path}: only: a rule about the {rule.scope} is about no school: remove it")
    asks_a_computer = rule.condition.posture or rule.condition.machine or rule.condition.reading
    if asks_a_computer and rule.scope != "device":
        raise SheetError(f"{path}: scope: what one computer reports is about that computer: write device")
    if rule.condition.watch is None and (rule.silenced_by or rule.quiet_when_planned):
        raise SheetError(
            f"{path}: silenced_by, quiet_when_planned: only rules of watches may be quiet: remove them"
        )
    if rule.condition.watch is not None:
        _check_watch(rule, rule.condition.watch, path)
    if rule.condition.sighting is not None:
        _check_sighting(rule, path)
    elif rule.same or rule.learn is not None or rule.known_by:
        raise SheetError(f"{path}: same, learn, known_by: only rules of sightings have them: remove them")


def _read(folder: Path, origin: Origin) -> tuple[Held, ...]:
    return tuple(read(strict_yaml.content(path), path, origin) for path in strict_yaml.files(folder))


def check_together(rules: Sequence[Rule], of: Sequence[Rule] = ()) -> None:
    """Whether rules that are in force together fit each other in what they name.

    Asked of some of them (empty: of all), what others name wrongly is no matter. Raises `SheetError`.
    """
    _check_silencers(rules, of)
    named = {rule.id: rule for rule in rules}
    for rule in of or rules:
        changed = rule.learn.changed if rule.learn is not None else ""
        if changed and not _is_taught(rule, named.get(changed)):
            raise _misnamed(rule, "learn.changed", changed)
        if rule.known_by and not _is_taught(named.get(rule.known_by), rule):
            raise _misnamed(rule, "known_by", rule.known_by)


def _is_taught(teacher: Rule | None, rule: Rule | None) -> bool:
    return (
        rule is not None
        and teacher is not None
        and teacher.learn is not None
        and (rule.known_by, teacher.learn.changed) == (teacher.id, rule.id)
        and (rule.scope, rule.same) == (teacher.scope, teacher.same)
        and rule.condition.sighting == teacher.condition.sighting
    )


def _misnamed(rule: Rule, where: str, name: str) -> SheetError:
    what = (
        f"{name} is no rule about the same (scope, condition.sighting, same) that names this one: name each "
        "in the other, in learn.changed and in known_by, or neither"
    )
    return SheetError(f"rule {rule.id}: {where}: {what}", where=f"$.{where}", what=what)


def _check_silencers(rules: Sequence[Rule], of: Sequence[Rule]) -> None:
    watched = {rule.id for rule in rules if rule.condition.watch is not None}
    for rule in of or rules:
        strange = [name for name in rule.silenced_by if name not in watched]
        what = f"{strange[0]} is no rule of a watch: remove it" if strange else ""
        names = circle((rule, *(other for other in rules if other.id != rule.id)))
        if names and names[0] == rule.id:
            what = f"{' -> '.join(names)} goes in a circle: remove one of them"
        if what:
            raise SheetError(f"rule {rule.id}: silenced_by: {what}", where="$.silenced_by", what=what)


def _check(condition: Condition, path: Path) -> None:
    asked = (condition.posture, condition.machine, condition.reading)
    found = (condition.sighting, condition.watch)
    if sum(name is not None for name in (*asked, *found)) != 1:
        raise SheetError(
            f"{path}: condition: write exactly one of posture, machine, reading, sighting and watch"
        )
    if (condition.detail or condition.at_least) and condition.sighting is None:
        raise SheetError(f"{path}: condition.detail, condition.at_least: only a sighting has some: remove it")
    if condition.parameters and condition.watch is None:
        raise SheetError(f"{path}: condition.parameters: only a watch has some: remove them")
    if any(name is not None for name in found):
        _check_found(condition, path)
        return
    if not condition.evidence:
        raise SheetError(f"{path}: condition.evidence: name the subjects whose readings are kept")
    comparisons = (condition.equals, condition.below, condition.above)
    if sum(comparison is not None for comparison in comparisons) != 1:
        raise SheetError(f"{path}: condition: write exactly one of equals, below and above")
    if isinstance(condition.equals, bool) != bool(YES_NO.intersection(asked)):
        names = ", ".join(sorted(YES_NO))
        raise SheetError(f"{path}: condition.equals: true and false go with {names}, and only with these")


def _check_found(condition: Condition, path: Path) -> None:
    """A sighting is there or not, and a watch answers by itself."""
    comparisons = (condition.equals, condition.below, condition.above)
    if any(comparison is not None for comparison in comparisons) or condition.every:
        raise SheetError(
            f"{path}: condition: a sighting or a watch is compared with nothing: remove equals, below, above "
            "and every"
        )


def _check_watch(rule: Rule, name: str, path: Path) -> None:
    asked = PARAMETERS.get(name)
    if asked is None:
        raise SheetError(f"{path}: condition.watch: {name!r} is none of {', '.join(sorted(PARAMETERS))}")
    if rule.condition.parameters.keys() != asked:
        names = ", ".join(sorted(asked)) or "none"
        raise SheetError(f"{path}: condition.parameters: {name} takes exactly these: {names}")
    for parameter, number in rule.condition.parameters.items():
        if not 0 <= number <= PARAMETER_MAX:
            raise SheetError(
                f"{path}: condition.parameters.{parameter}: write a number from 0 up, no larger than "
                f"{PARAMETER_MAX:.0f}"
            )
    if rule.when_found != "incident":
        raise SheetError(f"{path}: when_found: what a watch finds is an incident: write when_found: incident")
    if (rule.scope == "device") != (name in OF_DEVICES):
        meant = "device" if name in OF_DEVICES else "what the watch is about, no device"
        raise SheetError(f"{path}: scope: {name} is not about a {rule.scope}: write {meant}")
    if rule.when_begun == "work_list" and rule.scope != "device":
        raise SheetError(f"{path}: when_begun: only computers are on work lists: write when_begun: incident")


def _check_worse(rule: Rule, path: Path) -> None:
    """The second limit lies beyond the first, in the same direction."""
    if rule.worse is None:
        return
    pairs = (rule.condition.above, rule.worse.above), (rule.worse.below, rule.condition.below)
    for near, far in pairs:
        if (near is None) != (far is None) or (near is not None and far is not None and near >= far):
            raise SheetError(f"{path}: worse: write the condition's limit (above or below), further away")


def _check_sighting(rule: Rule, path: Path) -> None:
    found = (rule.when_found, rule.when_begun)
    if rule.scope not in ("device", "school") or found != ("incident", "incident"):
        raise SheetError(
            f"{path}: a sighting is an incident of a device or its school: scope: device or school, "
            "when_found: incident"
        )
    if rule.open_after or rule.close_after <= 0:
        raise SheetError(
            f"{path}: a sighting opens at once and is over when there was none for a while: open_after: 0, "
            "close_after: some seconds"
        )
    if rule.known_by and rule.learn is not None:
        raise SheetError(f"{path}: known_by: a rule that learns needs nobody who knows: remove it, or learn")
    _check_details(rule, rule.condition.sighting or "", path)


def _check_details(rule: Rule, kind: str, path: Path) -> None:
    """A sensor's details are named as the catalogue has them; of other sightings it doesn't say which."""
    known = SIGHTINGS[kind].details if kind in SIGHTINGS else ()
    learnt = rule.learn.by if rule.learn is not None else ()
    for where, names in (
        ("condition.detail", rule.condition.detail),
        ("condition.at_least", rule.condition.at_least),
        ("same", rule.same),
        ("learn.by", [name for name in learnt if name != "subject"]),
    ):
        strange = [name for name in names if known and name not in known]
        if strange:
            raise SheetError(f"{path}: {where}: {kind} has no {strange[0]}, only {', '.join(known)}")
