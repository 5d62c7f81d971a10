"""What a service answers to a message is read to a limit: nobody's answer fills the memory of this process.

Apprise asks by `requests`, which reads an answer whole, however long it is, and has no door for a limit. Nor
has it one for the time that all takes: a service that says a byte a second would be listened to for days.
"""

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from threading import Event, Timer
from typing import Any

MOST = 1_000_000
"""Bytes of an answer that are read; of the rest nobody needs to know. Apprise's services say less."""

LONGEST = 60.0
"""Seconds that one message may take in all; a sender has it to itself for twice as long."""

_PIECE = 16_384

UNANSWERED = "no answer in time"
"""Why a message was not taken, as far as anybody knows: it was handed over whole, so it may have come."""

OF_PROXIES = (502, 504)
"""Answers of a gateway that got none, or no valid one, from who it passed the message on to (RFC 9110, 15.6.3
and 15.6.5): that one may have it."""

unanswered: ContextVar[Event | None] = ContextVar("unanswered", default=None)
"""Set when something was handed over whole and no whole answer of its receiver came: none in time, the line
was cut, or a proxy says so. Apprise's threads see it too."""


class _Line:
    """The line by which a message goes just now; cut, it ends whatever reads from it."""

    def __init__(self) -> None:
        self.is_cut = False
        self._open: socket.socket | None = None

    def is_now(self, line: socket.socket | None) -> None:
        """Another line, or the same one in TLS. Raises `TimeoutError` when the time is over."""
        self._open = line
        if self.is_cut:
            raise TimeoutError

    def cut(self) -> None:
        self.is_cut = True
        if self._open is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)  # as TLS' own it would wait for its lock


_line: ContextVar[_Line | None] = ContextVar("line", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is asked inside is over after so many seconds, however slowly somebody answers."""
    line = _Line()
    token, timer = _line.set(line), Timer(seconds, line.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _line.reset(token)


def may_have_come(error: str) -> bool:
    """Whether a message that failed so may have reached its receiver all the same."""
    return error.startswith(UNANSWERED)


@cache
def keep() -> None:
    """From now on, for whatever this process asks by `requests`, and for mails that it hands to a server."""
    _keep_of_web()
    _keep_of_mail()


def _keep_of_web() -> None:
    from requests import RequestException, Response, Session  # here: only who sends holds it in memory
    from urllib3.connection import HTTPConnection

    send, get_response = Session.send, HTTPConnection.getresponse

    def bounded(self: Session, request: Any, **more: Any) -> Response:
        is_taken = False
        try:
            answer = send(self, request, **{**more, "stream": True})
            is_taken = True
            if answer.status_code in OF_PROXIES:
                _note()
            if not more.get("stream"):
                _read(answer)
        except RequestException as error:
            if is_taken or _was_handed_over(error):
                _note()
            raise
        return answer

    def answered(self: HTTPConnection) -> Any:
        _uses(self.sock)
        return get_response(self)

    setattr(Session, "send", bounded)  # noqa: B010  mypy knows that it is a method
    setattr(HTTPConnection, "getresponse", answered)  # noqa: B010


def _keep_of_mail() -> None:
    data, get_reply = smtplib.SMTP.data, smtplib.SMTP.getreply

    def handed_over(self: smtplib.SMTP, message: Any) -> Any:
        try:
            told = data(self, message)
        except smtplib.SMTPResponseException:
            raise  # it was refused
        except OSError:  # also SMTPServerDisconnected
            _note()
            raise
        if (line := _line.get()) is not None and line.is_cut:
            _note()  # what was heard is the beginning of an answer
        return told

    def replied(self: smtplib.SMTP) -> Any:
        _uses(self.sock)
        return get_reply(self)

    setattr(smtplib.SMTP, "data", handed_over)  # noqa: B010
    setattr(smtplib.SMTP, "getreply", replied)  # noqa: B010


def _uses(line: socket.socket | None) -> None:
    if (now := _line.get()) is not None:
        now.is_now(line)


def _was_handed_over(error: Exception) -> bool:
    """Whether the receiver may have it: a line that was never there or is not trusted took nothing."""
    from requests import ReadTimeout
    from urllib3.exceptions import ProtocolError

    return isinstance(error, ReadTimeout) or any(isinstance(one, ProtocolError) for one in error.args)


def _note() -> None:
    if (event := unanswered.get()) is not None:
        event.set()


def _read(answer: Any) -> None:
    """Takes in the answer's beginning in place of the whole. Raises what `requests` raises."""
    read = bytearray()
    try:
        for piece in answer.iter_content(_PIECE):
            read += piece
            if len(read) >= MOST:
                break
    finally:
        answer.close()
    answer._content = bytes(read)  # noqa: SLF001  as its own reading leaves it
    answer._content_consumed = True  # noqa: SLF001
