"""What happened to an incident, in words: who did what, what the readings showed, who was told how."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from schoolwatch_server.console import channel_words
from schoolwatch_server.console.words import Words
from schoolwatch_server.database.incident_rows import EventRow, IncidentRow
from schoolwatch_server.handling import Outcome
from schoolwatch_server.rules import kept

_PROGRAM = "API token "


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline; `note` is what somebody wrote. `at` is UTC seconds."""

    at: float
    kind: str
    text: str
    note: str = ""


def timeline(
    events: Iterable[EventRow], words: Words, channel: Callable[[str], str], *, is_seen: bool = False
) -> tuple[Line, ...]:
    """In order, the oldest first; `channel` names the channel behind a key for who reads it.

    `is_seen`: of what is seen or not, and closes by itself when it is not: nobody knows that it is mended.
    """
    return tuple(_line(event, words, channel, is_seen=is_seen) for event in events)


def person(name: str, words: Words) -> str:
    """An account by its name, a program's token as what it is."""
    if name.startswith(_PROGRAM):
        return words.text("actor.api_token", name=name.removeprefix(_PROGRAM))
    return words.actor(name)


def goes_on(row: IncidentRow, events: Iterable[EventRow]) -> bool:
    """Whether a person closed it and the readings have not shown yet that it is over."""
    if row.state not in ("resolved", "false_alarm"):
        return False
    told = [event.kind for event in events if event.kind in (row.state, "ended", "known", "stood")]
    return bool(told) and told[-1] == row.state


def outcome(told: Outcome, words: Words) -> str:
    """Why nothing was done, or that it was."""
    by = person(told.by, words) if told.by else words.text("handling.by_readings")
    at = words.when(told.at) if told.at is not None else ""
    key = f"handling.why.{told.why or 'done'}"
    return words.text(key, by=by, at=at, newer=told.newer or "")


def others(outcomes: Iterable[Outcome], words: Words) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Of those that are not as was wanted: why, and the numbers of all of which it is said."""
    told: dict[str, tuple[int, ...]] = {}
    for one in outcomes:
        if not one.is_so:
            why = outcome(one, words)
            told[why] = (*told.get(why, ()), one.incident)
    return tuple(told.items())


def _line(event: EventRow, words: Words, channel: Callable[[str], str], *, is_seen: bool) -> Line:
    detail: dict[str, Any] = event.detail if isinstance(event.detail, dict) else {}
    by = person(str(detail["by"]), words) if detail.get("by") else ""
    key = "event.unseen" if is_seen and event.kind == "closed" else _key(event.kind, detail, by)
    text = words.known(key, event.kind)
    event_name = str(detail.get("event", "")).partition(":")[0]
    values = {
        "by": by,
        "assignee": person(str(detail.get("assignee") or ""), words),
        "channel": channel(str(detail.get("channel", ""))),
        "what": words.known(f"event.short.{event_name}", event_name),
        "attempt": str(detail.get("attempt", "")),
        "error": channel_words.failure(str(detail.get("error", "")), words),
        "into": str(detail.get("into") or "?"),
        "when": words.when(detail["at"]) if isinstance(detail.get("at"), int | float) else "",
    }
    text = text.format(**values)
    if event.kind in kept.AGAIN and (names := kept.threats(detail)):
        text = words.text("event.names", text=text, names=", ".join(names))
    return Line(event.at, event.kind, text, str(detail.get("text", "")))


def _key(kind: str, detail: dict[str, Any], by: str) -> str:
    if kind == "assigned" and not detail.get("assignee"):
        return "event.unassigned"
    if kind == "reopened" and by:
        return "event.reopened_by"
    if kind == "opened" and detail.get("late"):
        return "event.opened_late"
    if kind == "notified" and detail.get("second"):
        return "event.notified_second"
    return f"event.{kind}"
