"""What a table of lifecycles holds, and how an operating system is found in it."""

from datetime import date

import msgspec

from schoolwatch_server.strict_yaml import Confidence, Id, Title, Version


class Extended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Security updates beyond the usual end, for those who ordered or switched them on."""

    vi: Title
    en: Title
    ends: date
    document: Title
    confidence: Confidence


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
