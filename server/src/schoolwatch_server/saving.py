"""Adds a version of a pack or rule to what is kept, with its line in the audit log; or refuses."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.saved import Saved, VersionError


def add(
    engine: Engine,
    one: Saved[Any],
    write: Callable[[Connection], None],
    *,
    stamp: Callable[[Connection], int],
    seen: int,
    action: str,
    detail: dict[str, Any],
) -> None:
    """Writes a version and tells of it, unless somebody saved another since the `stamp` was `seen`.

    Raises `VersionError`; then nothing is written.
    """
    try:
        with begin_write(engine) as conn:
            if stamp(conn) != seen:
                raise VersionError("changed_meanwhile")
            write(conn)
            audit.record(
                conn, actor=one.saved_by, action=action, subject=one.name, detail=detail, now=one.saved_at
            )
    except IntegrityError as error:  # at the very same moment
        raise VersionError("changed_meanwhile") from error
