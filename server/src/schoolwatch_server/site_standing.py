"""How a school's site stands, and which sites somebody asked for. Pure."""

from collections.abc import Iterable
from typing import Literal, get_args

from schoolwatch_server.database.sites import SiteRow

DAY = 86400.0

Which = Literal["all", "down", "expiring_30", "expiring_14", "expiring_7", "untrusted", "no_ipv6", "unknown"]
"""What a list may be narrowed to; a key of the text file: `site.which.<it>`."""

WHICH: tuple[Which, ...] = get_args(Which)

State = Literal["up", "down", "unknown"]


def state(row: SiteRow) -> State:
    """By the newest look; a site that nobody has looked at is unknown."""
    is_up = row.look.is_up if row.look else None
    return "unknown" if is_up is None else "up" if is_up else "down"


def days_left(row: SiteRow, now: float) -> int | None:
    """Whole days for which the certificate still holds, below 0 once ended; None: not known, or none."""
    ends = row.look.expires_at if row.look else None
    return None if ends is None else int((ends - now) // DAY)


def is_one(row: SiteRow, which: Which, now: float) -> bool:
    """Whether a site is among those asked for. One whose certificate has ended is among the expiring."""
    look, left = row.look, days_left(row, now)
    match which:
        case "all":
            return True
        case "down" | "unknown":
            return state(row) == which
        case "untrusted":
            return look is not None and look.is_trusted is False
        case "no_ipv6":
            return look is not None and look.has_ipv6 is False
        case "expiring_30" | "expiring_14" | "expiring_7":
            return left is not None and left < int(which.removeprefix("expiring_"))


def counted(rows: Iterable[SiteRow], now: float) -> dict[Which, int]:
    """How many there are of each."""
    held = tuple(rows)
    return {which: sum(is_one(row, which, now) for row in held) for which in WHICH}
