"""What a school's network is known to have, what waits for a person's word, and what was taken back."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import known_network
from schoolwatch_server.access import Principal
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import sighting_words
from schoolwatch_server.console.incident_words import person
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.schools import commune_code_of, place_of, school_for, school_in_use
from schoolwatch_server.console.sighting_words import Names
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import identities, incident_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.known_network import End, Found
from schoolwatch_server.rules import Rule, kept
from schoolwatch_server.rules.known import Known
from schoolwatch_server.rules.learning import OTHERS

UNSEEN = 30 * 86400.0
"""Seconds from which it is said that something known was not seen; a proposal of this project."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something known in words: what it is, which, what it announces, and why it is known."""

    known: Known
    kind: str
    name: str
    says: str
    why: tuple[tuple[str, int | None], ...]
    is_unseen: bool


def show(
    request: Request, code: str, who: Who, server: Server, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The page; `done` is what who asks has just done."""
    return _page(request, code, who, server, words_of(request).known(f"network.done.{done}", ""))


def forget(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    rule: Annotated[str, Form(max_length=60)] = "",
    part: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Takes it back: seen again, it is an incident. Of what is known no more nothing is changed."""
    check_form(who, csrf)
    school = school_in_use(who, server, code)
    rules = server.rules.values()
    if known_network.forget(server.engine, who, tuple(rules), school, rule, part, time.time()):
        return RedirectResponse(f"/schools/{school.code}/network?done=forgotten", 303)
    return _page(request, code, who, server, words_of(request).text("network.not_known"), refused=True)


def _page(
    request: Request, code: str, who: Principal, server: Context, told: str, *, refused: bool = False
) -> Response:
    school, words, rules = school_for(who, server, code), words_of(request), server.rules
    looked.see(server.looked, server.engine, who, "incident.list", code)
    with begin_read(server.engine) as conn:
        network = known_network.of_school(conn, tuple(rules.values()), school.id)
        names = _names(conn, school.id)
        return page(
            request,
            "network.html",
            who,
            409 if refused else 200,
            at=f"/schools/{school.code or code}/network",
            school=school,
            place=place_of(school),
            commune_code=commune_code_of(conn, who, school),
            lines=[_line(one, network, words, names) for one in network.known],
            waiting=[_waits(one, rules, words, names) for one in network.waiting],
            ended=[_ended(one, rules.get(one.rule), words, names) for one in network.ended],
            others=OTHERS,
            person=lambda name: person(name, words),
            told=told,
            refused=refused,
        )


def _names(conn: Connection, school_id: int) -> Names:
    behind = identities.machines(conn, school_id)
    return Names(incident_rows.called(conn, set(behind.values())), behind)


def _line(one: Known, network: known_network.Network, words: Words, names: Names) -> Line:
    return Line(
        one,
        _kind(one.rule, words),
        _name(one.rule, one.part, words, names),
        sighting_words.announced(one.says, words, names) or "–",
        tuple(_why(one, network, words)),
        one.last is not None and time.time() - one.last > UNSEEN,
    )


def _why(one: Known, network: known_network.Network, words: Words) -> Iterator[tuple[str, int | None]]:
    """Why it is known, each with the incident that says so."""
    if one.was_there:
        yield words.text("network.was_there"), None
    for at, said in network.said(one):
        by = person(said.verdict_by, words) if said else words.text("unknown")
        yield words.text("network.said", by=by, at=words.day(at)), said.id if said else None


def _kind(rule: Rule | None, words: Words) -> str:
    kind = (rule.condition.sighting or "") if rule else ""
    title = words.pick(rule.title) if rule else ""
    return words.known(f"network.kind.{kind}", title)


def _name(rule: Rule | None, part: str, words: Words, names: Names) -> str:
    """A machine by its pseudonym; what else a rule tells apart by its details."""
    if part == OTHERS:
        return words.text("network.others")
    if rule is None or not rule.same:
        return names.of(part)
    return " ".join(words.known(f"sighted.role.{one}", one) for one in part.split())


def _waits(
    found: Found, rules: Mapping[str, Rule], words: Words, names: Names
) -> tuple[Found, str, str, str]:
    """With the title of its rule, which machine it is, and what that announced when the incident opened.

    Of many at once nobody can say that they are the school's own: a word teaches of one machine.
    """
    rule = rules.get(found.rule)
    teacher = rules.get(rule.known_by, rule) if rule else None
    by = teacher.learn.by if teacher and teacher.learn else ()
    told = kept.announced(found.evidence, by)
    name = _name(rule, found.subject.part, words, names)
    title = words.pick(rule.title) if rule else found.rule
    return found, title, name, sighting_words.announced(told, words, names)


def _ended(end: End, rule: Rule | None, words: Words, names: Names) -> tuple[End, str, str]:
    return end, _kind(rule, words), _name(rule, end.subject.part, words, names)


ROUTES = (
    Route("GET", "/schools/{code}/network", show, "read"),
    Route("POST", "/schools/{code}/network/forget", forget, "handle"),
)
