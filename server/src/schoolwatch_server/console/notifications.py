"""Channels of notification: who may be told and how, whether it works, and the sign of life."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path as FilePath
from typing import Annotated

import msgspec
from fastapi import Form, Path, Request
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import channels, dead_man, notify
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import channel_words, sent_on
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import audit, channel_rows, deliveries, duty_rows
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.texts import is_language

Number = Annotated[int, Path(ge=1, le=2**62)]
Name = Annotated[str, Form(max_length=80)]
Address = Annotated[str, Form(max_length=channels.ADDRESS_MAX + 100)]
Choice = Annotated[str, Form(max_length=10)]

MESSAGES = 30
PING_LEAST, PING_MOST = 30, 3600
"""Seconds between two signs of life."""


class Tested(msgspec.Struct, frozen=True):
    """A channel that a test message was sent to, and why it could not be: empty is well."""

    name: str
    error: str


def show(request: Request, who: Who, server: Server) -> Response:
    """The page, and how a test went that was asked for just now."""
    return sent_on.said(_page(request, who, server, sent_on.taken(request, Tested)), request)


def add(  # nosec B107 # a form may leave the password out
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    name: Name = "",
    address: Address = "",
    language: Choice = "vi",
    account: Name = "",
    host: Address = "",
    mode: Choice = "starttls",
    port: Choice = "",
    user: Address = "",
    password: Address = "",
    sender: Address = "",
    receiver: Address = "",
) -> Response:
    """A new channel; its address is sealed and never shown again. A mailbox is told in parts, without one."""
    check_form(who, csrf)
    name, now = " ".join(name.split()), time.time()
    if not address and (host or receiver):
        box = channels.Mailbox(
            host.strip(), mode, port.strip(), user.strip(), password, sender.strip(), receiver.strip()
        )
        address = _of_mailbox(request, box)
    if not name or not name.isprintable():
        raise _wrong(request, "name", "no_name", "name")
    if not is_language(language):
        raise bad_field("language", "vi, en")
    kind = _kind(request, address.strip())
    try:
        with begin_write(server.engine) as conn:
            if len(_common(channel_rows.listed(conn))) >= channel_rows.CHANNELS_MAX:
                raise _wrong(request, "name", "too_many", "name")
            owner = None
            if account.strip():
                found = accounts.account_by_name(conn, account.strip())
                if found is None:
                    raise _wrong(request, "account", "no_account", "account")
                owner = found.id
            number = channel_rows.add(conn, name, kind, address.strip(), language, owner, now)
            detail = {"number": number, "kind": kind, "account": account.strip()}
            audit.record(conn, actor=who.name, action="channel.add", subject=name, detail=detail, now=now)
    except IntegrityError as error:
        raise _wrong(request, "name", "taken", "name") from error
    return RedirectResponse("/notifications", 303)


def set_address(
    request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "", address: Address = ""
) -> Response:
    """Another address in place of the one before."""
    check_form(who, csrf)
    kind, now = _kind(request, address.strip()), time.time()
    with begin_write(server.engine) as conn:
        row = channel_rows.found(conn, number)
        if row is None or row.is_self_made:
            raise not_found("channel", str(number))
        channel_rows.set_address(conn, number, kind, address.strip(), now)
        detail = {"number": number, "kind": kind}
        audit.record(conn, actor=who.name, action="channel.change", subject=row.name, detail=detail, now=now)
    return RedirectResponse("/notifications", 303)


def switch(number: Number, who: Who, server: Server, csrf: Csrf = "", on: Choice = "") -> Response:
    """Switches a channel on, or off: then it is told nothing, and what waits for it is given up."""
    check_form(who, csrf)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = channel_rows.found(conn, number)
        if row is None:
            raise not_found("channel", str(number))
        channel_rows.switch(conn, number, now, is_on=on == "yes")
        detail = {"number": number, "on": on == "yes"}
        audit.record(conn, actor=who.name, action="channel.switch", subject=row.name, detail=detail, now=now)
    return RedirectResponse("/notifications", 303)


def carry(number: Number, who: Who, server: Server, csrf: Csrf = "", on: Choice = "") -> Response:
    """Whether this mailbox or bot sends what goes to addresses that accounts set up for themselves."""
    check_form(who, csrf)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = channel_rows.found(conn, number)
        if row is None or row.is_own or row.kind not in channels.CARRIED:
            raise not_found("channel", str(number))
        channel_rows.carry(conn, number, row.kind, now, carries=on == "yes")
        detail = {"number": number, "on": on == "yes"}
        audit.record(conn, actor=who.name, action="channel.carry", subject=row.name, detail=detail, now=now)
    return RedirectResponse("/notifications", 303)


def remove(number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Takes a channel away, with its address and its places in the duty list."""
    check_form(who, csrf)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = channel_rows.found(conn, number)
        if row is None or not channel_rows.remove(conn, number):
            raise not_found("channel", str(number))
        detail = {"number": number}
        audit.record(conn, actor=who.name, action="channel.remove", subject=row.name, detail=detail, now=now)
    return RedirectResponse("/notifications", 303)


