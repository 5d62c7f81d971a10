"""The sessions of a Windows computer, without a name of anybody (wtsapi32.dll).

This has not been run on Windows yet; under Wine, which knows no sessions, it tells none.
"""

import sys

from schoolwatch_agent.errors import Missing
from schoolwatch_agent.formats.sessions import level1

_SESSION_INFO_EX = 25
"""WTS_INFO_CLASS: WTSSessionInfoEx."""


def sessions() -> list[dict[str, int]]:
    """Each session's number, state and time of last input. Raises `Missing` elsewhere, OSError."""
    if sys.platform != "win32":
        raise Missing("wtsapi32.dll")
    else:  # noqa: RET506  what follows a raise is not checked for another system
        import ctypes
        from ctypes import wintypes

        class SessionInfo(ctypes.Structure):
            _fields_ = [("id", wintypes.DWORD), ("name", wintypes.LPWSTR), ("state", ctypes.c_int)]

        api = ctypes.WinDLL("wtsapi32", use_last_error=True)
        listed, count = ctypes.POINTER(SessionInfo)(), wintypes.DWORD()
        if not api.WTSEnumerateSessionsW(None, 0, 1, ctypes.byref(listed), ctypes.byref(count)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            found = [{"session": listed[n].id, "state": listed[n].state} for n in range(count.value)]
        finally:
            api.WTSFreeMemory(listed)
        for each in found:
            buffer, size = ctypes.c_void_p(), wintypes.DWORD()
            if not api.WTSQuerySessionInformationW(
                None, each["session"], _SESSION_INFO_EX, ctypes.byref(buffer), ctypes.byref(size)
            ):
                continue  # its last input is not told
            try:
                each.update(level1(ctypes.string_at(buffer.value or 0, size.value)))
            finally:
                api.WTSFreeMemory(buffer)
        return found
