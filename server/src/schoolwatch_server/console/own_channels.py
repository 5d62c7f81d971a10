"""Channels of one's own: set up by an account for what it sees, confirmed by a code that is sent there."""

import time
from typing import Annotated

import msgspec
from fastapi import Form, Path, Request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import channels, notify, own_channels
from schoolwatch_server.access import ForbiddenError, Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import channel_words, sent_on
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import audit, channel_rows, own_channel_rows, people, scopes
from schoolwatch_server.database.channel_rows import ChannelRow
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.own_channels import Kind, OwnChannelError
from schoolwatch_server.severity import SEVERITIES

Number = Annotated[int, Path(ge=1, le=2**62)]
Short = Annotated[str, Form(max_length=60)]
Address = Annotated[str, Form(max_length=channels.ADDRESS_MAX)]


class Sent(msgspec.Struct, frozen=True):
    """That a code or a test message was sent to a channel, or why it could not be (`error`)."""

    number: int
    error: str
    is_test: bool = False


def show(request: Request, who: Who, server: Server) -> Response:
    """One's own channels, and a form for another."""
    return sent_on.said(_page(request, who, server, sent=sent_on.taken(request, Sent)), request)


def add(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    name: Short = "",
    kind: Annotated[Kind, Form()] = "email",
    address: Address = "",
    least: Short = "high",
    quiet: Short = "",
) -> Response:
    """A new channel: sealed, and told nothing but a code until that comes back."""
    check_form(who, csrf)
    account, now = _account(who), time.time()
    name, address = " ".join(name.split()), address.strip()
    if not name or not name.isprintable():
        raise _wrong(request, "name", "name")
    _check_least(least)
    with begin_read(server.engine) as conn:
        carriers = channel_rows.carriers(conn)
    try:
        own_channels.check(kind, address, server.config.notify.own_webhook_hosts, carriers)
    except OwnChannelError as error:
        raise _wrong(request, "address", error.fault) from None
    try:
        with begin_write(server.engine) as conn:
            if len(own_channel_rows.of_account(conn, account)) >= own_channels.EACH:
                raise _wrong(request, "name", "each")
            if own_channel_rows.count(conn) >= own_channels.MOST:
                raise _wrong(request, "name", "most")
            held = people.account_by_id(conn, account)
            assert held is not None  # the session is its own
            full = f"{who.name}: {name}"[:80]
            number = channel_rows.add(conn, full, kind, address, held.language, account, now)
            own_channel_rows.set_wish(conn, number, least, now, is_quiet=quiet == "yes")
            _record(conn, who, "add", full, number, now, kind=kind, least=least)
    except IntegrityError as error:
        raise _wrong(request, "name", "taken") from error
    return _send_code(request, who, server, number)


