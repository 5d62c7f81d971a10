"""Makes one copy: gathers it in a private place, and gives it to restic."""

import contextlib
import errno
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy.exc import DBAPIError

from schoolwatch_server import advice
from schoolwatch_server.backup import gather, passphrase, place, restic, since, status, target
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.manifest import Manifest
from schoolwatch_server.backup.restic import Restic
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database.engine import DatabaseError, begin_read, history, open_database
from schoolwatch_server.sections import Backup


@dataclass(frozen=True, slots=True)
class Made:
    """A copy, and whether the old ones could be thinned out (`kept` is the reason that they could not)."""

    manifest: Manifest
    done: status.Done
    kept: BackupError | None


def repository(settings: Backup, cache: Path | None = None) -> Restic:
    """The repository that settings name. Raises `BackupError`."""
    place_ = target.parse(settings.target, ssh_key=settings.ssh_key, known_hosts=settings.known_hosts)
    return Restic(restic.find(settings.program), place_, passphrase.find(settings.passphrase_file), cache)


def back_up(config: ServerConfig) -> Made:
    """One copy, noted in the status whatever it comes to. Raises `BackupError`."""
    begun = time.time()
    try:
        made = _back_up(config, begun)
    except BackupError as error:
        if error.trouble != "running":
            failed = status.Failed(time.time(), error.trouble, error.values)
            with contextlib.suppress(OSError):  # this disk may be the full one: the error itself is told
                status.change(config.folder, tried_at=begun, failed=failed)
        raise
    status.change(config.folder, tried_at=begun, done=made.done)
    return made


def _back_up(config: ServerConfig, begun: float) -> Made:
    store = repository(config.backup, config.folder / "backup" / "cache")
    with place.stage(config.folder, gather.needed(config)) as stage:
        is_first = not _open(store, config.folder)
        manifest = _gather(config, stage)
        if store.target.folder is not None and is_first:
            place.room(store.target.folder, manifest.size() // 4)  # the first copy; deflated it is smaller
        added = store.backup(stage, socket.gethostname())
        kept = _thin(store, config.backup)
    done = status.Done(
        manifest.taken_at,
        time.time() - begun,
        store.target.name,
        added.snapshot_id[:8],
        added.data_added,
        added.total_bytes_processed,
        manifest.rows,
    )
    return Made(manifest, done, kept)


def _open(store: Restic, data: Path) -> bool:
    """Whether there are copies already. Makes the repository when this server never had one there.

    One that is gone is not made anew: a disk that isn't mounted looks like an empty folder, and copies would
    fill the wrong disk without a word.
    """
    try:
        return bool(store.snapshots().copies)
    except BackupError as error:
        if error.trouble != "no_repository":
            raise
        known = status.read(data)
        if known is None or (known.done is not None and known.done.target == store.target.name):
            raise BackupError("gone", target=store.target.name) from error
        store.init()
        return False


def _gather(config: ServerConfig, stage: Path) -> Manifest:
    try:
        return gather.gather(config, stage, *_note(config))
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise BackupError("disk_full", target=stage, detail=error.strerror) from error
        raise BackupError("other", target=error.filename or stage, detail=error.strerror or error) from error
    except DatabaseError as error:
        raise BackupError("database", detail=error) from error
    except DBAPIError as error:  # its own text may quote rows
        raise BackupError("database", detail=advice.line(error)) from error


def _note(config: ServerConfig) -> tuple[str, float]:
    """The database's history, and up to when the lists of what was ended, which go into the copy, are whole.

    A database that isn't of this program's version is copied as it is.
    """
    now = time.time()
    try:
        engine = open_database(config.database_url, config.master_key)
    except DatabaseError:
        return "", 0.0
    try:
        is_whole = since.note(engine, config.folder)
        with begin_read(engine) as conn:
            return history(conn), now if is_whole else 0.0
    finally:
        engine.dispose()


def _thin(store: Restic, keep: Backup) -> BackupError | None:
    """Lets go of old copies; what keeps that from being done does not unmake the new one."""
    host, numbers = socket.gethostname(), (keep.keep_daily, keep.keep_weekly, keep.keep_monthly)
    try:
        try:
            store.forget(host, *numbers)
        except BackupError as error:
            if error.trouble != "locked":
                raise
            store.unlock()  # a backup that was killed could not do it itself
            store.forget(host, *numbers)
    except BackupError as error:
        return error
    return None


def named(config: ServerConfig, **options: str | None) -> ServerConfig:
    """The settings with what a command line says instead."""
    given = {name: value for name, value in options.items() if value is not None}
    return msgspec.structs.replace(config, backup=msgspec.structs.replace(config.backup, **given))
