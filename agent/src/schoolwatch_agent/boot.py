"""Which start of Windows this is (ntdll.dll): a text that stays the same when the clock is set.

This has not been run on Windows yet.
"""

import sys

from schoolwatch_agent.formats.boot import SIZE, began

_TIME_OF_DAY = 3
"""SYSTEM_INFORMATION_CLASS: SystemTimeOfDayInformation."""


def boot() -> str:
    """The clock at the start, in units of 100 ns. Raises OSError (as elsewhere too), `NotUnderstood`."""
    if sys.platform != "win32":
        raise FileNotFoundError("ntdll.dll")
    else:  # noqa: RET506  what follows a raise is not checked for another system
        import ctypes

        buffer, told = ctypes.create_string_buffer(SIZE), ctypes.c_ulong()
        status = ctypes.WinDLL("ntdll").NtQuerySystemInformation(
            _TIME_OF_DAY, buffer, SIZE, ctypes.byref(told)
        )
        if status:
            raise OSError(f"NtQuerySystemInformation: status {status & 0xFFFFFFFF:#x}")
        return began(buffer.raw[: told.value])
