"""What was deleted and ended since a copy was made: newer copies know, and so does the old data folder."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import deletions, endings, lasting
from schoolwatch_server.backup import gather, manifest
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.restic import Restic, Snapshot
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import deleted, ended
from schoolwatch_server.deletions import Deletion
from schoolwatch_server.endings import Ending
from schoolwatch_server.lasting import LastingError, Line

log = logging.getLogger(__name__)

_UNREADABLE = frozenset({"damaged", "not_ours", "newer", "lists", "crashed"})


@dataclass(frozen=True, slots=True)
class Known:
    """Both lists, and the newest instant (UTC seconds) up to which they are known to be whole."""

    upto: float
    deleted: tuple[Deletion, ...] = ()
    ended: tuple[Ending, ...] = ()

    def put(self, folder: Path) -> None:
        """Into a data folder, beside what its own lists hold. Raises `LastingError`."""
        _put(deletions.path_in(folder), Deletion, self.deleted)
        _put(endings.path_in(folder), Ending, self.ended)


def _put(path: Path, kind: type[Line], lines: Sequence[Line]) -> None:
    """A list that can't be read is set aside: it keeps nobody from what the copy holds besides."""
    own: tuple[Line, ...] = ()
    try:
        own = lasting.read(path, kind)
    except LastingError as error:
        aside = path.with_name(f"{path.name}.unreadable")
        path.rename(aside)
        log.error("%s; it is set aside as %s", error, aside.name)  # noqa: TRY400  the line says all
    if own or lines:
        lasting.write(path, {*own, *lines})


@dataclass(frozen=True, slots=True)
class Again:
    """What an older database brought back: how many devices and schools were deleted, and what was ended."""

    deleted: Counter[str] = field(default_factory=Counter)
    ended: tuple[Ending, ...] = ()


def newer(store: Restic, copies: Sequence[Snapshot], chosen: Snapshot, folder: Path | None = None) -> Known:
    """What the newest copy of each machine tells, and the lists in a folder that a person names.

    Raises `BackupError`.
    """
    since = [one for one in reversed(copies) if one.time >= chosen.time]
    hosts = {one.hostname for one in since}
    told = [_newest(store, [one for one in since if one.hostname == host], chosen) for host in sorted(hosts)]
    if folder is not None:
        told.append(_of_folder(folder))
    return Known(
        max(one.upto for one in told),
        tuple({line for one in told for line in one.deleted}),
        tuple({line for one in told for line in one.ended}),
    )


def _newest(store: Restic, copies: Sequence[Snapshot], chosen: Snapshot) -> Known:
    """The newest that can be read: an older copy may be restored because a newer one is damaged."""
    for one in copies:
        try:
            return _of_copy(store, one)
        except BackupError as error:
            if error.trouble not in _UNREADABLE:
                raise
            log.warning("copy %s can't be read (%s): an older one says what was deleted", one.short_id, error)
    return Known(chosen.time.timestamp())


def _of_copy(store: Restic, copy: Snapshot) -> Known:
    made = manifest.read(store.dump(copy.id, manifest.NAME))

    def lines(name: str, kind: type[Line]) -> tuple[Line, ...]:
        path = f"{gather.DATA}/{name}"
        if path not in made.files:
            return ()
        try:
            return lasting.parse(store.dump(copy.id, path), path, kind)
        except LastingError as error:
            raise BackupError("lists", file=f"{copy.short_id}:{path}", detail=error) from error

    return Known(made.taken_at, lines(deletions.NAME, Deletion), lines(endings.NAME, Ending))


def _of_folder(folder: Path) -> Known:
    """The lists of an old data folder, one of which at least is there."""
    paths = (deletions.path_in(folder), endings.path_in(folder))
    try:
        upto = max(path.stat().st_mtime for path in paths if path.exists())
        return Known(upto, lasting.read(paths[0], Deletion), lasting.read(paths[1], Ending))
    except ValueError as error:  # none of them; or a line that is none
        detail = error if isinstance(error, LastingError) else f"neither {deletions.NAME} nor {endings.NAME}"
        raise BackupError("lists", file=folder, detail=detail) from error
    except OSError as error:
        raise BackupError("lists", file=folder, detail=error.strerror) from error


def note(engine: Engine, folder: Path) -> int:
    """Brings a data folder's list of what people ended up to date; how many it had not known.

    A list that can't be used is logged: it keeps no server from working.
    """
    try:
        return ended.note(engine, endings.path_in(folder), time.time())
    except LastingError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        return 0


def again(engine: Engine, folder: Path) -> Again:
    """Deletes and ends again what an older database brought back, by the lists of a data folder.

    Raises `LastingError`.
    """
    now = time.time()
    known = lasting.read(deletions.path_in(folder), Deletion)
    return Again(deleted.again(engine, known, now), ended.again(engine, endings.path_in(folder), now))


def look(config: ServerConfig, engine: Engine) -> Again:
    """The same at a start, whatever way an older database got here; a list that can't be used is logged."""
    try:
        found = again(engine, config.folder)
    except LastingError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        return Again()
    if found != Again():
        log.warning(
            "an older database is in place: deleted again: %s; ended again: %s; the audit log names them",
            dict(found.deleted),
            dict(Counter(one.kind for one in found.ended)),
        )
    return found
