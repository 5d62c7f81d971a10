"""What a notification says: how severe, what, where, since when in Vietnam's time, and what to do."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from schoolwatch_server import address, due_words, questions, transport
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.deliveries import Delivery
from schoolwatch_server.database.told_of import Due
from schoolwatch_server.duty.fold import CALM
from schoolwatch_server.duty.shift import rank
from schoolwatch_server.rules import Rule, kept
from schoolwatch_server.serious.calls import is_about_a_line
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.texts import Language, Texts

NAMED = 30
"""Critical incidents, and attacks, that a message of many names with their places; it counts the others."""

PLACES_NAMED = 6

NEWS = ("opened", "reopened", "put_back", "again", "worsened")
"""Events that a message of many counts as what is new."""


def message(
    delivery: Delivery,
    told: Sequence[Due],
    rules: Mapping[str, Rule],
    texts: Texts,
    public_url: str,
    language: Language = "vi",
    *,
    drops_copies: bool = True,
) -> tuple[str, str]:
    """Title and body of a message that tells of one event or of many.

    What may have come already is sent again as it was to who drops copies; who can't is asked instead.
    """
    is_question = delivery.may_be_second and not drops_copies
    if is_question:
        title, body = questions.about(delivery, told, rules, texts, public_url, language)
    elif delivery.kind == "one" and len(told) == 1:
        title, body = of_one(told[0], rules, texts, public_url, language)
    else:
        title, body = of_many(delivery, told, rules, texts, public_url, language)
    if told and told[0].is_exercise:
        title = texts.get(language, "notify.exercise", title=title)
        body = f"{texts.get(language, 'notify.exercise_note')}\n{body}"
    if delivery.may_be_second and not is_question:
        body = f"{body}\n{texts.get(language, 'notify.second', message=delivery.nonce)}"
    return title, body


def of_one(
    due: Due, rules: Mapping[str, Rule], texts: Texts, public_url: str, language: Language = "vi"
) -> tuple[str, str]:
    """Title and body of what happened to one incident."""
    rule = rules.get(due.rule)
    values = {
        "title": due_words.title(due, rules, texts, language),
        "why": getattr(rule.why, language) if rule else "–",
        "what_to_do": getattr(rule.what_to_do, language) if rule else "–",
        "where": due_words.where(due, texts, language),
        "place": due_words.place(due, texts, language),
        "severity": due_words.severity(due.severity, texts, language),
        "since": due_words.local_time(due.since, texts, language),
        "closed": due_words.local_time(due.closed_at, texts, language) if due.closed_at is not None else "–",
        "unseen": _unseen(due, rule, texts, language),
        "acknowledged": "–"
        if due.acknowledged_at is None
        else due_words.local_time(due.acknowledged_at, texts, language),
        "late": _late(due, texts, language),
        "call": _call(due, rule, texts, language),
        "found": _found(due, texts, language),
        "link": f"{public_url}/incidents/{due.incident_id}",
    }
    event = stem(due.event)
    if event == "closed" and rule and rule.condition.sighting and not due.is_exercise:
        event = "unseen"  # nobody knows that it is mended: a rogue that is switched off is not seen either
    heading = texts.get(language, f"notify.{event}.title", **values)
    return heading, texts.get(language, f"notify.{event}.body", **values).strip()


def _unseen(due: Due, rule: Rule | None, texts: Texts, language: Language) -> str:
    """When the last was heard of what is closed because nothing was for the rule's time."""
    if due.closed_at is None or rule is None:
        return "–"
    before = max(due.since, due.closed_at - rule.close_after)
    return due_words.local_time(before if due.seen_at is None else due.seen_at, texts, language)


def _call(due: Due, rule: Rule | None, texts: Texts, language: Language) -> str:
    """Of a line's trouble the provider with the subscriber's code; else where the number is."""
    provider = due.hint.provider if due.hint else None
    if provider and is_about_a_line(due.rule, rule.condition.evidence if rule else ()):
        key = "call.line.subscriber" if provider.subscriber else "call.line.isp"
        return texts.get(
            language,
            key,
            isp=provider.isp,
            hotline=provider.hotline,
            subscriber=provider.subscriber,
        )
    if due.hint and due.hint.has_contact is False:
        return texts.get(language, "call.line.missing")
    return texts.get(language, "call.line.page" if due.school else "call.line.place")


