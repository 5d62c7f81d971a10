"""What is said of packs: days, targets, what changes, and what is wrong in which field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schoolwatch_server.changes import Change
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.console.words import Words
from schoolwatch_server.pack_versions import VersionError
from schoolwatch_server.packs.form import Fault
from schoolwatch_server.packs.plan import Item, Plan, Target
from schoolwatch_server.packs.sheet import Sheet
from schoolwatch_server.strict_yaml import SheetError

_PLACE = re.compile(r"\.?([a-z_]+)|\[(\d+)\]|\[\.\.\.\]")
_FIELD = {"basic": "packs.field.level_rule_basic", "good": "packs.field.level_rule_good"}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?")


@dataclass(frozen=True, slots=True)
class Said:
    """How a page writes what packs hold, on a day; `communes` are their names by code."""

    words: Words
    today: date
    communes: Mapping[str, str]

    def day(self, of: date) -> str:
        """`31/12/2025`."""
        return self.words.date(of)

    def amount(self, value: float, unit: str) -> str:
        """A number with its unit; a unit that is no word of ours is written as it is."""
        if unit == "ratio":
            return self.words.percent(value)
        if unit in ("students/computer", "days", "s", "bit/s", "boolean"):
            return self.words.amount(value, unit)
        number = self.words.number(value, 2)
        if unit == "count":
            return number
        if unit == "B":
            return f"{self.words.number(value / 1e9)}\u00a0GB"
        name = self.words.known(f"packs.unit.{unit}", unit)
        return f"{name} {number}" if unit in ("level", "grade") else f"{number}\u00a0{name}"

    def target(self, of: Item | Target) -> str:
        """`100%`, `không quá 2 học sinh/máy`, or that the document gives no number."""
        value = of.value if isinstance(of, Target) else of.target
        if value is None:
            return self.words.text("packs.no_number")
        told = self.amount(value, of.unit)
        return told if of.better == "higher" else self.words.text("packs.at_most", value=told)

    def is_overdue(self, of: Item | Target) -> bool:
        """Whether the last day is past."""
        return of.deadline is not None and of.deadline < self.today

    def deadline(self, of: Item | Target) -> str:
        """The last day, or since when it is past."""
        last = of.deadline
        if last is None:
            return self.words.text("packs.no_deadline")
        if last < self.today:
            return self.words.text("packs.overdue", day=self.day(last + timedelta(days=1)))
        return self.day(last)

    def scope(self, item: Item, plan: Plan) -> str:
        """Which schools an item is about."""
        parts = []
        if item.levels:
            parts.append(", ".join(item.levels))
        if item.public_only:
            parts.append(self.words.text("packs.scope_public"))
        if item.communes:
            named = ", ".join(self.communes.get(code, code) for code in item.communes)
            parts.append(self.words.text("packs.scope_communes", communes=named))
        if areas := item.former_places or plan.former_places:
            parts.append(self.words.text("packs.scope_former", places=", ".join(areas)))
        return "; ".join(parts) or self.words.text("packs.scope_all")

    def measured(self, item: Item) -> str:
        """What its value is: an indicator, what schools declare, or nothing here."""
        if item.indicator:
            return self.words.known(f"indicator.{item.indicator}", item.indicator)
        if item.question:
            return question(self.words, item.question)
        return self.words.text("packs.outside")


def question(words: Words, id_: str) -> str:
    """A declared question."""
    known = BY_ID.get(id_)
    return id_ if known is None else words.known(known.text_key, id_)


def fault(words: Words, one: Fault) -> str:
    """What is wrong with a field."""
    return words.text(f"packs.fault.{one.reason}")


def changed(said: Said, changes: Sequence[Change], *sheets: Sheet | None) -> list[tuple[str, str, str]]:
    """Field, what it was and what it is, in words; rows are called as their packs call them."""
    names, units = dict[str, str](), dict[str, str]()
    for sheet in sheets:
        for row in getattr(sheet, "items", ()):
            names.setdefault(row.id, row.vi)
            units.setdefault(row.id, row.unit)
    called = [
        " › ".join(names.get(part) or _called(said.words, part) for part in one.path) for one in changes
    ]
    return [
        (path, _shown(said, one.path, one.before, units), _shown(said, one.path, one.after, units))
        for path, one in zip(called, changes, strict=True)
    ]


def _called(words: Words, part: str) -> str:
    return words.known(_FIELD.get(part, f"packs.field.{part}"), part)


def _shown(said: Said, path: tuple[str, ...], text: str | None, units: Mapping[str, str]) -> str:
    """A value of a pack as people write it; "" is none."""
    words, name = said.words, path[-1]
    if text is None:
        return ""
    if text in ("true", "false"):
        return words.text("yes" if text == "true" else "no")
    if name in ("unit", "better", "provisional"):
        return words.known(f"packs.{name}.{text}", text)
    if name in ("deadline", "date"):
        return said.day(date.fromisoformat(text))
    if name == "target" and len(path) > 1 and path[-2] in units:
        return said.amount(float(text), units[path[-2]])
    if name == "indicator":
        return words.known(f"indicator.{text}", text)
    return question(words, text) if name == "question" else text


def refused(words: Words, error: SheetError | VersionError, of: str = "packs") -> str:
    """Why a text can't be saved, in the reader's language; `of` says whose texts name fields: rules' too."""
    if isinstance(error, VersionError):
        return words.text(f"{of}.refused.{error.reason}", **error.values)
    if not error.where:
        return words.text("packs.sheet.yaml", what=error.what)
    return f"{_where(words, error.where, of)}: {_what(words, error.what)}"


