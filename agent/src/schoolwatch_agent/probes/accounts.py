"""Accounts, in rules and counts only: who is administrator or logs in is never asked for.

On Linux the rules are those that PAM applies when a password is set or tried. A screen lock counts when an
administrator has fixed it for everybody; what each user sets is unknown. Empty passwords take root to count.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from schoolwatch_agent import asked, desktop
from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import dconf, linux_accounts, settings_file, windows_accounts
from schoolwatch_agent.formats.dconf import Database
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading

_PASSWORD_STACKS: Final = ("/etc/pam.d/common-password", "/etc/pam.d/system-auth")
_AUTH_STACKS: Final = ("/etc/pam.d/common-auth", "/etc/pam.d/system-auth")
"""Debian's and Red Hat's."""

_QUALITY: Final = "/etc/security/pwquality.conf"
_FAILLOCK: Final = "/etc/security/faillock.conf"

_MANAGERS: Final = (
    ("/etc/lightdm/lightdm.conf", ("/usr/share/lightdm/lightdm.conf.d", "/etc/lightdm/lightdm.conf.d")),
    ("/etc/gdm3/daemon.conf", ()),
    ("/etc/gdm3/custom.conf", ()),
    ("/etc/gdm/custom.conf", ()),
    ("/etc/sddm.conf", ("/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d")),
)
"""Display managers: their own file, which counts last, and folders that are read before it."""


_MINUTE: Final = 60.0
_LOCKS: Final = {
    "gnome": ("/org/gnome/desktop/session/idle-delay", "/org/gnome/desktop/screensaver", 1.0, 1.0),
    "cinnamon": ("/org/cinnamon/desktop/session/idle-delay", "/org/cinnamon/desktop/screensaver", 1.0, 1.0),
    "mate": ("/org/mate/session/idle-delay", "/org/mate/screensaver", _MINUTE, _MINUTE),
}
"""Idle time, the folder of lock-enabled and lock-delay, and the units of both, in seconds (the schemas)."""


def screen_lock(desktops: frozenset[str], databases: tuple[Database, ...]) -> float | None:
    """Seconds without a touch until the screen is locked on each of the desktops; 0 is never, on one of them.

    None when somebody can set it otherwise: only what is locked with a value is known.
    """
    times = [_lock_time(databases, name) for name in desktops]
    if 0.0 in times:
        return 0.0
    return None if None in times else max((time for time in times if time is not None), default=None)


def _lock_time(databases: tuple[Database, ...], name: str) -> float | None:
    if name not in _LOCKS:
        return None
    idle_key, folder, idle_unit, delay_unit = _LOCKS[name]
    if _value(databases, f"{folder}/lock-enabled", dconf.flag) is False:
        return 0.0
    idle = _value(databases, idle_key, dconf.number)
    if idle == 0:
        return 0.0
    delay = _value(databases, f"{folder}/lock-delay", dconf.number)
    enabled = dconf.forced(databases, f"{folder}/lock-enabled") is not None  # true as shipped
    return idle * idle_unit + delay * delay_unit if enabled and idle and delay is not None else None


def _value(databases: tuple[Database, ...], key: str, read: Callable[[str], float | None]) -> float | None:
    fixed = dconf.forced(databases, key)
    return None if fixed is None or fixed.value is None else read(fixed.value)


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values and one script's parts, or the files of PAM, the accounts and the desktop."""
    if host.system == "windows":
        machine = asked.values(host, windows_accounts.MACHINE)
        yield from windows_accounts.parse(machine, asked.posture(host))
        return
    for name, look in _SETTINGS.items():
        value, reason = _try(look, host)
        yield Reading(f"accounts.{name}", value)
        yield _source(name, reason)
    yield from _max_age(host)
    yield from _auto_login(host)
    yield from _screen_lock(host)


def _try(look: Callable[[Host], float], host: Host) -> tuple[float | None, str]:
    """One setting that may not be read leaves the others."""
    try:
        return look(host), ""
    except PermissionError:
        return None, "not permitted"
    except FileNotFoundError:
        return None, "not reported"
    except TimedOut:
        return None, "timeout"
    except NotUnderstood:
        return None, "not understood"


