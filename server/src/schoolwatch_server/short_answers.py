"""What a service answers to a message is read to a limit: nobody's answer fills the memory of this process.

Apprise asks by `requests`, which reads an answer whole, however long it is, and has no door for a limit.
"""

import smtplib
from contextvars import ContextVar
from functools import cache
from threading import Event
from typing import Any

MOST = 1_000_000
"""Bytes of an answer that are read; of the rest nobody needs to know. Apprise's services say less."""

_PIECE = 16_384

UNANSWERED = "no answer in time"
"""Why a message was not taken, as far as anybody knows: it was handed over whole, so it may have come."""

OF_PROXIES = (502, 504)
"""Answers of a gateway that got none, or no valid one, from who it passed the message on to (RFC 9110, 15.6.3
and 15.6.5): that one may have it."""

unanswered: ContextVar[Event | None] = ContextVar("unanswered", default=None)
"""Set when something was handed over whole and no whole answer of its receiver came: none in time, the line
was cut, or a proxy says so. Apprise's threads see it too."""


def may_have_come(error: str) -> bool:
    """Whether a message that failed so may have reached its receiver all the same."""
    return error.startswith(UNANSWERED)


@cache
def keep() -> None:
    """From now on, for whatever this process asks by `requests`, and for mails that it hands to a server."""
    from requests import RequestException, Response, Session  # here: only who sends holds it in memory

    send, data = Session.send, smtplib.SMTP.data

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

    def handed_over(self: smtplib.SMTP, message: Any) -> Any:
        try:
            return data(self, message)
        except smtplib.SMTPResponseException:
            raise  # it was refused
        except OSError:  # also SMTPServerDisconnected
            _note()
            raise

    setattr(Session, "send", bounded)  # noqa: B010  mypy knows that it is a method
    setattr(smtplib.SMTP, "data", handed_over)  # noqa: B010


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
