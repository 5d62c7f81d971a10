"""Which fields of what Grafana holds differ from what it should hold. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_NAMES: Final = ("title", "name", "refId", "uid")
"""What tells people apart the members of a list, best first."""

_SHOWN: Final = 70
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field, by its way through the document, with its value there and its value here."""

    field: str
    held: Any
    wanted: Any

    def __str__(self) -> str:
        """`panels[IPv6].unit: "short" → "percentunit"`."""
        return f"{self.field}: {_short(self.held)} → {_short(self.wanted)}"


def changes(wanted: Any, held: Any, field: str = "") -> Iterator[Change]:
    """What has to become of `held`, so that it says everything that `wanted` says.

    Fields that only Grafana names are left alone: it adds ids, versions and defaults of its own, others in
    each release. An empty field is the same as none, because Grafana leaves those out.
    """
    if isinstance(wanted, Mapping) and isinstance(held, Mapping):
        for key, value in wanted.items():
            yield from changes(value, held.get(key), f"{field}.{key}" if field else key)
    elif _is_list(wanted) and _is_list(held) and len(wanted) == len(held):
        for number, (one, other) in enumerate(zip(wanted, held, strict=True)):
            yield from changes(one, other, f"{field}[{_called(one, number)}]")
    elif wanted != held and not (_is_empty(wanted) and _is_empty(held)):
        yield Change(field, held, wanted)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", 0, [], {})


def _called(one: Any, number: int) -> str:
    named = (one.get(name) for name in _NAMES) if isinstance(one, Mapping) else ()
    return next((name for name in named if isinstance(name, str) and name), str(number))


def _short(value: Any) -> str:
    if _is_list(value) and len(value) > 1:
        return f"[{len(value)}]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