def _source(name: str, reason: str) -> Fact:
    return Fact("accounts.source", None if reason else "answered", {"source": name}, reason)


def _min_length(host: Host) -> float:
    modules = linux_accounts.stack(_first(host, _PASSWORD_STACKS), "password")
    quality: dict[str, str] = {}
    if any(module.name == "pam_pwquality.so" for module in modules):
        for path in (*_conf_files(host, f"{_QUALITY}.d"), _QUALITY):
            quality |= linux_accounts.options(_if_there(host, path))
    return linux_accounts.min_length(modules, quality)


def _max_age(host: Host) -> Iterator[Reading | Fact]:
    """0 of the format stands for "never": then there is no age, and passwords do not expire."""
    age, reason = _try(
        lambda host: linux_accounts.max_age(linux_accounts.options(host.text("/etc/login.defs"))), host
    )
    yield Reading("accounts.password_expires", None if age is None else float(age > 0))
    if age != 0:
        yield Reading("accounts.password_max_age", age)
    yield _source("password_max_age", reason)


def _lockout(host: Host) -> float:
    modules = linux_accounts.stack(_first(host, _AUTH_STACKS), "auth")
    return linux_accounts.lockout(modules, linux_accounts.options(_if_there(host, _FAILLOCK)))


def _screen_lock(host: Host) -> Iterator[Reading | Fact]:
    """Nothing without a graphical session."""
    found = desktop.desktops(host)
    if not found:
        return
    time = screen_lock(found, desktop.databases(host))
    labels = {"source": "machine"}
    yield Reading("accounts.screen_lock_timeout", time or None, labels)
    state = None if time is None else "on" if time else "off"
    yield Fact("accounts.screen_lock", state, labels, "" if state else "each user sets it")


def _enabled(host: Host) -> float:
    return linux_accounts.enabled(host.text("/etc/passwd"))


def _administrators(host: Host) -> float:
    return linux_accounts.administrators(host.text("/etc/passwd"), host.text("/etc/group"))


def _other_administrators(host: Host) -> float:
    return linux_accounts.other_administrators(host.text("/etc/passwd"), host.text("/etc/group"))


def _without_password(host: Host) -> float:
    return linux_accounts.without_password(host.text("/etc/passwd"), host.text("/etc/shadow"))


def _auto_login(host: Host) -> Iterator[Reading | Fact]:
    """One of the display managers is enough; which of several runs is not looked at. Nothing without any."""
    with suppress(PermissionError):  # what may not be looked at may be there: the look below says why
        if not any(host.exists(path) for own, folders in _MANAGERS for path in (own, *folders)):
            return
    said, reason = _try(lambda host: float(any(_logs_in(host, *one) for one in _MANAGERS)), host)
    yield Reading("accounts.auto_login", said)
    yield _source("auto_login", reason)


def _logs_in(host: Host, own: str, folders: tuple[str, ...]) -> bool:
    files = [*(file for folder in folders for file in _conf_files(host, folder)), own]
    answers = [settings_file.autologin(_if_there(host, file)) for file in files]
    return next((answer for answer in reversed(answers) if answer is not None), False)


_SETTINGS: Final[dict[str, Callable[[Host], float]]] = {
    "password_min_length": _min_length,
    "lockout_threshold": _lockout,
    "enabled": _enabled,
    "administrators": _administrators,
    "other_administrators": _other_administrators,
    "without_password": _without_password,
}


def _first(host: Host, paths: tuple[str, ...]) -> str:
    return host.text(next((path for path in paths if host.exists(path)), paths[0]))


def _if_there(host: Host, path: str) -> str:
    try:
        return host.text(path)
    except FileNotFoundError:  # everything is as shipped
        return ""


def _conf_files(host: Host, folder: str) -> list[str]:
    try:
        return [f"{folder}/{name}" for name in host.names(folder) if name.endswith(".conf")]
    except (FileNotFoundError, NotADirectoryError):
        return []
