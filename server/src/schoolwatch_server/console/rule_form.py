"""What people really change of a rule, as a form's fields with units; the rest of its text stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import yaml

from schoolwatch_server.console import rule_words
from schoolwatch_server.levels import Stage
from schoolwatch_server.packs.form import Given, number
from schoolwatch_server.rules.rule import TEXT_MAX, Rule
from schoolwatch_server.severity import SEVERITIES

Kind = Literal["choice", "number", "line", "long", "stages", "communes"]
Reason = Literal["required", "not_a_number", "ambiguous", "negative", "no_choice", "too_long"]
"""What is wrong with a field; `packs.fault.<reason>` of the texts."""

STAGES: Final = get_args(Stage)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form; `path` is where its value stands in the rule, a written unit is `factor` of it."""

    path: str
    kind: Kind
    values: tuple[str, ...]
    choices: tuple[str, ...] = ()
    unit: str = ""
    factor: float = 1.0

    @property
    def name(self) -> str:
        """What the browser sends it as."""
        return f"f.{self.path}"

    @property
    def last(self) -> str:
        """By what the texts call it."""
        return self.path.rpartition(".")[2]


def fields(rule: Rule) -> tuple[Field, ...]:
    """The form of a rule, filled in."""
    return tuple(_fields(rule))


def _fields(rule: Rule) -> Iterator[Field]:
    yield Field("enabled", "choice", ("true" if rule.enabled else "false",), ("true", "false"))
    yield Field("severity", "choice", (rule.severity,), SEVERITIES)
    asks, unit = rule.condition, rule_words.unit(rule.condition)
    for way in ("above", "below"):
        value = getattr(asks, way)
        if value is not None:
            yield _number(f"condition.{way}", value, *_scale(unit, value))
    for name, value in asks.parameters.items():
        yield _number(
            f"condition.parameters.{name}", value, *_scale(rule_words.PARAMETERS.get(name, ""), value)
        )
    if asks.sighting is None:
        yield _number("open_after", rule.open_after, "minute", 60.0)
    yield _number("close_after", rule.close_after, "minute", 60.0)
    if asks.sighting is None:  # one is there or not, and is over by itself
        yield _number("standing_after", rule.standing_after, "day", 86400.0)
        yield Field("when_found", "choice", (rule.when_found,), ("work_list", "incident", "nothing"))
    if rule.learn is not None:
        yield _number("learn.seconds", rule.learn.seconds, "day", 86400.0)
        yield _number("learn.keep", rule.learn.keep, "day", 86400.0)
    for text in ("title", "why", "what_to_do"):
        both = getattr(rule, text)
        kind: Kind = "line" if text == "title" else "long"
        yield Field(f"{text}.vi", kind, (both.vi,))
        yield Field(f"{text}.en", kind, (both.en,))
    if rule.scope not in ("province", "server"):
        yield Field("only.communes", "communes", (", ".join(rule.only.communes),))
        yield Field("only.levels", "stages", rule.only.levels)


def filled(rule: Rule, data: Any, given: Given) -> tuple[str, dict[str, Reason]]:
    """The text of `data` (the rule's YAML) with what was filled in, and what is wrong, by field."""
    faults: dict[str, Reason] = {}
    for field in fields(rule):
        _put(data, field.path, _value(field, given.get(field.name, ()), faults))
    for name in ("enabled", "only"):  # as it usually is: not written
        if data.get(name) in (True, {"communes": [], "levels": []}):
            del data[name]
    text: str = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=10_000)
    return text, faults


def _value(field: Field, values: tuple[str, ...], faults: dict[str, Reason]) -> Any:
    """As the rule has it."""
    told = values[0].strip() if values else ""
    if field.kind == "number":
        return _read(field, told, faults)
    if field.kind == "stages":
        return [stage for stage in STAGES if stage in values]
    if field.kind == "communes":
        return [word for part in told.replace("\n", ",").split(",") if (word := part.strip())]
    if not told:
        faults[field.name] = "required"
    elif field.kind == "choice" and told not in field.choices:
        faults[field.name] = "no_choice"
    elif len(told) > TEXT_MAX:
        faults[field.name] = "too_long"
    return told == "true" if field.path == "enabled" else told


def _read(field: Field, told: str, faults: dict[str, Reason]) -> float:
    if not told:
        faults[field.name] = "required"
        return 0.0
    value, wrong = number(told, is_share=False)
    if value is None:
        faults[field.name] = wrong if wrong in get_args(Reason) else "not_a_number"  # type: ignore[assignment]
        return 0.0
    exact = round(value * field.factor, 6)
    return int(exact) if exact.is_integer() else exact


def _number(path: str, value: float, unit: str, factor: float) -> Field:
    shown = f"{value / factor:.6f}".rstrip("0").rstrip(".").replace(".", ",")
    return Field(path, "number", (shown,), unit=unit, factor=factor)


def _scale(unit: str, value: float) -> tuple[str, float]:
    """The unit that people write such a number in, and how much of the rule's one it is."""
    if unit == "days":
        return "day", 1.0
    if unit == "s":
        for name, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
            if value >= size:
                return name, size
        return "second", 1.0
    scales: Mapping[str, tuple[str, float]] = {
        "ratio": ("%", 0.01),
        "B": ("GB", 1e9),
        "bit/s": ("Mbit/s", 1e6),
    }
    return scales.get(unit, ("", 1.0))


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *places, last = path.split(".")
    for place in places:
        data = data.setdefault(place, {})
    data[last] = value
