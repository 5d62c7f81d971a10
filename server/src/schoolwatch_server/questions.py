"""What asks people about a message of which nobody knows whether it came: how its incidents stand now."""

from collections.abc import Mapping, Sequence

from schoolwatch_server import due_words
from schoolwatch_server.database.deliveries import Delivery
from schoolwatch_server.database.told_of import Due
from schoolwatch_server.duty.shift import rank
from schoolwatch_server.rules import Rule
from schoolwatch_server.texts import Language, Texts

NAMED = 30
"""Incidents that a question names; it counts the others."""


def about(
    delivery: Delivery,
    told: Sequence[Due],
    rules: Mapping[str, Rule],
    texts: Texts,
    public_url: str,
    language: Language = "vi",
) -> tuple[str, str]:
    """Title and body of a question about a message; `told` are the events that it held."""
    incidents = {due.incident_id: due for due in told}
    stand = [
        texts.get(
            language,
            f"notify.question.{_state(due)}",
            title=due_words.title(due, rules, texts, language),
            place=due_words.place(due, texts, language),
            severity=due_words.severity(due.severity, texts, language),
        )
        for due in sorted(incidents.values(), key=lambda due: rank(due.severity), reverse=True)
    ]
    if len(stand) > NAMED:
        more = due_words.number(len(stand) - NAMED, language)
        stand = [*stand[:NAMED], texts.get(language, "notify.question.more", count=more)]
    page = f"/{next(iter(incidents))}" if len(incidents) == 1 else f"?state=all&message={delivery.nonce}"
    body = texts.get(
        language,
        "notify.question.body",
        made=due_words.local_time(delivery.made_at, texts, language),
        attempt=due_words.number(delivery.attempts, language),
        stand="\n".join(stand),
        link=f"{public_url}/incidents{page}",
    )
    return texts.get(language, "notify.question.title", stand=stand[0] if stand else "–"), body.strip()


def _state(due: Due) -> str:
    if due.closed_at is not None:
        return "closed"
    return "open" if due.acknowledged_at is None else "acknowledged"
