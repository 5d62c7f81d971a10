"""How Linux guards accounts: PAM's stacks, login.defs, pwquality, faillock, passwd, group and shadow."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood

_UNIX_LENGTH: Final = 6
_QUALITY_LENGTH: Final = 8
_QUALITY_FLOOR: Final = 6
"""Defaults of pam_unix(8) and pwquality.conf(5), and the length below which pwquality never goes."""

_CRACKLIB_LENGTH: Final = 9
_DENY: Final = 3
"""Wrong passwords after which pam_faillock(8) locks, when it is not told otherwise."""

_NEVER: Final = 99_999
"""Days that stand for "never" in login.defs(5) since long ago."""

_DAY: Final = 86_400.0
_ADMINISTRATORS: Final = frozenset({"sudo", "wheel", "admin"})
"""Groups that sudo's configuration lets do everything: Debian's, Red Hat's, and Ubuntu's of before 12.04."""

_FIRST, _LAST = 1000, 60_000
"""UID_MIN and UID_MAX of login.defs(5): below are services, above containers and nobody."""

_NO_LOGIN: Final = ("/nologin", "/false", "/sync", "/shutdown", "/halt")


class Module(msgspec.Struct, frozen=True):
    """One line of a PAM stack (pam.d(5)): the module's name and its arguments."""

    name: str
    arguments: dict[str, str]


def stack(pam: str, kind: str) -> tuple[Module, ...]:
    """The modules of one kind (`auth`, `password`), in order; `-auth` is one that may be missing.

    Raises `NotUnderstood` where another file is included: what is in there is not known.
    """
    modules = []
    for line in _settings(pam):
        found = re.fullmatch(r"-?(\w+)\s+(\[[^\]]*\]|\w+)\s+(\S+)(.*)", line)
        if found is None or (found[1] == kind and found[2] in ("include", "substack")):
            raise NotUnderstood("not a module of PAM", line)
        if found[1] == kind:
            pairs = (argument.partition("=") for argument in found[4].split())
            modules.append(Module(found[3].rpartition("/")[2], {key: value for key, _, value in pairs}))
    return tuple(modules)


def options(config: str) -> dict[str, str]:
    """`minlen = 10` (pwquality.conf), `deny=5` (faillock.conf), `PASS_MAX_DAYS 90` (login.defs)."""
    found = {}
    for line in _settings(config):
        if not re.match(r"[A-Za-z]", line):
            raise NotUnderstood("not a setting", line)
        key, *value = re.split(r"\s*=\s*|\s+", line, maxsplit=1)
        found[key] = value[0] if value else ""
    return found


def _settings(text: str) -> Iterator[str]:
    for line in text.splitlines():
        told = line.partition("#")[0].strip()
        if told:
            yield told


def min_length(modules: Sequence[Module], quality: dict[str, str]) -> float:
    """The least length that changing a password asks for; `quality` is pwquality's merged configuration."""
    lengths = []
    for module in modules:
        told = module.arguments.get("minlen")
        if module.name == "pam_pwquality.so":
            length = _whole(told or quality.get("minlen"), _QUALITY_LENGTH)
            lengths.append(max(length, _QUALITY_FLOOR))
        elif module.name == "pam_cracklib.so":
            lengths.append(max(_whole(told, _CRACKLIB_LENGTH), _QUALITY_FLOOR))
        elif module.name == "pam_unix.so":
            lengths.append(_whole(told, _UNIX_LENGTH))
    if not lengths:
        raise NotUnderstood("no module that sets passwords", [module.name for module in modules])
    return float(max(lengths))


def max_age(login_defs: dict[str, str]) -> float:
    """Seconds after which a new account's password expires (login.defs(5)); 0 is never."""
    days = _whole(login_defs.get("PASS_MAX_DAYS"), -1)
    return 0.0 if days < 0 or days >= _NEVER else days * _DAY


def lockout(modules: Sequence[Module], faillock: dict[str, str]) -> float:
    """Wrong passwords after which an account is locked (pam_faillock(8), pam_tally2(8)); 0 is never."""
    for module in modules:
        told = module.arguments.get("deny")
        if module.name == "pam_faillock.so":
            return float(_whole(told or faillock.get("deny"), _DENY))
        if module.name in ("pam_tally2.so", "pam_tally.so") and told is not None:
            return float(_whole(told, 0))
    return 0.0


def _whole(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise NotUnderstood("not a whole number", text)
    return int(text)


def _rows(table: str, least: int) -> Iterator[list[str]]:
    for line in table.splitlines():
        fields = line.split(":")
        if line.startswith(("+", "-")) or not line.strip():
            continue  # NIS
        if len(fields) < least:
            raise NotUnderstood("not a row of accounts", len(fields))  # the row itself names somebody
        yield fields


def enabled(passwd: str) -> float:
    """Local accounts of people, by their numbers, with a login shell."""
    people = (row for row in _rows(passwd, 7) if re.fullmatch(r"\d{4,5}", row[2]) and _logs_in(row))
    return float(sum(1 for row in people if _FIRST <= int(row[2]) <= _LAST))


def administrators(passwd: str, group: str) -> float:
    """Local accounts that may administer the machine: members of sudo's groups, and others of user id 0.

    root itself is not counted, nor an account without a login shell.
    """
    people = {row[0]: row for row in _rows(passwd, 7)}
    found = {name for name, row in people.items() if row[2] == "0"} | _members(people, group)
    return float(sum(1 for name in found - {"root"} if name in people and _logs_in(people[name])))


def other_administrators(passwd: str, group: str) -> float:
    """Members of sudo's groups that are no local accounts: those of a directory."""
    people = {row[0]: row for row in _rows(passwd, 7)}
    return float(len(_members(people, group) - people.keys()))


def _members(people: dict[str, list[str]], group: str) -> set[str]:
    found: set[str] = set()
    for row in _rows(group, 4):
        if row[0] in _ADMINISTRATORS:
            found |= {name for name in row[3].split(",") if name}
            found |= {name for name, of in people.items() if of[3] == row[2]}
    return found


def without_password(passwd: str, shadow: str) -> float:
    """Local accounts with a login shell whose password is empty (shadow(5))."""
    people = {row[0]: row for row in _rows(passwd, 7)}
    empty = {row[0] for row in _rows(shadow, 2) if row[1] == ""}
    return float(sum(1 for name in empty if name in people and _logs_in(people[name])))


def _logs_in(row: list[str]) -> bool:
    return not row[6].strip().endswith(_NO_LOGIN)
