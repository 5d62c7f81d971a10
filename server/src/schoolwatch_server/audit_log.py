"""The audit log as people and inspectors use it: verified, noted outside the database, and written out."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from schoolwatch_server import audit_chain, audit_checkpoints
from schoolwatch_server.audit_chain import Entry, Verified
from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.reports.pen import harmless, instant
from schoolwatch_server.terms import TERMS

Form = Literal["csv", "jsonl"]

COLUMNS = ("id", "time", "actor", "action", "subject", "detail", "at", "previous", "hash")
"""`time` is for people (Vietnam's time), `at` the same in UTC seconds, exactly as it was hashed."""


def verify(engine: Engine, folder: Path) -> Verified:
    """Reads all of it and compares it with what was noted in the data folder. Raises `CheckpointsError`."""
    # before the log: what is noted meanwhile is not missing in an older view of it
    noted = audit_checkpoints.read(audit_checkpoints.path_in(folder))
    with begin_read(engine) as conn:
        return audit_chain.verify(audit.entries(conn), audit.head(conn), noted, TERMS["audit"].least)


def note(engine: Engine, folder: Path, now: float) -> bool:
    """Notes the end of the log outside the database; whether it had grown. Raises `CheckpointsError`."""
    with begin_read(engine) as conn:
        end = audit.head(conn)
    return audit_checkpoints.keep(audit_checkpoints.path_in(folder), end, now)


@contextmanager
def export(
    engine: Engine, since: float | None, until: float | None, form: Form, *, by: str, now: float
) -> Iterator[Iterator[bytes]]:
    """The rows of a time as a file, in pieces; that somebody took it is a row of the log itself."""
    with begin_write(engine) as conn:
        detail = {"since": since, "until": until, "form": form}
        audit.record(conn, actor=by, action="audit.export", subject="", detail=detail, now=now)
    with begin_read(engine) as conn:
        yield _file(audit.entries(conn, since, until), form)


def _file(entries: Iterator[Entry], form: Form) -> Iterator[bytes]:
    if form == "csv":
        yield ("\ufeff" + _csv(COLUMNS)).encode()
    for entry in entries:
        yield (_csv(_cells(entry)) if form == "csv" else _json(entry)).encode()


def _json(entry: Entry) -> str:
    """The eight fields that are hashed, with their hash; a line each."""
    return json.dumps({name: getattr(entry, name) for name in Entry.__slots__}, ensure_ascii=False) + "\n"


def _cells(entry: Entry) -> tuple[str, ...]:
    told = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
    texts = (entry.actor, entry.action, entry.subject, told)
    return (
        str(entry.id),
        instant(entry.at) or "",
        *map(harmless, texts),
        repr(entry.at),
        entry.previous,
        entry.hash,
    )


def _csv(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
