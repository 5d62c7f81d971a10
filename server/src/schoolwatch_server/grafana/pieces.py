"""Everything of ours that stands in a Grafana, as its HTTP API takes it. Pure but for reading our own JSON.

Each piece has a uid, by which alone it is found again: people may call it and put it where they like.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from schoolwatch_server.grafana import DASHBOARDS, alert, policy, sources
from schoolwatch_server.grafana.alert import PREFIX as OURS
from schoolwatch_server.grafana.alert import Rule
from schoolwatch_server.grafana.console import model
from schoolwatch_server.grafana.sources import Source
from schoolwatch_server.grafana.spec import SUFFIX, Dialect
from schoolwatch_server.texts import Language

KindName = Literal[
    "folder", "data source", "contact point", "notification policy", "dashboard", "alert rule", "rule group"
]

TITLE: Final[Mapping[Language, str]] = {"vi": "SchoolWatch", "en": "SchoolWatch (English)"}
"""Of the folder of each language."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One of them: `body` has the fields that we answer for, `secret` what Grafana never shows again."""

    kind: KindName
    uid: str
    title: str
    body: Mapping[str, Any]
    secret: Mapping[str, Any] | None = None


def is_ours(uid: str) -> bool:
    """Whether the uid is one that this program gives: this word, or it and a hyphen first.

    Dashboards and rules bear it as a tag or label besides; what has only one of both is somebody else's.
    """
    return uid == OURS or uid.startswith(f"{OURS}-")


def mark(secret: str) -> str:
    """By which a changed secret is told, since Grafana gives none back: slow, for a person's password too."""
    return hashlib.scrypt(secret.encode(), salt=b"schoolwatch grafana push", n=1 << 14, r=8, p=1).hex()[:8]


def folder_uid(language: Language) -> str:
    """Where the dashboards and rules of a language are."""
    return OURS + SUFFIX[language]


def folder(language: Language) -> Piece:
    """The folder of a language."""
    return Piece("folder", folder_uid(language), TITLE[language], {"title": TITLE[language]})


def data_source(source: Source, token: str | None) -> Piece:
    """Where Grafana asks; without a `token` (or password) the one that Grafana has is kept."""
    body = sources.body(source)
    secret = None
    if token is not None:
        body = {**body, "jsonData": {**body["jsonData"], sources.MARK: mark(token)}}
        secret = {"secureJsonData": sources.secret(source, token)}
    return Piece("data source", sources.UID, str(body["name"]), body, secret)


def dashboards(dialect: Dialect, language: Language, console: str) -> tuple[Piece, ...]:
    """All dashboards in a language; `console` is how people reach this server."""
    made = []
    for one in DASHBOARDS:
        whole = model(one, dialect, language, console)
        body = {"dashboard": whole, "folderUid": folder_uid(language)}
        made.append(Piece("dashboard", one.uid + SUFFIX[language], one.title.of(language), body))
    return tuple(made)


def alert_rules(rules: Sequence[Rule], every: int, dialect: Dialect, language: Language) -> tuple[Piece, ...]:
    """The rules, and after them that their groups are looked at all `every` seconds."""
    folder_ = folder_uid(language)
    made = []
    for rule in rules:
        place = {"folderUID": folder_, "ruleGroup": rule.group_name}
        body = alert.body(rule, dialect, language, sources.UID) | place
        made.append(Piece("alert rule", rule.uid_in(language), rule.title.of(language), body))
    groups = sorted({rule.group_name for rule in rules})
    return (*made, *(Piece("rule group", f"{folder_}/{one}", one, {"interval": every}) for one in groups))


def contact_point(url: str, token: str) -> Piece:
    """Our server, as what Grafana tells of its alerts, with the token by which it may."""
    settings = policy.webhook(f"{url}?token={mark(token)}")
    body = {"name": policy.RECEIVER, "type": "webhook", "settings": settings, "disableResolveMessage": False}
    secret = {"settings": {policy.CREDENTIALS: token}}
    return Piece("contact point", OURS, policy.RECEIVER, body, secret)


def notification_policy() -> Piece:
    """That what our rules find goes to our server."""
    return Piece("notification policy", policy.UID, policy.RECEIVER, policy.branch())
