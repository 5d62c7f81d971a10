"""Reads a YAML file into a frozen record, and says exactly what is wrong in which file when it can't."""

import math
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

T = TypeVar("T")

SIZE_MAX = 256 * 1024
"""Bytes; a longer file is not a pack or a rule."""

Confidence = Literal["V-seed", "V-law", "V-2nd", "U", "P", "NF"]
"""How sure a number or clause is; the documentation of packs explains each tag."""

ENDS = r"$(?!\n)"
"""The end of a pattern for `msgspec`: `$` alone also matches before a line break at the end."""

Id = Annotated[str, msgspec.Meta(pattern=rf"^[a-z][a-z0-9_]{{0,59}}{ENDS}")]
Version = Annotated[int, msgspec.Meta(ge=1)]
Title = Annotated[str, msgspec.Meta(min_length=1)]


class SheetError(ValueError):
    """A pack or rule can't be used; the text names the file and the key, and says what to do.

    `where` is the key alone (`$.items[2].deadline`) and `what` what is wrong with it, for a page that says
    both in its reader's language; empty when the file as a whole is wrong.
    """

    def __init__(self, text: str, *, where: str = "", what: str = "") -> None:
        super().__init__(text)
        self.where = where
        self.what = what or text


_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
"""Signs that no page, file or database can hold, or that turn the words around them.

The text itself can't have most of them, but a quoted one may write them as `\\uD800`.
"""


class _Loader(yaml.SafeLoader):
    """YAML without repeated keys: the second would silently replace the first. And without hidden signs.

    What is a number and what is true or false goes by YAML 1.2, without its numbers of other bases: in 1.1
    `1:30` was 90, `010` 8, and `no` and `on` were no texts.
    """

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        value = super().construct_scalar(node)
        found = _UNSHOWABLE.search(value)
        if found:
            problem = f"U+{ord(found[0]):04X} is no sign that can be shown: take it out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for name, _ in node.value:
            word = name.value if isinstance(name, yaml.ScalarNode) else ""
            if word in seen:
                raise yaml.MarkedYAMLError(problem=f"{word!r} is written twice", problem_mark=name.start_mark)
            seen.add(word)
        return super().construct_mapping(node, deep)

    def construct_day(self, node: yaml.ScalarNode) -> Any:
        """A day that there is, or where in the text the one stands that there is not."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError as error:
            problem = f"{node.value!r} is no day: {error}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


_TAG = "tag:yaml.org,2002:"
_OLD = frozenset(_TAG + name for name in ("bool", "int", "float"))
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag not in _OLD]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_WHOLE = r"(?:0|[1-9][0-9]*)"
for _name, _form, _firsts in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("int", rf"[-+]?{_WHOLE}", "-+0123456789"),
    (
        "float",
        rf"(?:[-+]?(?:{_WHOLE}?\.[0-9]+|{_WHOLE}\.|{_WHOLE}(?:\.[0-9]*)?[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN))",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"{_form}\Z"), list(_firsts))
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_day)


def read(path: Path, kind: type[T]) -> T:
    """The file as a `kind`; raises `SheetError` for anything that is not exactly that."""
    return parse(content(path), path, kind)


def content(path: Path) -> bytes:
    """What stands in the file; raises `SheetError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path}: can't be read ({error.strerror}): check the path and its mode") from error


def parse(raw: bytes, path: Path, kind: type[T]) -> T:
    """As `read`, of bytes that came from `path`."""
    return convert(load(raw, path), path, kind)


def load(raw: bytes, path: Path) -> Any:
    """What the YAML of `path` holds, whatever that is; raises `SheetError` when it is none."""
    if len(raw) > SIZE_MAX:
        raise SheetError(f"{path}: is over {SIZE_MAX} bytes: no pack or rule is that long")
    try:
        return yaml.load(raw.decode("utf-8"), _Loader)  # nosec B506 # noqa: S506  a SafeLoader that also refuses repeats
    except UnicodeDecodeError as error:
        raise SheetError(f"{path}: is not UTF-8 text: save it as UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        detail = " ".join(str(error).split())[:200]
        raise SheetError(f"{path}: is not YAML: {detail}", what=detail) from error


def convert(data: Any, path: Path, kind: type[T]) -> T:
    """What was loaded from `path` as a `kind`; raises `SheetError` naming the key that is wrong."""
    try:
        sheet = msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        where, what, todo = _place(str(error), data)
        raise SheetError(f"{path}: {where}: {what}: {todo}", where=where, what=what) from error
    except (TypeError, RecursionError) as error:
        raise SheetError(f"{path}: holds something that is no text, number, list or mapping") from error
    _finite(msgspec.to_builtins(sheet), path, "$")
    return sheet


def files(folder: Path) -> tuple[Path, ...]:
    """The YAML files of a folder in order of name; none when there is no such folder."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file()))


_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def _value(data: Any, where: str) -> str:
    """What stands at a place, as somebody typed it; empty where that can't be told."""
    for name, number in _STEP.findall(where):
        try:
            data = data[int(number)] if number else data[name]
        except (LookupError, TypeError):
            return ""
    return str(data)[:40] if isinstance(data, str | int | float | date) else ""


def _hint(what: str, value: str) -> str:
    """What to do where a text is read as something else, or the other way round; or nothing."""
    found = _EXPECTED.search(what)
    if found is None or not value:
        return ""
    expected, got = found.groups()
    if got == "str" and "bool" in expected:
        return f"{value} is a text: write true or false"
    if got == "str" and ("int" in expected or "float" in expected):
        return f"{value} is a text: write a plain number such as 90, without : or _ and without a 0 before it"
    if expected.startswith("str") and got in ("int", "float", "bool", "date", "datetime"):
        return f"put it in quotes, as '{value}'"
    return ""


def _place(message: str, data: Any) -> tuple[str, str, str]:
    text, at, path = message.rpartition(" - at `")
    what, where = (text, path.rstrip("`")) if at else (message, "$")
    todo = "remove or correct the key" if "unknown field" in what else "correct the value"
    return where, what, _hint(what, _value(data, where)) or todo


def _finite(data: Any, path: Path, where: str) -> None:
    if isinstance(data, float) and not math.isfinite(data):
        what = f"{data} is not a number that can be compared"
        raise SheetError(f"{path}: {where}: {what}: correct the value", where=where, what=what)
    if isinstance(data, dict):
        for name, value in data.items():
            _finite(value, path, f"{where}.{name}")
    elif isinstance(data, list | tuple):
        for place, value in enumerate(data):
            _finite(value, path, f"{where}[{place}]")
