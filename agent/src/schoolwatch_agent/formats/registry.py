"""Values of the Windows registry, and why one is not known: absent, refused and unreadable are not the same.

A value that is absent often means something (no policy switches Defender off); one that may not be read
never does.
"""

import msgspec


class Unread(msgspec.Struct, frozen=True):
    """A value that may be there or not: it could not be read, and why."""

    reason: str


Value = int | str | Unread | None
Values = dict[str, Value]


def why(value: Value, absent: str = "not configured") -> str:
    """Why a value tells nothing: it is absent, it could not be read, or what is there is not understood."""
    if value is None:
        return absent
    return value.reason if isinstance(value, Unread) else "not understood"
