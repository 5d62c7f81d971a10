"""Whom to call of a school: shown to somebody who asks, which is in the audit log; set by its people."""

import time
from typing import Annotated

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, language_of
from schoolwatch_server.console.school_lists import lists_page
from schoolwatch_server.console.schools import school_for, school_to_declare
from schoolwatch_server.database import contacts, people
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.texts import Voice
from schoolwatch_server.workbooks.cells import CellError
from schoolwatch_server.workbooks.contacts import KINDS, LISTING

Kind = Annotated[str, Form(max_length=20)]
Text = Annotated[str, Form(max_length=200)]


def look(request: Request, code: str, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """The school's page with names and telephone numbers; the look is in the audit log before it is shown."""
    check_form(who, csrf)
    school = school_for(who, server, code)
    looked.see(server.looked, server.engine, who, "contact.look", school.code)
    with begin_read(server.engine) as conn:
        opened = contacts.opened(conn, who.scope, school_id=school.id).get(school.id, ())
    return lists_page(request, code, who, server, opened=opened)


def change(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    kind: Kind = "",
    name: Text = "",
    phone: Text = "",
    email: Text = "",
) -> Response:
    """Sets a contact as a whole: what is left empty is known no more."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    _known(kind)
    voice = Voice(server.texts, language_of(request), "workbook")
    filled = {"name": name, "phone": phone, "email": email}
    values = {field: _read(field, text, voice) for field, text in filled.items()}
    if not values["name"]:
        raise bad_field(
            "name", voice("problem.missing"), server.texts.get(voice.language, "lists.contact_name")
        )
    now = time.time()
    with begin_write(server.engine) as conn:
        contacts.write(conn, school.id, kind, values, now)
        detail = {"kind": kind, "given": sorted(field for field, text in values.items() if text)}
        people.record(conn, actor=who.name, action="contact.change", subject=code, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}/lists#contacts", 303)


def remove(code: str, who: Who, server: Server, csrf: Csrf = "", kind: Kind = "") -> Response:
    """A contact is known no more."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    _known(kind)
    now = time.time()
    with begin_write(server.engine) as conn:
        if contacts.remove(conn, school.id, kind):
            people.record(
                conn, actor=who.name, action="contact.remove", subject=code, detail={"kind": kind}, now=now
            )
    return RedirectResponse(f"/schools/{school.code}/lists#contacts", 303)


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise bad_field("kind", f"one of {', '.join(KINDS)}")


def _read(field: str, text: str, voice: Voice) -> str:
    """As a cell of the list is read. Raises a 422 `Problem` in the words of a list's faults."""
    text = " ".join(text.split())
    if not text:
        return ""
    parse = next(one.parse for one in LISTING.fields if one.name == field)
    try:
        return str(parse(text))
    except CellError as error:
        raise bad_field(field, voice(f"problem.{error.reason}", **error.values)) from error


ROUTES = (
    Route("POST", "/schools/{code}/contacts", change, "declare"),
    Route("POST", "/schools/{code}/contacts/look", look, "declare"),
    Route("POST", "/schools/{code}/contacts/remove", remove, "declare"),
)