def _where(words: Words, place: str, of: str) -> str:
    """`Chỉ tiêu, dòng 3, Hạn (items[2].deadline)` of `$.items[2].deadline`."""
    bare = place.removeprefix("$").lstrip(".")
    parts = [
        words.text("packs.row", number=int(number) + 1).lower()
        if number
        else words.known(f"{of}.field.{name}", name)
        for name, number in _PLACE.findall(bare)
        if name or number
    ]
    return f"{', '.join(parts)} ({bare})" if parts else words.text("packs.text")


def _what(words: Words, what: str) -> str:
    """The library's sentence in the reader's language, where it is one that comes up."""
    if found := re.search(r"missing required field `([^`]+)`", what):
        return f"{_named(words, found[1])}: {words.text('packs.sheet.missing')}"
    if found := re.search(r"unknown field `([^`]+)`", what):
        return f"{found[1]}: {words.text('packs.sheet.unknown')}"
    if found := re.search(r"Invalid enum value (.+)", what):
        return words.text("packs.sheet.choice", got=found[1].strip("'\""))
    if "matching regex" in what:
        return words.text("packs.sheet.pattern")
    if "of length >= 1" in what:
        return words.text("packs.sheet.length")
    if found := re.search(r"Expected `(?:float|int)` ([<>]=? ?[\d.]+)", what):
        return words.text("packs.sheet.range", expected=found[1])
    if (found := _EXPECTED.search(what)) and found[2]:
        told = words.text("packs.sheet.type", expected=_type(words, found[1]), got=_type(words, found[2]))
        hint = _hint(found[1], found[2])
        return f"{told}; {words.text(f'packs.write.{hint}')}" if hint else told
    return what


def _hint(expected: str, got: str) -> str:
    """How to write what was read as something else than was meant."""
    if got != "str":
        return "text" if expected.startswith("str") and got != "null" else ""
    if "bool" in expected:
        return "truth"
    return "number" if "int" in expected or "float" in expected else ""


def _named(words: Words, name: str) -> str:
    told = words.known(f"packs.field.{name}", "")
    return f"{told} ({name})" if told else name


def _type(words: Words, name: str) -> str:
    kinds = [kind.strip() for kind in name.split("|")]
    return " / ".join(words.known(f"packs.type.{kind}", kind) for kind in kinds if kind != "null")
