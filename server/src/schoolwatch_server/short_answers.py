"""What a service answers to a message is read to a limit: nobody's answer fills the memory of this process.

Apprise asks by `requests`, which reads an answer whole, however long it is, and has no door for a limit.
"""

from contextvars import ContextVar
from functools import cache
from threading import Event
from typing import Any

MOST = 1_000_000
"""Bytes of an answer that are read; of the rest nobody needs to know. Apprise's services say less."""

_PIECE = 16_384

UNANSWERED = "no answer in time"
"""Why a message was not taken, as far as anybody knows: it was handed over whole, so it may have come."""

unanswered: ContextVar[Event | None] = ContextVar("unanswered", default=None)
"""Set when a service was handed something whole and did not answer in time; Apprise's threads see it too."""


@cache
def keep() -> None:
    """From now on, for whatever this process asks by `requests`."""
    from requests import ReadTimeout, Response, Session  # here: only who sends holds it in memory

    send = Session.send

    def bounded(self: Session, request: Any, **more: Any) -> Response:
        try:
            answer = send(self, request, **{**more, "stream": True})
            if not more.get("stream"):
                _read(answer)
        except ReadTimeout:
            if (event := unanswered.get()) is not None:
                event.set()
            raise
        return answer

    setattr(Session, "send", bounded)  # noqa: B010  mypy knows that it is a method


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
