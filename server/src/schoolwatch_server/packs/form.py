"""A plan or a set of criteria as a form: it becomes a pack, or says which field is wrong. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import yaml

from schoolwatch_server.alphabet import plain
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.plan import Plan, Stage
from schoolwatch_server.packs.shapes import CRITERIA as CRITERIA
from schoolwatch_server.packs.shapes import PLAN as PLAN
from schoolwatch_server.packs.shapes import SHAPES as SHAPES
from schoolwatch_server.packs.shapes import Field, Rows
from schoolwatch_server.packs.shapes import Shape as Shape

Reason = Literal[
    "required",
    "not_a_day",
    "not_a_number",
    "ambiguous",
    "not_a_share",
    "negative",
    "no_choice",
    "no_rows",
    "too_many_rows",
    "too_long",
    "no_commune",
]
"""What is wrong with a field; keys of the text file `packs`."""

LENGTH_MAX = 2000
ROWS_MAX = 100
YEARS = range(1990, 2100)
"""Of a day in a plan: what lies outside is a slip of the hand."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that has to be put right: its name in the form (`items.2.deadline`) and what is wrong."""

    field: str
    reason: Reason


STAGES = get_args(Stage)

Given = Mapping[str, tuple[str, ...]]
"""What a form carries: by field, the values that were filled in or ticked."""


