"""What a school's lists hold: campuses, rooms, classes, contracts, assets, checks; and who manages it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import levels
from schoolwatch_server.access import Principal
from schoolwatch_server.alphabet import order
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, language_of, page, words_of
from schoolwatch_server.console.schools import (
    commune_code_of,
    place_of,
    school_for,
    school_in_use,
    school_to_declare,
)
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import (
    contacts,
    hand_checks,
    listed,
    pages,
    people,
    registry,
    roster,
    succession,
)
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.position import PositionError
from schoolwatch_server.position import parse as parse_position
from schoolwatch_server.rosters import LISTS, Name
from schoolwatch_server.scope import Scope
from schoolwatch_server.texts import Language
from schoolwatch_server.vietnam import day_of
from schoolwatch_server.workbooks import schools
from schoolwatch_server.workbooks.contacts import KINDS
from schoolwatch_server.workbooks.listing import Held
from schoolwatch_server.workbooks.rooms import COMPUTERS_MAX
from schoolwatch_server.workbooks.table import Field

FEW, SHOWN = 8, 60
"""Rows of a list that a page shows at once, and unfolded; the file holds all."""

Word = Annotated[str, Form(max_length=20)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as a table: columns, rows of words, how many there are; of classes those of the newest year."""

    name: Name
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    count: int
    older: int = 0
    year: str = ""


def show(request: Request, code: str, who: Who, server: Server) -> Response:
    """The page."""
    return lists_page(request, code, who, server)


def lists_page(
    request: Request,
    code: str,
    who: Principal,
    server: Context,
    *,
    opened: Sequence[contacts.Contact] | None = None,
    status: int = 200,
    told: str = "",
) -> Response:
    """What the lists hold; `opened` are the contacts where somebody has asked to see them."""
    school = school_for(who, server, code)
    now = time.time()
    with begin_read(server.engine) as conn:
        return page(
            request,
            "school_lists.html",
            who,
            status,
            at=f"/schools/{school.code or code}/lists",
            school=school,
            place=place_of(school),
            commune_code=commune_code_of(conn, who, school),
            by_rule=levels.manager(
                school.level, is_specialised=school.is_specialised, is_boarding=school.is_boarding
            ),
            fields={one.name: one for one in schools.FIELDS},
            state=roster.status(school),
            former=roster.former_codes(conn, school.id, who.scope),
            taken_in=succession.taken_in(conn, school.id, who.scope),
            successor=None if school.code else succession.successor(conn, school.id, who.scope),
            lists=[_shown(conn, name, school, language_of(request)) for name in LISTS],
            rooms=pages.rooms(conn, school.id),
            kinds=KINDS,
            contacts=contacts.kinds(conn, school.id, who.scope),
            opened=None if opened is None else {one.kind: one for one in opened},
            today=day_of(now),
            few=FEW,
            told=told,
        )


def change_status(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    manager: Word = "",
    specialised: Word = "no",
    owned: Word = "public",
    former_place: Annotated[str, Form(max_length=120)] = "",
    position: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """Who manages a school, what kind it is, where it stands, and where it was before July 2025."""
    check_form(who, csrf)
    school = school_in_use(who, server, code)
    chosen = {"manager": manager, "specialised": specialised, "owned": owned}
    for name, value in chosen.items():
        words = next(one.words for one in schools.FIELDS if one.name == name)
        if value not in words:
            raise bad_field(name, f"one of {', '.join(words)}")
    place = " ".join(former_place.split())
    if not place.isprintable():
        raise bad_field("former_place", "write a name")
    new = {**chosen, "former_place": place, "position": _position(position, words_of(request))}
    changed = {name: value for name, value in new.items() if roster.status(school)[name] != value}
    if changed:
        with begin_write(server.engine) as conn:
            roster.set_status(conn, school.id, changed)
            people.record(
                conn, actor=who.name, action="school.status", subject=code, detail=changed, now=time.time()
            )
    return RedirectResponse(f"/schools/{school.code}/lists", 303)


def _position(typed: str, words: Words) -> str:
    """As it is kept; nothing is no position."""
    try:
        return parse_position(typed).text if typed.strip() else ""
    except PositionError as error:
        what = words.text(f"workbook.problem.{error.fault}", value=typed)
        label = next(one for one in schools.FIELDS if one.name == "position")
        raise bad_field("position", what, label.title(is_english=words.language == "en")) from error


def check_by_hand(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    room: Annotated[str, Form(pattern=r"^[0-9]{1,12}$")] = "0",
    working: Annotated[str, Form(pattern=r"^\s*[0-9]{1,4}\s*$")] = "",
    day: Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = "",
) -> Response:
    """Somebody counted the working computers of a room on a day; today when none is given."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    now = time.time()
    today = day_of(now)
    try:
        on = date.fromisoformat(day) if day else today
    except ValueError as error:
        raise bad_field("day", "is no day") from error
    if on > today:
        raise bad_field("day", "is still to come")
    if not working.strip() or int(working) > COMPUTERS_MAX:
        raise bad_field("working", f"0 to {COMPUTERS_MAX}")
    with begin_write(server.engine) as conn:
        held = next((one for one in pages.rooms(conn, school.id) if one.id == int(room)), None)
        if held is None:
            raise not_found("room", room)
        if held.declared is not None and int(working) > held.declared:
            raise bad_field("working", f"0 to {held.declared}, as the room has")
        hand_checks.record(conn, held.id, on, int(working), who.name)
        detail = {"room": held.name, "day": f"{on}", "working": int(working)}
        people.record(conn, actor=who.name, action="room.check", subject=code, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}/lists#check", 303)


def _shown(conn: Connection, name: Name, school: registry.SchoolRow, language: Language) -> Shown:
    listing, store = LISTS[name]
    known = listed.known(conn, listing, store, Scope("school", school.id)).get(school.code)
    things = sorted(known.things.values() if known else (), key=lambda one: _place(name, one))
    year = str(things[0].values["school_year"]) if name == "class" and things else ""
    present = [one for one in things if not year or one.values["school_year"] == year]
    fields = [field for field in listing.fields if field.name != "school_year"]
    return Shown(
        name,
        tuple(field.title(is_english=language == "en") for field in fields),
        tuple(_row(one, fields, language) for one in present[:SHOWN]),
        len(present),
        len(things) - len(present),
        year,
    )


def _row(thing: Held, fields: Sequence[Field], language: Language) -> tuple[str, ...]:
    return tuple(field.said(thing.values[field.name], is_english=language == "en") for field in fields)


def _place(name: Name, thing: Held) -> tuple[object, ...]:
    """The newest school year and the newest check come first, else by name."""
    values = thing.values
    if name == "class":
        return (-int(str(values["school_year"])[:4]), order(str(values["name"])))
    if name == "check":
        day = values["checked_on"]
        return (-day.toordinal() if isinstance(day, date) else 0, order(str(values["room"])))
    first = values.get("name") or values.get("isp") or values.get("tag")
    return (order(str(first)), thing.id)


ROUTES = (
    Route("GET", "/schools/{code}/lists", show, "read"),
    Route("POST", "/schools/{code}/status", change_status, "registry"),
    Route("POST", "/schools/{code}/checks", check_by_hand, "declare"),
)
