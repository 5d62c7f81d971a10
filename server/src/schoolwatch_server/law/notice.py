"""The privacy notice of a school: one A4 page, made from the catalogue, the roles and the settings."""

from schoolwatch_contract.catalogue import SUBJECTS
from schoolwatch_contract.catalogue.carriage import MESSAGES
from schoolwatch_contract.catalogue.classes import NEVER
from schoolwatch_server.access import ROLES
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.law import words
from schoolwatch_server.law.document import Document, Section
from schoolwatch_server.terms import TERMS, Configured
from schoolwatch_server.texts import Language, Texts
from schoolwatch_server.use import FEWEST

SHOWN: tuple[Configured, ...] = ("journal", "hourly", "daily", "incident", "audit")
"""The classes of data whose time is told; the others hold nothing of a school's computers alone."""


def notice(config: ServerConfig, texts: Texts, language: Language = "vi", school: str = "") -> Document:
    """The notice in one language; `school` is the school's name, left open without one."""

    def say(key: str, /, **values: object) -> str:
        return texts.get(language, f"notice.{key}", **values)

    still_open = say("open")
    controller = config.privacy.controller or still_open
    contact = config.privacy.contact or still_open
    vietnamese = language == "vi"
    return Document(
        say("title"),
        (
            say("school", school=school or still_open),
            say("who", controller=controller),
            say("nobody"),
        ),
        (
            Section(say("never"), items=tuple(f"{(vi if vietnamese else en)}." for vi, en in NEVER)),
            Section(say("collected"), (say("collected_all"),), items=_purposes(vietnamese=vietnamese)),
            Section(say("accounts"), (say("accounts_what"),)),
            Section(
                say("kept"),
                items=tuple(
                    say(
                        "days",
                        what=getattr(TERMS[name], language),
                        days=words.count(config.retention.days(name), language),
                    )
                    for name in SHOWN
                ),
            ),
            Section(
                say("seen"),
                (
                    say("seen_how", roles=", ".join(words.ROLES[role][language] for role in ROLES)),
                    say("room_use", least=max(config.privacy.room_devices, FEWEST)),
                    say("given"),
                ),
            ),
            Section(say("ask"), (say("ask_whom", contact=contact), say("law"))),
        ),
    )


def _purposes(*, vietnamese: bool) -> tuple[str, ...]:
    """What the probes read and why; those with one reason together."""
    by_purpose: dict[str, list[str]] = {}
    for subject in SUBJECTS:
        name = words.PROBES[subject.probe][0 if vietnamese else 1]
        by_purpose.setdefault(subject.vi if vietnamese else subject.en, []).append(name)
    items = [f"{', '.join(names)}: {why[0].lower()}{why[1:]}." for why, names in by_purpose.items()]
    address = next(field for message in MESSAGES for field in message.fields if field.name == "address")
    return (*items, f"{address.vi if vietnamese else address.en}.")
