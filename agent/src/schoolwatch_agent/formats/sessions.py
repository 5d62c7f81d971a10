"""How long ago somebody last typed or moved the mouse at this computer; who that is, is never read.

Linux: logind's hints (org.freedesktop.login1(5), `loginctl show-session`). A graphical desktop sets the
hint itself; those of the GNOME family do (gnome-session), others leave it unset for ever. For a text
console logind looks at the terminal.
Windows: WTSINFOEX_LEVEL1_W of each session (wtsapi32.h). GetLastInputInfo, which is told everywhere, knows
only the session that asks, and a service asks from session 0, where nobody sits. Microsoft documents
LastInputTime and no exception; others report consoles for which it is 0, always the time of the question, or
a minute late. The first two are not told; what is late by less than a cycle does no harm.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim

NOBODY: Final = math.inf
"""Seconds since the last input where nobody is logged in."""

_SETS_THE_HINT: Final = ("gnome", "ubuntu", "cinnamon", "mate")
_GRAPHICAL: Final = ("x11", "wayland", "mir")
_ACTIVE: Final = 0
"""WTS_CONNECTSTATE_CLASS: WTSActive, somebody is logged in and the session is shown."""

_LEVEL1: Final = struct.Struct("<I4xIIi66x42x36x4x5q")
"""Level and alignment; SessionId, SessionState, SessionFlags; three names, skipped; LogonTime, ConnectTime,
DisconnectTime, LastInputTime, CurrentTime in units of 100 ns since 1601."""


def linux(shown: str, now: float) -> tuple[float, str]:
    """Seconds since the last input that is told of (`NOBODY`), from properties in blocks of `Key=value`.

    With the reason when a session that somebody sits at does not tell: somebody may be busy there.
    """
    best, reason = NOBODY, ""
    for block in shown.strip().split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if told.get("Class") != "user" or told.get("Remote") == "yes" or told.get("Active") != "yes":
            continue  # a greeter, somebody far away, a desktop that is switched away from
        idle = _idle(told, now)
        if idle is None:
            reason = "the desktop does not tell"
        else:
            best = min(best, idle)
    return best, reason


def _idle(told: Mapping[str, str], now: float) -> float | None:
    since = told.get("IdleSinceHint", "0")
    if told.get("IdleHint") not in ("yes", "no") or not since.isascii() or not since.isdigit():
        raise NotUnderstood("no session of logind", told)
    if told["IdleHint"] == "yes":
        return max(0.0, now - int(since) / 1e6)
    desktop = told.get("Desktop", "").lower()
    tells = int(since) > 0 or any(name in desktop for name in _SETS_THE_HINT)
    return 0.0 if tells or told.get("Type") not in _GRAPHICAL else None


def level1(buffer: bytes) -> dict[str, int]:
    """What is used of a session's WTSINFOEXW; the names of user, domain and station are skipped."""
    if len(buffer) < _LEVEL1.size:
        raise NotUnderstood("no WTSINFOEX", buffer[:20].hex())
    level, session, state, _, _, _, _, last_input, now = _LEVEL1.unpack_from(buffer)
    if level != 1:
        raise NotUnderstood("another level than 1", level)
    return {"session": session, "state": state, "last_input": last_input, "now": now}


def windows(sessions: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """As `linux`, of all sessions but 0, which is the services' and always there."""
    active = [
        session
        for session in sessions
        if cim.whole(session.get("state")) == _ACTIVE and cim.whole(session.get("session")) != 0
    ]
    told = [
        (now - last) / 1e7
        for session in active
        if isinstance(last := session.get("last_input"), int) and isinstance(now := session.get("now"), int)
        if 0 < last < now  # the moment of the question itself, or a later one, is no input's
    ]
    silent = not sessions or len(told) < len(active)
    return min(told, default=NOBODY), "Windows does not tell" if silent else ""
