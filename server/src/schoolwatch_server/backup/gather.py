"""What of a server belongs in a copy: laid out as files in one private folder."""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from schoolwatch_server import __version__, sealing
from schoolwatch_server.backup import manifest as manifests
from schoolwatch_server.backup.manifest import Manifest
from schoolwatch_server.config import ServerConfig, render
from schoolwatch_server.database import copies, dump, parts
from schoolwatch_server.database.engine import begin_read, unchecked

DATA, OUTSIDE, SETTINGS = "data", "outside", "settings.toml"
PARTS, SQLITE, POSTGRES = "database", "database.db", "database.dump"

_REBUILT = frozenset({"run", "log", "broker", "backup", "kit", "lost+found"})
"""Folders of the data folder that `up` or their users make anew: states, logs, the broker's files, wheels."""

_PASSING = re.compile(r"\.db(-wal|-shm|-journal)?$|\.db\.(set-aside-|putting)|\.new$|\.lock$")
"""Files that are copied another way or not at all: databases and their logs, half-written files, locks."""

_NAMED = ("_file", "_ca", "_certificate", "_key", "packs", "rules")
"""How settings end that name a file or folder."""


def gather(
    config: ServerConfig, folder: Path, history: str = "", listed_at: float = 0.0, now: float | None = None
) -> Manifest:
    """Lays everything out in an empty folder. Raises OSError, SQLAlchemyError and `DatabaseError`.

    The database comes first: what its rows need (keys that sealed them) is then at least as new as they are.
    """
    now = time.time() if now is None else now
    kind, schema, rows, newest = _database(config, folder)
    files = folder / DATA
    files.mkdir(mode=0o700)
    _copy_tree(config.folder, files)
    _credential(config, files)
    outside = dict(_outside(config, folder))
    (folder / SETTINGS).write_text(render(config), encoding="utf-8")
    made = Manifest(
        manifests.FORMAT,
        now,
        __version__,
        schema,
        kind,
        rows,
        newest,
        manifests.members(folder),
        outside,
        history,
        listed_at,
    )
    manifests.write(folder / manifests.NAME, made)
    return made


def needed(config: ServerConfig) -> int:
    """Bytes that `gather` will write, about: PostgreSQL's own size isn't asked for."""
    path = copies.sqlite_file(config.database_url)
    return 0 if path is None else copies.size(path)


def _database(config: ServerConfig, folder: Path) -> tuple[str, str, dict[str, int], float | None]:
    if copies.sqlite_file(config.database_url) is None:
        with dump.moment(config.database_url) as (conn, moment):
            rows, schema, newest = copies.census(conn), copies.version(conn), copies.newest_report(conn)
            dump.write(config.database_url, moment, folder / POSTGRES)
        return "postgresql", schema, rows, newest
    engine = unchecked(config.database_url)
    try:
        (folder / PARTS).mkdir(mode=0o700)
        with begin_read(engine) as conn:  # the moment: others go on writing
            rows = parts.write(conn, folder / PARTS)
            return "sqlite", copies.version(conn), rows, copies.newest_report(conn)
    finally:
        engine.dispose()


def _copy_tree(source: Path, to: Path) -> None:
    for path in _worth(source):
        copy = to / path.relative_to(source)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(path, copy)


def _worth(data: Path) -> Iterator[Path]:
    """The files of a data folder that a copy needs."""
    for where, folders, names in os.walk(data, followlinks=True):
        here = Path(where)
        if here == data:
            folders[:] = [name for name in folders if name not in _REBUILT]
        folders[:] = [name for name in folders if not _is_loop(here / name)]
        for name in names:
            if not _PASSING.search(name):
                yield here / name


def _is_loop(folder: Path) -> bool:
    return folder.is_symlink() and folder.resolve() in folder.absolute().parents


def _copy(path: Path, copy: Path) -> None:
    try:
        if stat.S_ISREG(path.stat().st_mode):  # no socket, no pipe
            shutil.copy2(path, copy)
    except FileNotFoundError:
        return  # it was replaced meanwhile, or is a link to nothing


def _credential(config: ServerConfig, files: Path) -> None:
    """The master key that systemd holds: without it nothing that is sealed could be read again."""
    key = sealing.key_path(config.master_key)
    copy = files / "secrets" / "master"
    if key != config.master_key and not key.is_relative_to(config.folder):
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        copy.unlink(missing_ok=True)
        copy.touch(mode=0o600)
        copy.write_bytes(key.read_bytes())


def _outside(config: ServerConfig, folder: Path) -> Iterator[tuple[str, str]]:
    """Files and folders that settings name elsewhere; not the backup's own passphrase and key."""
    for section in ServerConfig.__struct_fields__[1:]:
        if section == "backup":
            continue
        for key, value in msgspec.structs.asdict(getattr(config, section)).items():
            if not (isinstance(value, str) and value and key.endswith(_NAMED)):
                continue
            path = Path(value)
            if not path.is_absolute() or path.is_relative_to(config.folder) or not path.exists():
                continue
            copy = folder / OUTSIDE / f"{section}.{key}"
            copy.mkdir(mode=0o700, parents=True)
            if path.is_dir():
                _copy_tree(path, copy)
            else:
                _copy(path, copy / path.name)
            place = copy if path.is_dir() else copy / path.name
            yield f"{section}.{key}", place.relative_to(folder).as_posix()
