"""Settings of the desktop that an administrator made for everybody (dconf(7), the system's key files)."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from schoolwatch_agent.formats.settings_file import sections


class Database(msgspec.Struct, frozen=True):
    """One system database: path of a key → its GVariant text, and the paths that users can't change."""

    values: dict[str, str]
    locks: frozenset[str]


class Forced(msgspec.Struct, frozen=True):
    """A key that users can't change; without a value it stands as the desktop ships it."""

    value: str | None


def system_databases(profile: str) -> tuple[str, ...]:
    """Names in a profile (`system-db:local`), the first one first in rank."""
    return tuple(
        line.strip().partition(":")[2]
        for line in profile.splitlines()
        if line.strip().startswith("system-db:")
    )


def database(keyfiles: Iterable[str], locks: Iterable[str]) -> Database:
    """As `dconf update` compiles it: of several files the last in the alphabet wins."""
    values = {
        f"/{section}/{key}": value.strip()
        for text in keyfiles
        for section, pairs in sections(text).items()
        for key, value in pairs.items()
    }
    paths = (line.strip() for text in locks for line in text.splitlines())
    return Database(values, frozenset(path for path in paths if path.startswith("/")))


def forced(databases: Sequence[Database], key: str) -> Forced | None:
    """The key as it stands for everybody; None when each user sets it.

    The lowest database that locks a key decides: what stands above it, users' own included, is passed over.
    """
    for index in reversed(range(len(databases))):
        if any(
            key == lock or (lock.endswith("/") and key.startswith(lock)) for lock in databases[index].locks
        ):
            below = databases[index:]
            return Forced(next((one.values[key] for one in below if key in one.values), None))
    return None


def flag(value: str) -> bool | None:
    """GVariant's `true` and `false`."""
    return {"true": True, "false": False}.get(value)


def number(value: str) -> float | None:
    """GVariant's whole numbers, with or without their type: `uint32 300`, `300`."""
    found = re.fullmatch(r"(?:u?int(?:16|32|64) )?(\d{1,10})", value)
    return float(found[1]) if found else None
