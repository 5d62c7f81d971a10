"""What a new version of a pack or rule changes, field by field. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

_UNTOLD = {"version", "kind", "id"}


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is another one now: its path (`items`, `lan`, `target`), what it was and what it is.

    None: it was not there, or is not any more.
    """

    path: tuple[str, ...]
    before: str | None
    after: str | None


def changes(old: msgspec.Struct | None, new: msgspec.Struct) -> tuple[Change, ...]:
    """All of them, in the order of the new version, then what was dropped."""
    before = {} if old is None else dict(_flat(msgspec.to_builtins(old)))
    after = dict(_flat(msgspec.to_builtins(new)))
    found = [Change(path, before.get(path), text) for path, text in after.items() if before.get(path) != text]
    found += [Change(path, text, None) for path, text in before.items() if path not in after]
    return tuple(found)


def _flat(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The fields with something in them; rows of a list go by id or code, not by place."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name not in _UNTOLD:
                yield from _flat(value, (*path, str(name)))
    elif isinstance(data, list | tuple) and any(isinstance(one, dict) for one in data):
        for place, one in enumerate(data, 1):
            name = one.get("id") or one.get("code") or str(place)
            yield from _flat(one, (*path, str(name)))
    elif isinstance(data, list | tuple):
        if data:
            yield path, ", ".join(map(str, data))
    elif data is not None and data != "":
        yield path, ("true" if data else "false") if isinstance(data, bool) else f"{data}"