def send_again(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Another code, in place of the one before."""
    check_form(who, csrf)
    return _send_code(request, who, server, _own(who, server, number).id)


def confirm(
    request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "", code: Short = ""
) -> Response:
    """The code that was sent there: from now on the channel is told."""
    check_form(who, csrf)
    row, now = _own(who, server, number), time.time()
    digest = own_channels.digest(number, code)
    with begin_write(server.engine) as conn:
        good = own_channel_rows.confirm(conn, number, digest, now, own_channels.CODE_TRIES)
        if good:
            _record(conn, who, "confirm", row.name, number, now)
    if not good:
        return _page(request, who, server, 422, number, words_of(request).text("own_channel.wrong_code"))
    return RedirectResponse("/me/channels", 303)


def change(
    number: Number, who: Who, server: Server, csrf: Csrf = "", least: Short = "high", quiet: Short = ""
) -> Response:
    """From which severity on it is told, and whether what can wait waits at night."""
    check_form(who, csrf)
    row, now = _own(who, server, number), time.time()
    _check_least(least)
    with begin_write(server.engine) as conn:
        own_channel_rows.set_wish(conn, number, least, now, is_quiet=quiet == "yes")
        _record(conn, who, "change", row.name, number, now, least=least, quiet=quiet == "yes")
    return RedirectResponse("/me/channels", 303)


def try_out(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Sends a test message there, once it is confirmed."""
    check_form(who, csrf)
    row = _own(who, server, number)
    if row.confirmed_at is None or not row.is_on:
        raise not_found("channel", str(number))
    address = _sendable(request, who, server, row, "test")
    error, now = notify.send_test(address, row.language), time.time()
    with begin_write(server.engine) as conn:
        channel_rows.noted(conn, row.key, error, now)
    return _sent(request, who, server, Sent(number, error, is_test=True))


def remove(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Takes it away with its address; not one that the department switched off."""
    check_form(who, csrf)
    row, now = _own(who, server, number), time.time()
    if not row.is_on:
        raise _wrong(request, "name", "off")
    with begin_write(server.engine) as conn:
        channel_rows.remove(conn, number)
        _record(conn, who, "remove", row.name, number, now)
    return RedirectResponse("/me/channels", 303)


def _send_code(request: Request, who: Principal, server: Context, number: int) -> Response:
    row = _own(who, server, number)
    if row.confirmed_at is not None or not row.is_on:
        raise not_found("channel", str(number))
    address = _sendable(request, who, server, row, "code")
    code, now = own_channels.new_code(), time.time()
    with begin_write(server.engine) as conn:
        until = now + own_channels.CODE_HOLDS
        own_channel_rows.set_code(conn, number, own_channels.digest(number, code), until)
    title = server.texts.get(row.language, "own_channel.code_title", code=code)
    minutes = round(own_channels.CODE_HOLDS / 60)
    body = server.texts.get(
        row.language, "own_channel.code_body", code=code, minutes=minutes, account=who.name
    )
    error = channels.deliver(address, title, body)
    return _sent(request, who, server, Sent(number, error))


def _sent(request: Request, who: Principal, server: Context, sent: Sent) -> Response:
    return sent_on.sent_on(request, "/me/channels", sent) or _page(request, who, server, sent=sent)


def _sendable(request: Request, who: Principal, server: Context, row: ChannelRow, action: str) -> str:
    """Its address, once the sending is counted. Raises a 422 `Problem` when there was too much of it."""
    now = time.time()
    with begin_write(server.engine) as conn:
        sent = own_channel_rows.sent_since(conn, who.name, now - own_channels.HOUR)
        if sent >= own_channels.SENT_AN_HOUR:
            raise _wrong(request, "address", "too_often")
        address = channel_rows.address(conn, row.id)
        if address is None:
            raise _wrong(request, "address", "no_carrier")
        _record(conn, who, action, row.name, row.id, now)
    return address


def _record(
    conn: Connection, who: Principal, action: str, name: str, number: int, now: float, **more: object
) -> None:
    detail = {"number": number, **more}
    audit.record(conn, actor=who.name, action=f"own_channel.{action}", subject=name, detail=detail, now=now)


def _own(who: Principal, server: Context, number: int) -> ChannelRow:
    """One of one's own. Raises a 404 `Problem`, also for those of others."""
    with begin_read(server.engine) as conn:
        rows = own_channel_rows.of_account(conn, _account(who))
    found = next((row for row in rows if row.id == number), None)
    if found is None:
        raise not_found("channel", str(number))
    return found


def _account(who: Principal) -> int:
    """Who asks. Whoever has to change a first password does that before. Raises `ForbiddenError`."""
    assert who.account is not None  # only accounts have the permission "self"
    if who.must:
        raise ForbiddenError(who.must)
    return who.account


def _check_least(least: str) -> None:
    if least not in SEVERITIES:
        raise bad_field("least", ", ".join(SEVERITIES))


def _wrong(request: Request, field: str, fault: str) -> Problem:
    said = words_of(request)
    return bad_field(field, said.text(f"own_channel.fault.{fault}"), said.text(f"own_channel.{field}"))


def _page(
    request: Request,
    who: Principal,
    server: Context,
    status: int = 200,
    about: int = 0,
    trouble: str = "",
    *,
    sent: Sent | None = None,
) -> Response:
    """`about` is the channel of which a code was refused, `trouble` why."""
    account = _account(who)
    hosts = server.config.notify.own_webhook_hosts
    with begin_read(server.engine) as conn:
        rows = own_channel_rows.of_account(conn, account)
        carriers = channel_rows.carriers(conn)
        place = scopes.where(conn, [who.scope]).get(who.scope)
    kinds = [kind for kind in own_channels.KINDS if kind in carriers or (kind == "webhook" and hosts)]
    return page(
        request,
        "own_channels.html",
        who,
        status,
        at="/me/channels",
        rows=rows,
        kinds=kinds,
        hosts=hosts,
        place=place,
        severities=SEVERITIES[::-1],
        each=own_channels.EACH,
        about=about if sent is None else sent.number,
        trouble=trouble,
        sent=sent,
        why=lambda error: channel_words.failure(error, words_of(request)),
    )


ROUTES = (
    Route("GET", "/me/channels", show, "self"),
    Route("POST", "/me/channels", add, "self"),
    Route("POST", "/me/channels/{number}/code", send_again, "self"),
    Route("POST", "/me/channels/{number}/confirm", confirm, "self"),
    Route("POST", "/me/channels/{number}/change", change, "self"),
    Route("POST", "/me/channels/{number}/test", try_out, "self"),
    Route("POST", "/me/channels/{number}/remove", remove, "self"),
)
