"""What a table of lifecycles holds, how an operating system is found in it, and whether it is supported."""

from datetime import date
from typing import Annotated

import msgspec

from schoolwatch_server.strict_yaml import Confidence, Id, Title, Version


class Extended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Security updates beyond the usual end, for those who ordered or switched them on.

    `after_build` is the newest build that everybody could have (`19045.6466`): a computer of the same release
    with a newer one gets these updates. Without it a computer doesn't tell whether it does.
    """

    vi: Title
    en: Title
    ends: date
    document: Title
    confidence: Confidence
    after_build: Annotated[str, msgspec.Meta(pattern=r"^(\d{1,9}(\.\d{1,9})*)?$")] = ""


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One release: the beginning of `os.name`, `os.version` and editions (empty: all others).

    `ends` is the last day with security updates that everybody gets.
    """

    name: Title
    ends: date
    document: Title
    confidence: Confidence
    release: str = ""
    editions: tuple[str, ...] = ()
    extended: tuple[Extended, ...] = ()


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file; a higher version of the same id replaces it as a whole."""

    id: Id
    version: Version
    systems: tuple[System, ...]


Systems = tuple[System, ...]


def find(systems: Systems, name: str, release: str, edition: str | None) -> System | None:
    """The entry of an operating system; None when there is none, or when it hangs on an unknown edition."""
    named = [s for s in systems if name == s.name or name.startswith(f"{s.name} ")]
    longest = max((len(s.name) for s in named), default=0)
    mine = [s for s in named if len(s.name) == longest and s.release in ("", release)]
    if edition is None:
        return mine[0] if len({s.ends for s in mine}) == 1 else None
    listed = [s for s in mine if edition in s.editions]
    return next(iter(listed or [s for s in mine if not s.editions]), None)


def is_supported(system: System, build: str | None, today: date) -> bool | None:
    """Whether a computer with this entry gets security updates on a day in Vietnam.

    After the usual end its build (`os.build`) may show that it gets extended ones; None when that hangs on a
    build that is not known. An extension that no build shows is not counted.
    """
    if system.ends >= today:
        return True
    shown = [each for each in system.extended if each.after_build and each.ends >= today]
    if not shown:
        return False
    mine = _numbers(build)
    return None if mine is None else any(_gets(mine, each) for each in shown)


def _gets(build: tuple[int, ...], extended: Extended) -> bool:
    last = _numbers(extended.after_build) or ()
    return build[:1] == last[:1] and build > last


def _numbers(build: str | None) -> tuple[int, ...] | None:
    """`19045.6466` as numbers; None for a build without a revision or of another form."""
    parts = (build or "").split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        return None
    return tuple(map(int, parts))
