"""When Windows was started, by the clock as it was then: SYSTEM_TIMEOFDAY_INFORMATION (winternl.h, which
calls it opaque; its fields are those of phnt's ntexapi.h).

Windows moves its BootTime along whenever the clock is set, and counts in BootTimeBias by how much in all;
what psutil calls the boot time moves alike. Their difference stays.
"""

import struct
from typing import Final

from schoolwatch_agent.errors import NotUnderstood

_LAYOUT: Final = struct.Struct("<qqq4x4xq8x")
"""BootTime, CurrentTime, TimeZoneBias; TimeZoneId, Reserved; BootTimeBias; SleepTimeBias. Units of 100 ns."""

SIZE: Final = _LAYOUT.size


def began(answer: bytes) -> str:
    """BootTime less BootTimeBias, in units of 100 ns since 1601.

    >>> began(bytes.fromhex("00a0c1f0b1e4dc01") + bytes(40))
    '134233541813837824'
    """
    if len(answer) != SIZE:
        raise NotUnderstood("SYSTEM_TIMEOFDAY_INFORMATION", answer.hex())
    start, _, _, moved = _LAYOUT.unpack(answer)
    if start <= moved:
        raise NotUnderstood("SYSTEM_TIMEOFDAY_INFORMATION", answer.hex())
    return str(start - moved)
