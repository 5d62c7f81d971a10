"""What a head vouches for, written into the answer in the words of the record, which is Vietnamese."""

import time

from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import figures
from schoolwatch_server.database.engine import begin_read


def vouched(server: Context, who: Principal, school_id: int, note: str) -> str:
    """The note, and behind it the figures of this moment."""
    words = Words("vi", server.texts)
    with begin_read(server.engine) as conn:
        found = figures.figures(conn, who.scope, school_id, time.time())
    told = "; ".join(
        f"{words.text(f'claims.figure.{name}')} {words.number(value)}" for name, value in found.items()
    )
    return f"{note} {words.text('claims.vouched')} {told}.".strip()


def note_of(server: Context, text: str) -> str:
    """What somebody had written before the figures."""
    return text.partition(server.texts.get("vi", "claims.vouched"))[0].strip()
