"""What somebody types of an entry of the duty list, read, or refused in words beside its field."""

from datetime import date

from schoolwatch_server.api.problems import Problem, bad_field
from schoolwatch_server.console.words import Words
from schoolwatch_server.severity import SEVERITIES


def name(said: Words, typed: str) -> str:
    """The entry's name, on one line."""
    line = " ".join(typed.split())
    if not line or not line.isprintable():
        raise wrong(said, "name", "name", "name")
    return line


def least(typed: str) -> str:
    """The least severity that it is told of."""
    if typed not in SEVERITIES:
        raise bad_field("least", ", ".join(SEVERITIES))
    return typed


def weekdays(said: Words, typed: list[str] | None) -> frozenset[int]:
    """0 is Monday; at least one."""
    days = frozenset(int(day) for day in typed or () if day in "0123456" and len(day) == 1)
    if not days:
        raise wrong(said, "days", "days", "days")
    return days


def quiet(said: Words, since: str, until: str) -> tuple[int, int] | None:
    """From which minute of the day to which nobody is woken; nothing typed is None."""
    if not since and not until:
        return None
    return minute(said, "quiet_from", since), minute(said, "quiet_to", until)


def minute(said: Words, field: str, text: str) -> int:
    """The minute of the day of `21:30`."""
    hours, _, minutes = text.strip().partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        raise wrong(said, field, "time", field)
    if int(hours) > 23 or int(minutes) > 59:
        raise wrong(said, field, "time", field)
    return int(hours) * 60 + int(minutes)


def day(said: Words, field: str, text: str) -> date | None:
    """A day as browsers send it; nothing typed is None."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise wrong(said, field, "day", field) from error


def wrong(said: Words, field: str, fault: str, label: str) -> Problem:
    """What is refused at a field, in the words of `duty.fault`."""
    return bad_field(field, said.text(f"duty.fault.{fault}"), said.text(f"duty.{label}"))
