"""Rules: what opens an incident, how much each finds, every version of it, and where it is from."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from schoolwatch_server import rule_versions
from schoolwatch_server.alphabet import plain
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.changes import changes
from schoolwatch_server.console import rule_words
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import registry, rule_counts
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.replays import histories, wanted
from schoolwatch_server.rule_versions import Known
from schoolwatch_server.rules import Held, Stored
from schoolwatch_server.rules.book import held_of
from schoolwatch_server.rules.load import shipped
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.strict_yaml import SheetError

DAYS = 30
"""Of what is counted beside a rule."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was typed in, how it stands now (a key of the texts), and what it changed."""

    stored: Stored
    standing: str
    changed: tuple[tuple[str, str, str], ...]
    before: str


def show(
    request: Request,
    who: Who,
    server: Server,
    q: Annotated[str, Query(max_length=100)] = "",
    scope: Annotated[Literal["", "device", "school", "commune", "province", "server"], Query()] = "",
    show: Annotated[Literal["", "open", "off"], Query()] = "",
) -> Response:
    """All rules by severity, or those with a word in their name, about such places, with something open."""
    now, there, words = time.time(), known(server), words_of(request)
    book = there.book
    with begin_read(server.engine) as conn:
        counts = rule_counts.counts(conn, who.scope, now - DAYS * 86400)
    held = sorted(book.held(now), key=lambda one: (SEVERITIES.index(one.rule.severity), one.rule.id))
    chosen = [one for one in held if _is_wanted(one, q, scope, show, counts)]
    return page(
        request,
        "rules.html",
        who,
        groups=[(name, [one for one in chosen if one.rule.severity == name]) for name in SEVERITIES],
        q=q,
        scope=scope,
        show=show,
        total=len(held),
        counts=counts,
        nothing=rule_counts.Counted(),
        days=DAYS,
        waiting={one.name: one for one in reversed(waiting(there, now))},
        new=sorted({one.name for one in waiting(there, now)} - {one.rule.id for one in held}),
        newer={one.rule.id for one in held if newer(one, there)},
        faults=book.faults,
        not_replayed=[(each.rule, why) for each in chosen if (why := histories.why_not(each.rule))],
        sentence=lambda rule: rule_words.sentence(rule, words),
        at_time=rule_words.at,
    )


def _is_wanted(one: Held, q: str, scope: str, show: str, counts: Mapping[str, rule_counts.Counted]) -> bool:
    """Whether a rule is among what was asked for; words are found without their marks."""
    rule = one.rule
    said = plain(f"{rule.id} {rule.title.vi} {rule.title.en}")
    found = counts.get(rule.id)
    return (
        all(word in said for word in plain(q).split())
        and scope in ("", rule.scope)
        and (show != "open" or (found is not None and found.open > 0))
        and (show != "off" or not rule.enabled)
    )


def one(request: Request, rule: str, who: Who, server: Server) -> Response:
    """A rule: what it says, what it found, its versions, and what it would have done."""
    now, there, words = time.time(), known(server), words_of(request)
    held = there.of(rule, now)
    stored = [version for version in there.stored if version.name == rule]
    shown = held or next((found for version in reversed(stored) if (found := as_held(version))), None)
    if shown is None:
        raise Problem(404, f"no rule {rule[:60]!r}")
    from_program = next((one for one in shipped() if one.rule.id == rule), None)
    compared = newer(held, there) if held else None
    with begin_read(server.engine) as conn:
        counted = rule_counts.counts(conn, who.scope, now - DAYS * 86400).get(rule, rule_counts.Counted())
    return page(
        request,
        "rule.html",
        who,
        shown=shown,
        in_force=held is not None,
        named={each.rule.id: each.rule for each in there.book.held(now)},
        counted=counted,
        days=DAYS,
        versions=[_version(each, there, words, now) for each in reversed(stored)],
        from_program=from_program,
        file=next((one for one in there.files if one.rule.id == rule and one.origin == "file"), None),
        newer=compared,
        newer_changes=compared
        and held
        and list(rule_words.changed(changes(held.rule, compared.rule), words)),
        sentence=rule_words.sentence(shown.rule, words),
        parameters=list(rule_words.parameters(shown.rule, words)),
        at_time=rule_words.at,
        window=wanted.DAYS,
        schools=wanted.SCHOOLS,
        why_not=histories.why_not(shown.rule),
        tried=[each for each in server.replays.of(who.name) if each.prepared.rule == rule],
    )


def text(rule: str, version: int, who: Who, server: Server) -> Response:  # noqa: ARG001  the gate has asked
    """The text of a version as it was saved."""
    for stored in known(server).stored:
        if (stored.name, stored.version) == (rule, version) and not stored.is_end:
            headers = {"Cache-Control": "no-store"}
            return Response(stored.text, media_type="text/plain; charset=utf-8", headers=headers)
    raise Problem(404, f"no version {version} of {rule[:60]!r} was typed in")


def known(server: Context) -> Known:
    """Files and versions, read afresh."""
    with begin_read(server.engine) as conn:
        communes = [commune.code for commune in registry.communes(conn, EVERYTHING)]
    return rule_versions.known(server.engine, server.rule_sheets.folder, communes)


def waiting(there: Known, now: float) -> list[Stored]:
    """What does not act yet, the next one first."""
    later = [one for one in there.stored if one.valid_from > now and not one.is_back]
    return sorted(later, key=lambda one: (one.valid_from, one.version))


def newer(held: Held, there: Known) -> Held | None:
    """What the program comes with that the department had not seen when it changed its version."""
    if held.origin == "shipped":
        return None
    program = next((one for one in shipped() if one.rule.id == held.rule.id), None)
    mine = next(
        (one for one in there.stored if (one.name, one.version) == (held.rule.id, held.rule.version)), None
    )
    seen = mine.shipped if mine is not None else held.rule.version
    return program if program is not None and program.rule.version > seen else None


def as_held(one: Stored) -> Held | None:
    """What a version says; None of an end, and of a text that this program can't use."""
    if one.is_end:
        return None
    try:
        return held_of(one)
    except SheetError:  # an older program wrote it: its text can still be read
        return None


def _version(one: Stored, there: Known, words: Words, now: float) -> Version:
    mine = as_held(one)
    before = there.of(one.name, one.valid_from - 1.0)
    found = changes(before.rule if before else None, mine.rule) if mine else ()
    told = tuple(rule_words.changed(found, words)) if before else ()
    return Version(one, _standing(one, there, now), told, before.rule.name if before else "")


def _standing(one: Stored, there: Known, now: float) -> str:
    if one.is_back:
        return "back"
    if one.valid_from > now:
        return "waits"
    held = there.of(one.name, now)
    return "holds" if held is not None and held.rule.version == one.version else "past"


ROUTES = (
    Route("GET", "/rules", show, "read"),
    Route("GET", "/rules/{rule}", one, "read"),
    Route("GET", "/rules/{rule}/versions/{version}", text, "read"),
)
