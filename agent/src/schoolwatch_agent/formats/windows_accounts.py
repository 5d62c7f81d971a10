"""Accounts of a Windows machine in numbers: UAC, screen lock, password rules, who is administrator.

Sources: the registry (UAC: ConsentPromptBehaviorAdmin 0 to 5, Microsoft's "User Account Control Group
Policy and registry key settings"; Winlogon's AutoAdminLogon), ADSI's WinNT provider for the password rules
(seconds; the largest number is "never") and Win32_UserAccount. `net accounts` is not read: it has the
machine's language. No name of an account is asked for.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim, windows_users
from schoolwatch_agent.formats.registry import Value, Values, why
from schoolwatch_contract.records import Fact, Reading

_POLICY: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
MACHINE: Final = {
    "EnableLUA": (_POLICY, "EnableLUA"),
    "ConsentPromptBehaviorAdmin": (_POLICY, "ConsentPromptBehaviorAdmin"),
    "InactivityTimeoutSecs": (_POLICY, "InactivityTimeoutSecs"),
    "AutoAdminLogon": (r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon", "AutoAdminLogon"),
}
"""Values below HKEY_LOCAL_MACHINE: key and name."""

_PROMPTS: Final = (
    "without asking",
    "password on the secure desktop",
    "consent on the secure desktop",
    "password",
    "consent",
    "consent for other makers' programs",
)
_FOREVER: Final = (-1, 2**32 - 1)
_COUNTS: Final = {
    "accounts.enabled": "enabled",
    "accounts.administrators": "administrators",
    "accounts.other_administrators": "others_in_administrators",
    "accounts.without_password": "without_password",  # nosec B105 # the name of a reading
}
_FLAGS: Final = {
    "accounts.guest_enabled": "guest_enabled",
    "accounts.builtin_administrator_enabled": "builtin_administrator_enabled",
}


def parse(machine: Values, found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """All of it; a part that did not answer is unknown, with the reason in `accounts.source`."""
    uac = cim.flag(machine.get("EnableLUA"))
    yield Reading("accounts.uac", None if uac is None else float(uac))
    yield _source("uac", why(machine.get("EnableLUA")) if uac is None else "")
    prompt = cim.whole(machine.get("ConsentPromptBehaviorAdmin"))
    known = prompt is not None and prompt < len(_PROMPTS)
    yield Fact(
        "accounts.uac_prompt",
        _PROMPTS[prompt] if prompt is not None and known else None,
        {},
        "" if known else why(machine.get("ConsentPromptBehaviorAdmin")),
    )
    yield from _auto_login(machine.get("AutoAdminLogon"))
    yield from _lock(machine, found)
    yield from _password(found)
    yield from _counts(found)


def _auto_login(value: Value) -> Iterator[Reading | Fact]:
    """Winlogon logs in by itself for "1" alone; without the value it does not."""
    on = False if value is None else cim.flag(value)
    yield Reading("accounts.auto_login", None if on is None else float(on))
    yield _source("auto_login", why(value) if on is None else "")


def _lock(machine: Values, found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """After which time without input the screen locks: for all users, and by their screen savers' policy."""
    seconds = cim.whole(machine.get("InactivityTimeoutSecs"))
    yield from _locks("machine", {seconds}, why(machine.get("InactivityTimeoutSecs")))
    users, reason = windows_users.users(found)
    yield from _locks("screen saver", {_saver(user) for user in users}, reason)


def _locks(source: str, found: set[int | None], reason: str) -> Iterator[Reading | Fact]:
    """The longest time of all users; 0 is never."""
    labels = {"source": source}
    known = bool(found) and None not in found
    times = {seconds for seconds in found if seconds is not None}
    locks = known and 0 not in times
    yield Reading("accounts.screen_lock_timeout", float(max(times)) if locks else None, labels)
    state = None if not known else "on" if locks else "off"
    yield Fact("accounts.screen_lock", state, labels, "" if known else reason)


def _saver(user: dict[str, Any]) -> int | None:
    active, secure = cim.flag(user.get("ScreenSaveActive")), cim.flag(user.get("ScreenSaverIsSecure"))
    if False in (active, secure):
        return 0
    return cim.whole(user.get("ScreenSaveTimeOut")) if active and secure else None


def _password(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    rows, reason = cim.part(found, "password")
    rules = next(iter(rows), {})
    yield _source("password rules", reason if not rows else "")
    yield Reading("accounts.password_min_length", cim.number(rules.get("MinPasswordLength")))
    yield Reading("accounts.password_history", cim.number(rules.get("PasswordHistoryLength")))
    yield Reading("accounts.lockout_threshold", cim.number(rules.get("MaxBadPasswordsAllowed")))
    age = rules.get("MaxPasswordAge")
    seconds = cim.number(age)
    expires = 0.0 if age in _FOREVER else None if seconds is None else 1.0
    yield Reading("accounts.password_expires", expires)
    yield Reading("accounts.password_max_age", seconds)


def _counts(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    rows, reason = cim.part(found, "accounts")
    counts = next(iter(rows), {})
    yield _source("accounts", reason if not rows else "")
    for metric, name in _COUNTS.items():
        number = cim.whole(counts.get(name))
        yield Reading(metric, None if number is None else float(number))
    for metric, name in _FLAGS.items():
        on = cim.flag(counts.get(name))
        yield Reading(metric, None if on is None else float(on))


def _source(source: str, reason: str) -> Fact:
    return Fact("accounts.source", None if reason else "answered", {"source": source}, reason)