def read(shape: Shape, given: Given) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The pack that was filled in, without id and version, and what is wrong; empty rows are left out."""
    faults: list[Fault] = []
    data: dict[str, Any] = {"kind": shape.kind}
    for field in shape.head:
        _put(data, field.name, _value(field, "", given, faults))
    if en := _text(given, "en"):
        data["en"] = en
    _without_empty_levels(data)
    for rows in shape.rows:
        filled = numbers(rows, given)
        if len(filled) > ROWS_MAX:
            faults.append(Fault(rows.name, "too_many_rows"))
        data[rows.name] = [_row(rows, number, given, faults) for number in filled[:ROWS_MAX]]
    faults += (Fault(name, "too_long") for name in given if len(_text(given, name)) > LENGTH_MAX)
    if shape.kind == "plan" and not data["items"]:
        faults.append(Fault("items", "no_rows"))
    _name_items(data.get("items", []))
    return data, tuple(faults)


def numbers(rows: Rows, given: Given) -> list[int]:
    """The numbers of the rows in which something was written and that are not to be dropped."""
    found = {
        int(match[1]) for name in given if (match := re.fullmatch(rf"{rows.name}\.(\d{{1,3}})\.\w+", name))
    }
    return [number for number in sorted(found) if not _is_empty(rows, number, given)]


def values(shape: Shape, pack: Plan | Criteria) -> dict[str, tuple[str, ...]]:
    """What stands in the form of a pack that is there."""
    filled = dict(_written(shape.head, pack, "")) | {"en": (pack.en,)}
    for rows in shape.rows:
        for number, row in enumerate(getattr(pack, rows.name)):
            filled |= dict(_written(rows.fields, row, f"{rows.name}.{number}."))
            filled |= {f"{rows.name}.{number}.{name}": (getattr(row, name),) for name in rows.hidden}
    return filled


def to_yaml(data: Mapping[str, Any]) -> str:
    """The text of a pack that was filled in."""
    text: str = yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False, width=10_000)
    return text


def slug(text: str, most: int = 40) -> str:
    """A name for what people call so: `ke_hoach_12_kh_sgddt` of `Kế hoạch 12/KH-SGDĐT`."""
    word = re.sub(r"[^a-z0-9]+", "_", plain(text)).strip("_")[:most].strip("_")
    return word if word[:1].isalpha() else f"p_{word}".strip("_")


# --- reading -----------------------------------------------------------------------------------------------


def _row(rows: Rows, number: int, given: Given, faults: list[Fault]) -> dict[str, Any]:
    prefix = f"{rows.name}.{number}."
    row: dict[str, Any] = {name: text for name in rows.hidden if (text := _text(given, prefix + name))}
    for field in rows.fields:
        _put(row, field.name, _value(field, prefix, given, faults))
    return row


def _value(field: Field, prefix: str, given: Given, faults: list[Fault]) -> Any:
    """The value as the pack has it; None: it is left out."""
    name, text = prefix + field.name, _text(given, prefix + field.name)
    if field.kind == "stages":
        return [stage for stage in STAGES if stage in given.get(name, ())] or None
    if field.kind == "words":
        return [word for part in re.split(r"[;,\n]", text) if (word := part.strip())] or None
    if field.kind == "yes_no":
        return (text or field.first) == "true"
    if not text:
        if field.is_required:
            faults.append(Fault(name, "required"))
        return field.first or None
    reason: Reason | None = None
    value: Any = text
    if field.kind == "day":
        value = day(text)
        reason = None if value else "not_a_day"
    elif field.kind in ("number", "target"):
        value, reason = number(text, is_share=field.kind == "target" and _is_share(prefix, given))
    elif field.kind == "choice" and text not in field.choices:
        reason = "no_choice"
    if reason is not None:
        faults.append(Fault(name, reason))
        return None
    return value


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        return
    if name == "measured":  # an indicator, or a question that schools answer
        kind, _, what = str(value).partition(":")
        data["question" if kind == "q" else "indicator"] = what
    elif name == "indicator":
        data[name] = str(value).removeprefix("i:")
    elif "." in name:
        head, _, rest = name.partition(".")
        data.setdefault(head, {})[rest] = value
    else:
        data[name] = value


def _without_empty_levels(data: dict[str, Any]) -> None:
    """A rule of levels is there when somebody wrote a number or words of it."""
    levels = data.get("levels", {})
    if not {"basic", "good", "clause"} & set(levels):
        data.pop("levels", None)


def _name_items(items: list[dict[str, Any]]) -> None:
    used = {item["id"] for item in items if "id" in item}
    for item in items:
        if "id" not in item:
            word = slug(str(item.get("vi", ""))) or "item"
            item["id"] = next(
                name for name in (word, *(f"{word}_{n}" for n in range(2, ROWS_MAX + 2))) if name not in used
            )
            used.add(item["id"])


def day(text: str) -> date | None:
    """A day as a browser or a person writes it: `2027-12-31`, `31/12/2027`."""
    local = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text)
    try:
        found = date(int(local[3]), int(local[2]), int(local[1])) if local else date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def number(text: str, *, is_share: bool) -> tuple[float | None, Reason | None]:
    """`80`, `80 %`, `0,5`, `1.000,5`, `1.000.000`; of a share what is written is percent.

    `1.000` is a thousand to one reader and one to another: nobody guesses.
    """
    plain_text = re.sub(r"[\s%]", "", text)
    if re.fullmatch(r"-?[1-9]\d{0,2}(\.\d{3}|,000)", plain_text):
        return None, "ambiguous"
    if "," in plain_text or plain_text.count(".") > 1:
        if not re.fullmatch(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", plain_text):
            return None, "not_a_number"
        plain_text = plain_text.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", plain_text):
        return None, "not_a_number"
    value = float(plain_text)
    if value < 0:
        return None, "negative"
    if not is_share:
        return value, None
    return (None, "not_a_share") if value > 100 else (round(value / 100, 8), None)


def _is_share(prefix: str, given: Given) -> bool:
    return (_text(given, prefix + "unit") or "ratio") == "ratio"


def _is_empty(rows: Rows, number: int, given: Given) -> bool:
    prefix = f"{rows.name}.{number}."
    if _text(given, prefix + "drop") == "true":
        return True
    written = (f for f in rows.fields if f.kind not in ("choice", "yes_no", "stages", "measured"))
    return not any(_text(given, prefix + field.name) for field in written)


def _text(given: Given, name: str) -> str:
    found = given.get(name, ("",))
    return found[0].strip() if found else ""


# --- writing -----------------------------------------------------------------------------------------------


def _written(fields: tuple[Field, ...], of: Any, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for field in fields:
        value = of
        for part in field.name.split("."):
            value = None if value is None else getattr(value, part, None)
        yield prefix + field.name, _shown(field, of, value)


def _shown(field: Field, of: Any, value: Any) -> tuple[str, ...]:
    if field.name == "measured":
        named = f"i:{of.indicator}" if of.indicator else f"q:{of.question}" if of.question else ""
        return (named,)
    if field.kind == "measured":
        return (f"i:{value}" if value else "",)
    if value is None:
        return ("",)
    if field.kind == "stages":
        return tuple(value)
    if field.kind == "words":
        return (", ".join(value),)
    if field.kind == "yes_no":
        return ("true" if value else "false",)
    if field.kind in ("number", "target"):
        scaled = value * 100 if field.kind == "target" and of.unit == "ratio" else value
        return (f"{scaled:.6f}".rstrip("0").rstrip(".").replace(".", ","),)
    return (f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value),)
