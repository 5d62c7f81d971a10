"""Until when the kit's token lets computers in, as this computer's clock has it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import placed

if TYPE_CHECKING:
    from cai_dat import Words

VIETNAM = timezone(timedelta(hours=7))
SLACK = timedelta(days=1)
"""A clock that is set to the time of another zone is not called wrong."""


def check(kit: dict[str, Any], say: "Words", now: datetime, *, ignore_clock: bool) -> None:
    """Stops when the token has expired; who is enrolled already needs none.

    Only a clock that stands before the making of the kit is wrong for certain. One that stands too late can't
    be told from an expired token: then a person has to look at it.
    """
    if placed.is_enrolled():
        return
    if now < _time(kit["made"]) - SLACK:
        say("clock_behind", now=_shown(now), made=_shown(_time(kit["made"])))
    elif now >= _time(kit["expires"]):
        say("expired", now=_shown(now), expires=_shown(_time(kit["expires"])))
        if not ignore_clock:
            say.stop("expired_what_to_do")
        say("expired_ignored")


def remind(kit: dict[str, Any], say: "Words", now: datetime) -> None:
    """What is installed and could not enrol must find the server before the token's end."""
    if not placed.is_enrolled() and now < _time(kit["expires"]):
        say("enrols_until", expires=_shown(_time(kit["expires"])))


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _shown(time: datetime) -> str:
    return time.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y")
