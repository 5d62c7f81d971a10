"""Which desktops a machine has, and what of their settings an administrator has fixed for everybody.

What each user sets for themselves is not looked at: it is theirs, and other users' files may not be read.
"""

from collections.abc import Iterator
from typing import Final

from schoolwatch_agent.formats import dconf
from schoolwatch_agent.formats.dconf import Database
from schoolwatch_agent.host import Host

_SESSIONS: Final = ("/usr/share/xsessions", "/usr/share/wayland-sessions")
_NAMES: Final = {"gnome": "gnome", "ubuntu": "gnome", "mate": "mate", "cinnamon": "cinnamon"}
"""How the names of session files begin, and whose desktop they start; all others are `other`."""

_PROFILE: Final = "/etc/dconf/profile/user"
_DATABASES: Final = "/etc/dconf/db"


def desktops(host: Host) -> frozenset[str]:
    """`gnome`, `mate`, `cinnamon`, `other`; none on a machine without a graphical session."""
    files = [name for folder in _SESSIONS for name in _names(host, folder) if name.endswith(".desktop")]
    return frozenset(
        next((desktop for begin, desktop in _NAMES.items() if name.startswith(begin)), "other")
        for name in files
    )


def databases(host: Host) -> tuple[Database, ...]:
    """The system's databases in the order of the users' profile. OSError for a file that can't be read."""
    if not host.exists(_PROFILE):
        return ()
    return tuple(
        dconf.database(_texts(host, f"{_DATABASES}/{name}.d"), _texts(host, f"{_DATABASES}/{name}.d/locks"))
        for name in dconf.system_databases(host.text(_PROFILE))
        if host.exists(f"{_DATABASES}/{name}")  # before `dconf update` nothing of it counts
    )


def _texts(host: Host, folder: str) -> Iterator[str]:
    for name in _names(host, folder):
        if name != "locks" and not name.startswith("."):
            yield host.text(f"{folder}/{name}")


def _names(host: Host, folder: str) -> tuple[str, ...]:
    try:
        return host.names(folder)
    except (FileNotFoundError, NotADirectoryError):
        return ()
