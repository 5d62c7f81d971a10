"""Values of the Windows registry, as 64-bit programs see them (winreg).

This has not been run on Windows yet.
"""

import sys

from schoolwatch_agent.errors import Missing, NotUnderstood


def read(key: str, value: str) -> int | str | None:
    """A value below HKEY_LOCAL_MACHINE; None when it is not there.

    Raises `Missing` elsewhere, OSError, and `NotUnderstood` for another type than number or text.
    """
    if sys.platform != "win32":
        raise Missing("the Windows registry")
    else:  # noqa: RET506  what follows a raise is not checked for another system
        import winreg

        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, access) as opened:
                found = winreg.QueryValueEx(opened, value)[0]
        except FileNotFoundError:
            return None
        if isinstance(found, int | str):
            return found
        raise NotUnderstood(f"neither number nor text in {value}", type(found).__name__)
