"""Channels of notification in words: what one is called, and why it did not take a message."""

from collections.abc import Iterable

from schoolwatch_server.console.words import Words
from schoolwatch_server.database.channel_rows import ChannelRow
from schoolwatch_server.short_answers import UNANSWERED

_FAILURES = {
    UNANSWERED: "unanswered",
    "no answer": "no_answer",
    "not an address": "unknown",
    "the channel was switched off": "off",
    "the channel was taken away": "removed",
    "its incidents are gone": "nothing",
    "rules are": "unjudged",
}
"""How what `channels`, `notify` and `dead_man` keep begins → the text that says it."""


def failure(error: str, words: Words) -> str:
    """Why nothing was taken, in words; what is not known as it was kept."""
    if error.startswith("answered "):
        return words.text("channel.outcome.answered", code=error.removeprefix("answered "))
    if error.startswith(f"{UNANSWERED}: answered "):
        return words.text("channel.outcome.proxy", code=error.rpartition(" ")[2])
    known = next((key for begins, key in _FAILURES.items() if error.startswith(begins)), None)
    return error if known is None else words.text(f"channel.outcome.{known}")


def named(key: str, rows: Iterable[ChannelRow], words: Words) -> str:
    """What a channel is called; a channel of the settings' file is its own name."""
    name = next((row.name for row in rows if row.key == key), None)
    return name or (words.text("channel.gone") if key.startswith("channel:") else key)
