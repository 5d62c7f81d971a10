"""What an event of an incident is called in messages: its rule, how severe, where, when."""

from collections.abc import Mapping
from datetime import datetime

from schoolwatch_server.database.told_of import Due
from schoolwatch_server.rules import Rule
from schoolwatch_server.serious.evidence import about_in_words
from schoolwatch_server.texts import Language, Texts
from schoolwatch_server.vietnam import VIETNAM


def local_time(at: float, texts: Texts, language: Language) -> str:
    """An instant (UTC seconds) as people in Vietnam read it."""
    moment = datetime.fromtimestamp(at, VIETNAM)
    return texts.get(language, "notify.time", time=f"{moment:%H:%M}", day=f"{moment:%d/%m/%Y}")


def number(value: int, language: Language) -> str:
    """A count as the language writes it."""
    return f"{value:,}".replace(",", "." if language == "vi" else ",")


def title(due: Due, rules: Mapping[str, Rule], texts: Texts, language: Language) -> str:
    """What the rule calls it, and which of the many things that it may find this is."""
    rule = rules.get(due.rule)
    title: str = getattr(rule.title, language) if rule else due.rule
    found = about_in_words(due.evidence, texts, language)
    return f"{title}: {found}" if found else title


def severity(severity: str, texts: Texts, language: Language) -> str:
    """How severe, in a word."""
    return texts.either(language, f"notify.severity.{severity}", severity)


def where(due: Due, texts: Texts, language: Language) -> str:
    """A device with its school, a school, a commune or province, or the server itself."""
    school = _school(due, texts, language) + (f", {due.commune}" if due.commune else "")
    if due.device is not None:
        return texts.get(language, "notify.where.device", school=school, device=_device(due, texts, language))
    if due.school is not None:
        return texts.get(language, "notify.where.school", school=school)
    if due.place is not None:
        return texts.get(language, "notify.where.place", place=due.place)
    return texts.get(language, "notify.where.server")


def place(due: Due, texts: Texts, language: Language) -> str:
    """The same in a few words, for a title or a list."""
    if due.device is not None or due.school is not None:
        return _school(due, texts, language)
    return due.place or texts.get(language, "notify.where.server")


def _school(due: Due, texts: Texts, language: Language) -> str:
    if due.school is None:
        return texts.get(language, "notify.no_school")
    return f"{due.school} ({due.school_code})" if due.school_code else due.school


def _device(due: Due, texts: Texts, language: Language) -> str:
    label = due.label or f"{texts.get(language, 'notify.no_label')} ({(due.device or '')[:8]})"
    if not due.room:
        return label
    is_said = due.room.casefold().startswith(texts.get(language, "notify.room", room="").strip())
    return f"{label}, {due.room if is_said else texts.get(language, 'notify.room', room=due.room)}"
