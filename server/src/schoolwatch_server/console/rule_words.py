"""What a rule says, in a sentence; its times, and what a version changed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from schoolwatch_contract.catalogue import METRICS, SIGHTINGS
from schoolwatch_server.changes import Change
from schoolwatch_server.console import lines
from schoolwatch_server.console.words import ZONE, Words
from schoolwatch_server.rules.rule import Condition, Rule

UNITS: Final = {"patch_age": "s", "backup_age": "s", "link_speed": "bit/s", "ipv6_rung": "count"}
"""Of verdicts that are numbers."""

_TIMES = {"open_after", "close_after", "standing_after", "reopen_within", "seconds", "keep"}
_CHOICES = {"severity", "scope", "when_found", "when_begun", "late"}


PARAMETERS: Final = {
    **dict.fromkeys(
        ("quiet", "gateway", "overnight", "many", "day", "window", "fresh", "after", "seconds"), "s"
    ),
    **dict.fromkeys(("share", "all_share", "habit"), "ratio"),
    **dict.fromkeys(("days", "medium", "high"), "days"),
    "bytes": "B",
}
"""Units of watches' numbers; of the others it is a count."""


def unit(condition: Condition) -> str:
    """Of the number that is compared; "" where there is none."""
    named = condition.posture or condition.machine
    if named is not None:
        return UNITS.get(named, "")
    metric = METRICS.get(condition.reading or "")
    return metric.unit if metric else ""


def sentence(rule: Rule, words: Words) -> str:
    """`Mở sự cố khi … liên tục 10 phút trở lên; đóng ngay khi hết.`"""
    when = found(rule, words)
    hold = words.text("rules.held", span=words.span(rule.open_after)) if rule.open_after else ""
    over = (
        words.text("rules.over_after", span=words.span(rule.close_after))
        if rule.close_after
        else words.text("rules.over_at_once")
    )
    opens = "rules.lists_when" if rule.when_begun == "work_list" else "rules.opens_when"
    return words.text(opens, when=f"{when}{hold}", over=over)


def found(rule: Rule, words: Words) -> str:
    """What must be so, without its times."""
    asks = rule.condition
    if asks.watch is not None:
        return words.known(f"rules.watch.{asks.watch}", _small(words.pick(rule.title)))
    if asks.sighting is not None:
        kind = lines.title(asks.sighting, SIGHTINGS.get(asks.sighting), words)
        seen = words.text("rules.seen", what=_small(kind)) + _limits(asks, words)
        return seen + _unless_known(rule, words)
    verdict = asks.posture or asks.machine
    if isinstance(asks.equals, bool):
        answer = "yes" if asks.equals else "no"
        return words.known(f"rules.when.{verdict}_{answer}", _small(words.pick(rule.title)))
    name = words.known(f"rules.number.{verdict}", "") if verdict else _reading(asks, words)
    way = "above" if asks.above is not None else "below" if asks.below is not None else "equals"
    value = words.amount(float(getattr(asks, way)), unit(asks))
    every = words.text("rules.every") if asks.every else ""
    return words.text(f"rules.{way}", what=name or str(verdict), value=value) + every


def _unless_known(rule: Rule, words: Words) -> str:
    """Of a rule that learns, or that asks one that does: what must be new."""
    if rule.known_by:
        return words.text("rules.seen_changed")
    if rule.learn is None:
        return ""
    return (
        words.text("rules.seen_new", span=words.span(rule.learn.seconds))
        if rule.learn.seconds
        else words.text("rules.seen_untaught")
    )


def _limits(asks: Condition, words: Words) -> str:
    """` (số lần đổi trong một giờ: từ 4)`: what a sighting's details must be, those that have a name here."""
    told = [
        (name, ", ".join(words.known(f"sighted.{name}.{one}", one) for one in wanted))
        for name, wanted in asks.detail.items()
    ]
    told += [
        (name, words.text("rules.seen_least", least=words.amount(least, "count")))
        for name, least in asks.at_least.items()
    ]
    named = ((words.known(f"detail.{name}", ""), value) for name, value in told)
    said = "; ".join(f"{_small(name)}: {value}" for name, value in named if name)
    return f" ({said})" if said else ""


def parameter(name: str, words: Words) -> str:
    """What a watch's number is called."""
    return words.known(f"rules.parameter.{name}", name)


def parameters(rule: Rule, words: Words) -> Iterator[tuple[str, str]]:
    """What a watch is told to look for: name and amount."""
    for name, value in rule.condition.parameters.items():
        yield parameter(name, words), words.amount(value, PARAMETERS.get(name, ""))


def at(when: float) -> str:
    """`07:30 30/11/2026` in Vietnam: rules change at full minutes."""
    return f"{datetime.fromtimestamp(when, UTC).astimezone(ZONE):%H:%M %d/%m/%Y}"


def changed(changes: Sequence[Change], words: Words) -> Iterator[tuple[str, str, str]]:
    """Field, what it was and what it is, in words; "" is nothing."""
    for one in changes:
        called = " › ".join(words.known(f"rules.field.{part}", part) for part in one.path)
        yield called, _shown(one.path, one.before, words), _shown(one.path, one.after, words)


def _shown(path: tuple[str, ...], text: str | None, words: Words) -> str:
    if text is None:
        return ""
    if text in ("true", "false"):
        return words.text("yes" if text == "true" else "no")
    if path[-1] in _TIMES:
        return words.span(float(text)) or words.text("rules.at_once")
    if path[-1] in _CHOICES:
        return words.known(f"rules.{path[-1]}.{text}", words.known(f"{path[-1]}.{text}", text))
    return text


def _reading(asks: Condition, words: Words) -> str:
    return _small(lines.title(asks.reading or "", METRICS.get(asks.reading or ""), words))


def _small(text: str) -> str:
    """In the middle of a sentence; a name in capitals stays."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
