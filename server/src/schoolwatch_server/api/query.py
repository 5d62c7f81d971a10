"""Query parameters that several lists take, with their bounds."""

from typing import Annotated

from fastapi import Query

from schoolwatch_server.api import times
from schoolwatch_server.api.problems import bad_field

MOST = 500
"""Rows of one page."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="Rows of a page")]
Cursor = Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before; 0 is the first")]
CODE = r"^[0-9A-Za-z._-]{1,20}$"
SchoolCode = Annotated[str | None, Query(pattern=CODE, description="Mã trường")]
DeviceName = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="32 hex digits")]
NAME = r"^[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)+$"
INSTANT = "RFC 3339 with an offset, such as 2026-11-23T03:04:05Z"


def instant(field: str, text: str | None) -> float | None:
    """UTC seconds of a parameter. Raises a 422 `Problem` that names it."""
    if text is None:
        return None
    try:
        return times.parse(text)
    except (ValueError, OverflowError) as error:
        raise bad_field(field, f"not a time of RFC 3339 ({error})") from error
