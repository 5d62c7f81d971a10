"""The value of a form's field for a day with its hour (`datetime-local`), which is Vietnam's time."""

from datetime import datetime

from schoolwatch_server.console.words import ZONE


def written_local(at: float) -> str:
    """`2026-11-29T18:05` of an instant (UTC seconds)."""
    return f"{datetime.fromtimestamp(at, ZONE):%Y-%m-%dT%H:%M}"


def read_local(text: str) -> float | None:
    """The instant (UTC seconds) of such a text; None when it is none."""
    try:
        told = datetime.fromisoformat(text)
        return (told if told.tzinfo else told.replace(tzinfo=ZONE)).timestamp()
    except (ValueError, OverflowError):
        return None
