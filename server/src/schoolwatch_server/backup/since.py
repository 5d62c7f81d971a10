"""What was deleted and ended since a copy was made: newer copies know, and so does the old data folder."""

import errno
import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import audit_checkpoints, deletions, endings, lasting
from schoolwatch_server.audit_chain import Checkpoint
from schoolwatch_server.backup import gather, manifest
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.restic import Restic, Snapshot
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import copies, deleted, ended
from schoolwatch_server.database.engine import DatabaseError, begin_read, history, open_database
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
    """A list that can't be read keeps nobody from what the copy holds besides."""
    own, _ = lasting.read_or_mend(path, kind)
    if own or lines:
        lasting.write(path, {*own, *lines})


@dataclass(frozen=True, slots=True)
class Faulty:
    """A list by its name in the data folder, and why not all of it can be used; empty: it is gone."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Again:
    """What an older database brought back: how many devices and schools were deleted, and what was ended.

    `older` is where the audit log had come to (a start alone asks), `faulty` what could not be used for it.
    """

    deleted: Counter[str] = field(default_factory=Counter)
    ended: tuple[Ending, ...] = ()
    older: Checkpoint | None = None
    faulty: tuple[Faulty, ...] = ()


def newer(store: Restic, copies: Sequence[Snapshot], chosen: Snapshot, folder: Path | None = None) -> Known:
    """What this server's newest copy on each machine tells, and the lists in a folder that a person names.

    Of several servers whose copies lie together, the others' are left alone. Raises `BackupError`.
    """
    made = manifest.read(store.dump(chosen.id, manifest.NAME))
    since = [one for one in reversed(copies) if one.time >= chosen.time]
    hosts = sorted({one.hostname for one in since})
    of_hosts = ([one for one in since if one.hostname == host] for host in hosts)
    told = [Known(made.taken_at), *(_newest(store, some, made.history) for some in of_hosts)]
    if folder is not None:
        told.append(_of_folder(folder))
    return Known(
        max(one.upto for one in told),
        tuple({line for one in told for line in one.deleted}),
        tuple({line for one in told for line in one.ended}),
    )


def _newest(store: Restic, copies: Sequence[Snapshot], history: str) -> Known:
    """The newest that can be read: an older copy may be restored because a newer one is damaged."""
    for one in copies:
        try:
            found = _of_copy(store, one, history)
        except BackupError as error:
            if error.trouble not in _UNREADABLE:
                raise
            log.warning("copy %s can't be read (%s): an older one says what was deleted", one.short_id, error)
            continue
        if found is not None:
            return found
    return Known(0.0)


def _of_copy(store: Restic, copy: Snapshot, history: str) -> Known | None:
    """None for a copy of another server."""
    made = manifest.read(store.dump(copy.id, manifest.NAME))
    if made.history != history:
        return None

    def lines(name: str, kind: type[Line]) -> tuple[Line, ...]:
        path = f"{gather.DATA}/{name}"
        if path not in made.files:
            return ()
        try:
            return lasting.parse(store.dump(copy.id, path), path, kind)
        except LastingError as error:
            raise BackupError("lists", file=f"{copy.short_id}:{path}", detail=error) from error

    return Known(made.listed_at, lines(deletions.NAME, Deletion), lines(endings.NAME, Ending))


def _of_folder(folder: Path) -> Known:
    """The lists of an old data folder, one of which at least is there; known up to their newest line."""
    paths = (deletions.path_in(folder), endings.path_in(folder))
    if not any(path.exists() for path in paths):
        detail = f"{deletions.NAME}, {endings.NAME}: {os.strerror(errno.ENOENT)}"
        raise BackupError("lists", file=folder, detail=detail)
    try:
        found = lasting.read(paths[0], Deletion), lasting.read(paths[1], Ending)
    except LastingError as error:
        raise BackupError("lists", file=folder, detail=error) from error
    newest = [one.at for one in found[0]] + [one.at for one in found[1]]
    return Known(max(newest, default=0.0), *found)


def note(engine: Engine, folder: Path) -> bool:
    """Brings a data folder's list of what people ended up to date; whether it is.

    A list that can't be written is logged: it keeps no server from working.
    """
    try:
        ended.note(engine, endings.path_in(folder))
    except LastingError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        return False
    return True


_ON_THE_WAY = 60.0
"""Seconds that a transaction may have been under way when the list was brought up to date."""


def prove(engine: Engine, folder: Path, listed_at: float) -> None:
    """Sees that a copy's lists can be read, and name what its audit log tells of. Raises `BackupError`."""
    for path, kind in ((deletions.path_in(folder), Deletion), (endings.path_in(folder), Ending)):
        why = lasting.trouble(path, kind)
        if why:
            raise BackupError("lists_damaged", file=f"audit/{path.name}", detail=why)
    lacking = ended.lacking(engine, endings.path_in(folder), listed_at - _ON_THE_WAY)
    if lacking:
        raise BackupError("lists_lacking", file=endings.NAME, count=lacking)


