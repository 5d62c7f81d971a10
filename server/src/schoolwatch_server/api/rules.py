"""GET /api/v1/rules: what judges now, so that who reads an incident can see by what it was opened."""

import time

import msgspec

from schoolwatch_server import rule_versions
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.shapes_rules import Rules
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.replays import histories
from schoolwatch_server.rules import Held, Stored
from schoolwatch_server.texts import LANGUAGES

Json = dict[str, object]

_SAID = (
    "id", "version", "enabled", "severity", "scope", "title", "why", "what_to_do", "source", "condition",
    "open_after", "close_after", "standing_after", "reopen_within",
)  # fmt: skip


def rules(who: Who, server: Server) -> Json:  # noqa: ARG001  the gate has asked
    """Rules in force, with the versions that were saved of them."""
    there = rule_versions.known(server.engine, server.rule_sheets.folder)
    return {"rules": [_json(held, there.stored, server) for held in there.book.held(time.time())]}


def _json(held: Held, stored: tuple[Stored, ...], server: Context) -> Json:
    rule = msgspec.to_builtins(held.rule)
    return {name: rule[name] for name in _SAID} | {
        "communes": list(held.rule.only.communes),
        "levels": list(held.rule.only.levels),
        "origin": held.origin,
        "since": None if held.since is None else rfc3339(held.since),
        "sha256": held.sha256,
        "replay": _replay(held, server),
        "versions": [
            {
                "version": one.version,
                "valid_from": rfc3339(one.valid_from),
                "saved_at": rfc3339(one.saved_at),
                "ends": one.is_end,
                "taken_back": one.is_back,
            }
            for one in stored
            if one.name == held.rule.id
        ],
    }


def _replay(held: Held, server: Context) -> Json:
    """Whether it can be tried on the past, and if not, why."""
    why = histories.why_not(held.rule)
    key = f"rules.replay.why.{why}"
    return {
        "possible": not why,
        "why_not": {lang: server.texts.get(lang, key) for lang in LANGUAGES} if why else None,
    }


ROUTES = (
    Route("GET", "/api/v1/rules", rules, "read", "What opens an incident, and its versions", answer=Rules),
)