def of_many(
    delivery: Delivery,
    told: Sequence[Due],
    rules: Mapping[str, Rule],
    texts: Texts,
    public_url: str,
    language: Language = "vi",
) -> tuple[str, str]:
    """Title and body of a storm or digest: counts, the severest, attacks, what is critical, places."""
    events = Counter(stem(due.event) for due in told)
    fresh = [due for due in told if stem(due.event) not in CALM]
    severest = max((due.severity for due in fresh or told), key=rank, default="low")
    critical = [due for due in fresh if due.severity == "critical"]
    alarming = {rule.id for rule in rules.values() if rule.is_attack}
    attacks = [due for due in fresh if due.severity != "critical" and due.rule in alarming]

    def counted(name: Callable[[Due], str]) -> str:
        return _most(Counter(name(due) for due in told), texts, language)

    title = texts.get(
        language,
        f"notify.{_sort(delivery, fresh)}.title",
        count=due_words.number(len(told), language),
        severity=due_words.severity(severest, texts, language),
    )
    body = texts.get(
        language,
        "notify.many.body",
        opened=due_words.number(sum(events[name] for name in NEWS), language),
        escalated=due_words.number(events["escalated"], language),
        acknowledged=due_words.number(events["acknowledged"], language),
        closed=due_words.number(events["closed"] + events["resolved"], language),
        false_alarms=_false_alarms(events["false_alarm"], texts, language),
        severities=_severities(fresh, texts, language),
        critical=_named("critical", critical, rules, texts, language),
        attacks=_named("attacks", attacks, rules, texts, language),
        rules=counted(lambda due: due_words.title(due, rules, texts, language)),
        places=counted(lambda due: due.commune or due_words.place(due, texts, language)),
        first=due_words.local_time(
            min((due.opened_at for due in told), default=delivery.made_at), texts, language
        ),
        last=due_words.local_time(
            max((due.opened_at for due in told), default=delivery.made_at), texts, language
        ),
        link=f"{public_url}/incidents?state=all&message={delivery.nonce}",
    )
    return title, body.strip()


def _sort(delivery: Delivery, fresh: Sequence[Due]) -> str:
    if not fresh:
        return "calm"
    return "digest" if delivery.kind == "digest" else "fold"


def _false_alarms(count: int, texts: Texts, language: Language) -> str:
    if not count:
        return ""
    return " " + texts.get(language, "notify.many.false_alarms", count=due_words.number(count, language))


def stem(event: str) -> str:
    """`escalated` of `escalated:2`: the outbox tells one such event from the next."""
    return event.partition(":")[0]


def _late(due: Due, texts: Texts, language: Language) -> str:
    """That it was told late, with when it was so and when that came here."""
    if not due.late:
        return ""
    arrived = kept.arrived_at(due.evidence)
    if arrived is None:
        return texts.get(language, "notify.late") + "\n"
    times = {"seen": due.opened_at, "arrived": arrived}
    told = {name: due_words.local_time(at, texts, language) for name, at in times.items()}
    return texts.get(language, "notify.late_times", **told) + "\n"


def _found(due: Due, texts: Texts, language: Language) -> str:
    """What the antivirus or a Grafana calls it; who did what a gateway saw, and what it offered."""
    again = due.again if stem(due.event) in kept.AGAIN else None
    seen = kept.sighted(again or due.evidence)
    if seen is not None:
        what = texts.either(language, f"sighting.{seen[0]}", seen[0])
        many = kept.is_many(again or due.evidence)
        told = texts.get(language, "notify.one_of_many", told=seen[1]) if many else seen[1]
        return texts.get(language, "notify.sighted", what=what, told=told) + "\n"
    alert = kept.alerted(again or due.evidence)
    if alert:
        return texts.get(language, "notify.alerted", told=alert) + "\n"
    names = ", ".join(kept.threats(again or due.evidence))
    return texts.get(language, "notify.threats", names=names) + "\n" if names else ""


def public_url(config: ServerConfig) -> str:
    """How people reach the console, without a slash at the end."""
    listens = address.Address(address.reachable(config.http.host), config.http.port)
    scheme = "http" if transport.http(config) is None else "https"
    return (config.http.public_url or f"{scheme}://{listens}").rstrip("/")


def _named(
    what: str, told: Sequence[Due], rules: Mapping[str, Rule], texts: Texts, language: Language
) -> str:
    """A line that names each, with its place; empty when there is none."""
    if not told:
        return ""
    named = [
        f"{due_words.title(due, rules, texts, language)} – {due_words.place(due, texts, language)}"
        for due in told[:NAMED]
    ]
    names, more = "; ".join(named), len(told) - NAMED
    if more > 0:
        names = texts.get(language, "notify.many.more", names=names, count=due_words.number(more, language))
    return (
        texts.get(language, f"notify.many.{what}", count=due_words.number(len(told), language), names=names)
        + "\n"
    )


def _severities(fresh: Sequence[Due], texts: Texts, language: Language) -> str:
    counts = Counter(due.severity for due in fresh)
    told = [
        texts.get(
            language,
            "notify.many.counted",
            what=due_words.severity(severity, texts, language),
            count=due_words.number(counts[severity], language),
        )
        for severity in SEVERITIES
        if counts[severity]
    ]
    return ", ".join(told) or texts.get(language, "notify.many.nothing")


def _most(counts: Counter[str], texts: Texts, language: Language) -> str:
    told = [
        texts.get(language, "notify.many.counted", what=what, count=due_words.number(count, language))
        for what, count in counts.most_common(PLACES_NAMED)
    ]
    return "; ".join(told) + ("; …" if len(counts) > PLACES_NAMED else "")