def note_newest(config: ServerConfig) -> str:
    """The same before an older database takes the place of this one; the history of both.

    Empty for a database of another version than this program's: it is left as it is.
    """
    try:
        engine = open_database(config.database_url, config.master_key)
    except DatabaseError:
        return ""
    try:
        note(engine, config.folder)
        with begin_read(engine) as conn:
            return history(conn)
    finally:
        engine.dispose()


def ended_after(folder: Path, at: float) -> Again:
    """What the list of a data folder says was ended after an instant (UTC seconds) and was not undone."""
    known, _ = lasting.read_or_mend(endings.path_in(folder), Ending)
    return Again(ended=tuple(one for one in endings.lasting_ones(known) if one.at > at))


def again(engine: Engine, folder: Path) -> Again:
    """Deletes and ends again what an older database brought back, by the lists of a data folder.

    Raises `LastingError`.
    """
    _older(engine, folder)  # what was noted beside the copy is told by whoever restores it
    known = lasting.read(deletions.path_in(folder), Deletion)
    return Again(deleted.again(engine, known, time.time()), _ended(engine, folder))


def _ended(engine: Engine, folder: Path) -> tuple[Ending, ...]:
    return ended.again(engine, endings.path_in(folder), time.time())


def look(config: ServerConfig, engine: Engine) -> Again:
    """The same at a start, whatever way an older database got here; a list that can't be used is told.

    Nobody stays signed in then: sessions that were ended would be open again.
    """
    folder = config.folder
    older = _older(engine, folder)
    faulty = _faulty(engine, folder)
    try:
        known, _ = lasting.read_or_mend(deletions.path_in(folder), Deletion)
        if Faulty(deletions.NAME, "") in faulty:
            lasting.write(deletions.path_in(folder), known)  # told once
        gone = deleted.again(engine, known, time.time())
    except LastingError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        gone = Counter()
    note(engine, folder)
    try:
        back = _ended(engine, folder)
    except LastingError as error:
        log.error("%s", error)  # noqa: TRY400  as above
        back = ()
    found = Again(gone, back, older, faulty)
    if older or gone or back:
        copies.end_sessions(engine)
        log.warning(
            "an older database is in place: what was ended since is ended again; the audit log names it"
        )
    for one in faulty:
        log.error("%s: not all of it can be used: what an older copy lets in may be in", one.name)
    return found


def _older(engine: Engine, folder: Path) -> Checkpoint | None:
    """Where the audit log had come to by what was noted beside it, when it ends before that; told once."""
    try:
        noted = audit_checkpoints.read(audit_checkpoints.path_in(folder))
    except audit_checkpoints.CheckpointsError:
        return None  # `audit verify` says so
    last = max(noted, key=lambda one: one.at, default=None)
    return last if last is not None and ended.goes_back(engine, last) else None


def _faulty(engine: Engine, folder: Path) -> tuple[Faulty, ...]:
    why = {
        deletions.NAME: lasting.trouble(deletions.path_in(folder), Deletion),
        endings.NAME: lasting.trouble(endings.path_in(folder), Ending),
    }
    found = [Faulty(name, text) for name, text in why.items() if text]
    if deleted.is_gone(engine, deletions.path_in(folder)):
        found.append(Faulty(deletions.NAME, ""))
    if ended.is_gone(engine, endings.path_in(folder)):
        found.append(Faulty(endings.NAME, ""))
    return tuple(found)
