"""What a notification says: school, device, what happened, since when in Vietnam's time, and what to do."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from schoolwatch_server import transport
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.notifications import Due
from schoolwatch_server.rules import Rule, kept
from schoolwatch_server.texts import Language, Texts

VIETNAM = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh: UTC+7 without summer time since 1975, so no table of time zones is needed."""


def message(
    due: Due, rules: Mapping[str, Rule], texts: Texts, public_url: str, language: Language = "vi"
) -> tuple[str, str]:
    """Title and body of a notification."""
    rule = rules.get(due.rule)
    title = getattr(rule.title, language) if rule else due.rule
    values = {
        "title": title,
        "why": getattr(rule.why, language) if rule else "–",
        "what_to_do": getattr(rule.what_to_do, language) if rule else "–",
        "where": _where(due, texts, language),
        "severity": texts.either(language, f"notify.severity.{due.severity}", due.severity),
        "since": local_time(due.since, texts, language),
        "closed": local_time(due.closed_at, texts, language) if due.closed_at is not None else "–",
        "late": _late(due, texts, language),
        "found": _found(due, texts, language),
        "link": f"{public_url}/incidents/{due.incident_id}",
    }
    heading = texts.get(language, f"notify.{due.event}.title", **values)
    return heading, texts.get(language, f"notify.{due.event}.body", **values).strip()


def _late(due: Due, texts: Texts, language: Language) -> str:
    """That it was told late, with when it was so and when that came here."""
    if not due.late:
        return ""
    arrived = kept.arrived_at(due.evidence)
    if arrived is None:
        return texts.get(language, "notify.late") + "\n"
    times = {"seen": due.opened_at, "arrived": arrived}
    told = {name: local_time(at, texts, language) for name, at in times.items()}
    return texts.get(language, "notify.late_times", **told) + "\n"


def _found(due: Due, texts: Texts, language: Language) -> str:
    """What the antivirus calls what it found."""
    names = ", ".join(kept.threats(due.evidence))
    return texts.get(language, "notify.threats", names=names) + "\n" if names else ""


def local_time(at: float, texts: Texts, language: Language) -> str:
    """An instant (UTC seconds) as people in Vietnam read it."""
    moment = datetime.fromtimestamp(at, VIETNAM)
    return texts.get(language, "notify.time", time=f"{moment:%H:%M}", day=f"{moment:%d/%m/%Y}")


def public_url(config: ServerConfig) -> str:
    """How people reach the console, without a slash at the end."""
    host = f"[{config.http.host}]" if ":" in config.http.host else config.http.host
    scheme = "http" if transport.http(config) is None else "https"
    return (config.http.public_url or f"{scheme}://{host}:{config.http.port}").rstrip("/")


def _where(due: Due, texts: Texts, language: Language) -> str:
    """A device with its school, a school, a commune or province, or the server itself."""
    if due.device is not None:
        school, device = _school(due, texts, language), _device(due, texts, language)
        return texts.get(language, "notify.where.device", school=school, device=device)
    if due.school is not None:
        return texts.get(language, "notify.where.school", school=_school(due, texts, language))
    if due.place is not None:
        return texts.get(language, "notify.where.place", place=due.place)
    return texts.get(language, "notify.where.server")


def _school(due: Due, texts: Texts, language: Language) -> str:
    if due.school is None:
        return texts.get(language, "notify.no_school")
    return f"{due.school} ({due.school_code})" if due.school_code else due.school


def _device(due: Due, texts: Texts, language: Language) -> str:
    label = due.label or f"{texts.get(language, 'notify.no_label')} ({(due.device or '')[:8]})"
    return f"{label}, {texts.get(language, 'notify.room', room=due.room)}" if due.room else label