def try_out(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Sends a test message and says what became of it."""
    check_form(who, csrf)
    with begin_read(server.engine) as conn:
        row, address = channel_rows.found(conn, number), channel_rows.address(conn, number)
    if row is None or address is None:
        raise not_found("channel", str(number))
    error, now = notify.send_test(address, row.language), time.time()
    with begin_write(server.engine) as conn:
        channel_rows.noted(conn, row.key, error, now)
        detail = {"number": number, "error": error}
        audit.record(conn, actor=who.name, action="channel.test", subject=row.name, detail=detail, now=now)
    return _tested(request, who, server, Tested(row.name, error))


def try_filed(request: Request, who: Who, server: Server, csrf: Csrf = "", name: Name = "") -> Response:
    """The same of a channel of the settings' file."""
    check_form(who, csrf)
    address = filed(server).get(name)
    if address is None:
        raise not_found("channel", name)
    error, now = notify.send_test(address), time.time()
    with begin_write(server.engine) as conn:
        detail = {"error": error}
        audit.record(conn, actor=who.name, action="channel.test", subject=name, detail=detail, now=now)
    return _tested(request, who, server, Tested(name, error))


def _tested(request: Request, who: Principal, server: Context, tested: Tested) -> Response:
    return sent_on.sent_on(request, "/notifications", tested) or _page(request, who, server, tested)


def set_ping(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    url: Address = "",
    every: Choice = "60",
) -> Response:
    """Where the sign of life goes; an empty address ends it."""
    check_form(who, csrf)
    said = words_of(request)
    seconds = int(every) if every.isascii() and every.isdigit() else 0
    if not PING_LEAST <= seconds <= PING_MOST:
        raise bad_field("every", f"{PING_LEAST}-{PING_MOST}", said.text("duty.ping_every"))
    if url.strip():
        try:
            dead_man.check(url.strip())
        except ValueError as error:
            raise bad_field("url", said.text("duty.ping_fault"), said.text("duty.ping_url")) from error
    dead_man.set_url(server.engine, url.strip(), seconds, who.name, time.time())
    return RedirectResponse("/notifications#ping", 303)


def _kind(request: Request, address: str) -> str:
    """The kind of an address that Apprise takes. Raises a 422 `Problem` that never quotes it."""
    try:
        channels.check(address)
    except channels.AddressError as error:
        raise _wrong(request, "address", error.fault, "address") from None
    return channels.kind(address)


def _of_mailbox(request: Request, box: channels.Mailbox) -> str:
    try:
        return box.address()
    except channels.AddressError as error:
        raise _wrong(request, error.fault.removeprefix("mail_"), error.fault, error.fault) from None


def everybodys(in_file: Iterable[str], rows: Iterable[channel_rows.ChannelRow]) -> set[str]:
    """Keys of the channels that are told where the duty list names nobody."""
    return {
        *(name for name in in_file if not channels.is_alertmanager(name)),
        *(row.key for row in rows if row.is_on and not row.is_own and row.gets_messages),
    }


def naming(conn: Connection, who: Principal, words: Words) -> Callable[[str], str]:
    """What the channel behind a key is called for who asks.

    Channels bear names of people on duty: only who sees the duty list reads them.
    """
    if not may(who, "system"):
        return lambda _: words.text("channel.one")
    rows = channel_rows.listed(conn)
    return lambda key: channel_words.named(key, rows, words)


def _wrong(request: Request, field: str, fault: str, label: str) -> Problem:
    said = words_of(request)
    return bad_field(field, said.text(f"channel.fault.{fault}"), said.text(f"channel.{label}"))


def filed(server: Context) -> dict[str, str]:
    """The channels of the settings' file; none when it can't be used: the log of evaluate says why."""
    file = server.config.notify.urls_file
    try:
        return channels.read(FilePath(file) if file else None)
    except channels.ChannelError:
        return {}


def _common(rows: Iterable[channel_rows.ChannelRow]) -> list[channel_rows.ChannelRow]:
    return [row for row in rows if not row.is_self_made]


def _page(request: Request, who: Principal, server: Context, tested: Tested | None = None) -> Response:
    in_file, words = filed(server), words_of(request)
    with begin_read(server.engine) as conn:
        rows = channel_rows.listed(conn)
        return page(
            request,
            "notifications.html",
            who,
            at="/notifications",
            rows=_common(rows),
            self_made=[row for row in rows if row.is_self_made],
            filed=[(name, channels.kind(address)) for name, address in in_file.items()],
            named=lambda key: channel_words.named(key, rows, words),
            why=lambda error: channel_words.failure(error, words),
            sent=deliveries.newest(conn, MESSAGES),
            settings=duty_rows.settings(conn),
            tested=tested,
            modes=list(channels.MODES),
            has_duty=bool(duty_rows.shifts(conn)),
        )


ROUTES = (
    Route("GET", "/notifications", show, "system"),
    Route("POST", "/notifications/channels", add, "duty"),
    Route("POST", "/notifications/channels/{number}/address", set_address, "duty"),
    Route("POST", "/notifications/channels/{number}/switch", switch, "duty"),
    Route("POST", "/notifications/channels/{number}/test", try_out, "duty"),
    Route("POST", "/notifications/channels/{number}/carry", carry, "duty"),
    Route("POST", "/notifications/channels/{number}/remove", remove, "duty"),
    Route("POST", "/notifications/filed/test", try_filed, "duty"),
    Route("POST", "/notifications/ping", set_ping, "duty"),
)
