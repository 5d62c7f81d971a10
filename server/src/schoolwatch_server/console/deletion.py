"""All data of a computer or a school deleted for good: the code typed again, and a reason."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Form, Request
from starlette.responses import Response

from schoolwatch_server import erasure
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.config import ConfigError
from schoolwatch_server.console import sent_on
from schoolwatch_server.console.page import Csrf, check_form, page
from schoolwatch_server.console.schools import school_for
from schoolwatch_server.database import lives, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.erasure import BrokerError, Clear, ErasureError

DIGITS = 8
"""Of a device's id, as lists show it: enough to say which one is meant."""

Confirm = Annotated[str, Form(max_length=40)]
Reason = Annotated[str, Form(max_length=400)]


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted: its name, its code, and rows of each table."""

    name: str
    code: str
    gone: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Doomed:
    """What is to be deleted: its address, its name, and what has to be typed."""

    kind: str
    href: str
    name: str
    code: str


def ask_device(request: Request, device: str, who: Who, server: Server) -> Response:
    """What goes with a device, and the form; or what went with it just now."""
    deleted = sent_on.taken(request, Deleted)
    if deleted is not None:
        return sent_on.said(_gone(request, who, deleted), request)
    return _asked(request, who, _device(who, server, device))


def delete_device(
    request: Request,
    device: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    confirm: Confirm = "",
    reason: Reason = "",
) -> Response:
    """Deletes all of a device, in use or retired."""
    check_form(who, csrf)
    doomed = _device(who, server, device)

    def delete(clear: Clear) -> Counter[str]:
        return erasure.delete_device(server.engine, server.config.folder, device, reason, clear, by=who.name)

    return _deleted(request, who, server, doomed, confirm, reason, delete)


def ask_school(request: Request, code: str, who: Who, server: Server) -> Response:
    """What goes with a school and what stays, and the form; or what went with it just now."""
    deleted = sent_on.taken(request, Deleted)
    if deleted is not None:
        return sent_on.said(_gone(request, who, deleted), request)
    return _asked(request, who, _school(who, server, code))


def delete_school(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    confirm: Confirm = "",
    reason: Reason = "",
) -> Response:
    """Deletes a school's devices and what is its own; broken off, sent again it goes on."""
    check_form(who, csrf)
    doomed = _school(who, server, code)

    def delete(clear: Clear) -> Counter[str]:
        return erasure.delete_school(
            server.engine, server.config.folder, doomed.code, reason, clear, by=who.name
        )

    return _deleted(request, who, server, doomed, confirm, reason, delete)


def _device(who: Principal, server: Context, device: str) -> _Doomed:
    with begin_read(server.engine) as conn:
        row = registry.device(conn, device, who.scope)
        if row is None and lives.retired(conn, device, who.scope) is None:
            raise not_found("device", device)
    label = device[:DIGITS] if row is None else f"{row.label or device[:DIGITS]} · {row.school}"
    return _Doomed("device", f"/devices/{device}", label, device[:DIGITS])


def _school(who: Principal, server: Context, code: str) -> _Doomed:
    name = school_for(who, server, code).name
    return _Doomed("school", f"/schools/{code}", name, code)  # its own is empty when it was merged away


def _asked(
    request: Request, who: Principal, doomed: _Doomed, status: int = 200, trouble: str = "", reason: str = ""
) -> Response:
    return page(
        request,
        "deletion.html",
        who,
        status,
        at=f"{doomed.href}/deletion",
        doomed=doomed,
        trouble=trouble,
        reason=reason,
        least=erasure.REASON_MIN,
        most=erasure.REASON_MAX,
    )


def _deleted(
    request: Request,
    who: Principal,
    server: Context,
    doomed: _Doomed,
    confirm: str,
    reason: str,
    delete: Callable[[Clear], Counter[str]],
) -> Response:
    if confirm.strip() != doomed.code:
        return _asked(request, who, doomed, 422, "confirm", reason)
    if not erasure.is_reason(reason):
        return _asked(request, who, doomed, 422, "reason", reason)
    try:
        gone = delete(erasure.broker(server.config))
    except (BrokerError, ConfigError):
        return _asked(request, who, doomed, 503, "broker", reason)
    except ErasureError:
        return _asked(request, who, doomed, 503, "other", reason)
    deleted = Deleted(doomed.name, doomed.code, dict(sorted(gone.items())))
    sent = sent_on.sent_on(request, f"{doomed.href}/deletion", deleted)
    return sent or _gone(request, who, deleted)


def _gone(request: Request, who: Principal, deleted: Deleted) -> Response:
    return page(request, "deleted.html", who, at="/", deleted=deleted)


ROUTES = (
    Route("GET", "/devices/{device}/deletion", ask_device, "erase"),
    Route("POST", "/devices/{device}/deletion", delete_device, "erase"),
    Route("GET", "/schools/{code}/deletion", ask_school, "erase"),
    Route("POST", "/schools/{code}/deletion", delete_school, "erase"),
)
