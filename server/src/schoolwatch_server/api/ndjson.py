"""Answers of one JSON object a line, sent as they are made."""

from collections.abc import Iterable

from starlette.responses import StreamingResponse

MEDIA_TYPE = "application/x-ndjson"


def answer(lines: Iterable[bytes], name: str, *, simulated: bool) -> StreamingResponse:
    """A download; `name` is ASCII without quotes or ending. Made-up data say so in it."""
    called = f"{'simulated-' * simulated}{name}.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{called}"'}
    return StreamingResponse(lines, media_type=MEDIA_TYPE, headers=headers)
