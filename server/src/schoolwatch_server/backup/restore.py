"""Puts a copy into an empty data folder: everything is checked before anything takes its place.

While it works all of it lies in `.restoring` of the new data folder; the database is moved last but one and
the settings last, so that no server takes a half-restored folder for a whole one.
"""

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec

from schoolwatch_server.backup import gather, manifest, place, since
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.manifest import Manifest
from schoolwatch_server.backup.restic import Listing, Restic, Snapshot
from schoolwatch_server.backup.since import Again
from schoolwatch_server.config import ConfigError, ServerConfig, parse, render
from schoolwatch_server.database import copies, dump, parts, sealed
from schoolwatch_server.database.engine import known_versions, migrate, open_database, renew_epoch
from schoolwatch_server.files import private_folder, write_atomically
from schoolwatch_server.lasting import LastingError
from schoolwatch_server.sealing import SealError
from schoolwatch_server.sections import Database

UNFINISHED = ".restoring"
_DATABASE = "schoolwatch.db"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, of which copy, and the new epoch; `settings` is the file in force.

    `again` is what had been deleted and ended since the copy and was so again, by what was known of that up
    to `known_upto` (UTC seconds).
    """

    manifest: Manifest
    snapshot: Snapshot
    epoch: str
    settings: Path
    again: Again
    known_upto: float


def choose(store: Restic, wanted: str = "latest") -> Snapshot:
    """The copy with that id, or the newest. Raises `BackupError`."""
    return _choose(store, store.snapshots(), wanted)


def _choose(store: Restic, listing: Listing, wanted: str) -> Snapshot:
    found = listing.copies
    if wanted == "latest" and listing.unreadable:  # the newest may be the one that can't be read
        raise BackupError("damaged", target=store.target.name, detail=listing.unreadable)
    if not found:
        raise BackupError("no_backup", target=store.target.name)
    if wanted == "latest":
        hosts = sorted({one.hostname for one in found})
        if len(hosts) > 1:
            raise BackupError("which_backup", target=store.target.name, hosts=", ".join(hosts))
        return found[-1]
    matching = [one for one in found if len(wanted) >= 4 and one.id.startswith(wanted)]
    if len(matching) != 1:
        raise BackupError("no_backup", target=f"{store.target.name} {wanted}")
    return matching[0]


def unpack(store: Restic, snapshot: Snapshot, folder: Path) -> Manifest:
    """Writes a copy into a private folder and proves that every byte is as it was. Raises `BackupError`."""
    made = manifest.read(store.dump(snapshot.id, manifest.NAME))
    if made.schema not in known_versions():
        raise BackupError("newer", version=made.program)
    place.room(folder, 3 * made.size())  # the parts, and the database with its indexes
    store.restore(snapshot.id, folder)
    wrong = manifest.differences(made, folder)
    if wrong:
        raise BackupError("differs", what=", ".join(wrong[:3]))
    return made


def build(made: Manifest, folder: Path) -> None:
    """Makes the database of an unpacked copy, and sees that it is whole and has the rows it had.

    PostgreSQL's is only looked through. Raises `BackupError`.
    """
    if made.database == "postgresql":
        rows = dump.rows(folder / gather.POSTGRES)
    else:
        path = folder / gather.SQLITE
        try:
            parts.read(folder / gather.PARTS, path)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise BackupError("damaged", target=path.name, detail=error) from error
        wrong = copies.trouble(path)
        if wrong is not None:
            raise BackupError("damaged", target=path.name, detail=wrong)
        with copies.reading(path) as conn:
            rows = copies.census(conn)
    other = manifest.other_rows(made, rows)
    if other:
        raise BackupError("differs", what=", ".join(other[:3]))


def restore(
    store: Restic,
    data: Path,
    wanted: str = "latest",
    database_url: str = "",
    old_folder: Path | None = None,
) -> Restored:
    """Puts a copy into `data`, which is empty or not there. Raises `BackupError` and `DatabaseError`.

    What was deleted or ended since then is so again, as newer copies and an old data folder tell.
    """
    data = data.absolute()
    _refuse_used(data)
    listing = store.snapshots()
    snapshot = _choose(store, listing, wanted)
    known = since.newer(store, listing.copies, snapshot, old_folder)
    stage = private_folder(data) / UNFINISHED
    shutil.rmtree(stage, ignore_errors=True)
    private_folder(stage)
    try:
        made = unpack(store, snapshot, stage)
        build(made, stage)
        settings = _settings(made, stage, data, database_url)
        epoch, again = _database(made, stage, settings, known)
        _place(stage, data)
    except BaseException:
        _empty(data)
        raise
    return Restored(made, snapshot, epoch, data / "server.toml", again, known.upto)


def _refuse_used(data: Path) -> None:
    """An unfinished restore may be begun anew; anything else is somebody's, and so is where a server ran."""
    if not data.exists():
        return
    names = {path.name for path in data.iterdir()} - {"lost+found"}
    if names and (UNFINISHED not in names or "run" in names):
        raise BackupError("not_empty", data=data, example=min(names))
    if UNFINISHED in names:
        _empty(data)


def _empty(data: Path) -> None:
    for path in sorted(data.iterdir(), key=lambda one: one.name == UNFINISHED):  # the mark goes last
        if path.is_dir() and path.name != "lost+found":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def _settings(made: Manifest, stage: Path, data: Path, database_url: str) -> ServerConfig:
    """The settings of the copy in their new place; a server.toml that says the same stays as it is."""
    file, own = stage / gather.SETTINGS, stage / gather.DATA / "server.toml"
    try:
        config = _moved(parse(file.read_text(encoding="utf-8"), file), made, data, database_url)
    except ConfigError:  # of another version: a person has to look through it
        file.rename(stage / gather.DATA / "server.toml.of-the-backup")
        config = msgspec.structs.replace(ServerConfig(), data=str(data), database=Database(database_url))
    try:
        same = own.exists() and _at(parse(own.read_text(encoding="utf-8"), data / own.name), data) == config
    except ConfigError:
        same = False
    if not same:
        write_atomically(own, render(config))
    return config


def _moved(config: ServerConfig, made: Manifest, data: Path, database_url: str) -> ServerConfig:
    """Paths below the old data folder, and those that lay elsewhere, are below the new one."""
    text = render(config).replace(f'"{config.data}/', f'"{data}/')
    config = _at(parse(text, data / "server.toml"), data)
    replace = msgspec.structs.replace
    for setting, path in made.outside.items():
        section, _, key = setting.partition(".")
        config = replace(config, **{section: replace(getattr(config, section), **{key: str(data / path)})})
    if database_url or made.database == "sqlite":
        config = replace(config, database=Database(database_url))
    return config


def _at(config: ServerConfig, data: Path) -> ServerConfig:
    return msgspec.structs.replace(config, data=str(data))


def _database(made: Manifest, stage: Path, config: ServerConfig, known: since.Known) -> tuple[str, Again]:
    """The database of this program's version, with a new epoch: SQLite's still in its private place."""
    if made.database == "sqlite":
        url = f"sqlite:///{stage / gather.SQLITE}"
    else:
        url = config.database_url
        if not dump.is_empty(url):
            raise BackupError("database_full")
        dump.read(url, stage / gather.POSTGRES)
    keys = master_key(made, stage)
    migrate(url, keys)
    engine = open_database(url, keys)
    try:
        sealed.check(engine)
        copies.end_sessions(engine)
        copies.doubt_messages(engine)
        known.put(stage / gather.DATA)
        return renew_epoch(engine), since.again(engine, stage / gather.DATA)
    except SealError as error:
        raise BackupError("no_key", detail=error) from error
    except LastingError as error:
        raise BackupError("lists", file=stage, detail=error) from error
    finally:
        engine.dispose()


def master_key(made: Manifest, stage: Path) -> Path:
    """Where the master key lies in an unpacked copy."""
    return stage / made.outside.get("secrets.master_key_file", gather.DATA)


def _place(stage: Path, data: Path) -> None:
    last = ("server.toml",)
    files = stage / gather.DATA
    for path in sorted(files.iterdir()):
        if path.name not in last:
            path.rename(data / path.name)
    if (stage / gather.OUTSIDE).exists():
        (stage / gather.OUTSIDE).rename(data / gather.OUTSIDE)
    database = stage / gather.SQLITE
    if database.exists():
        with copies.reading(database):
            pass  # its log is written into it
        database.rename(data / _DATABASE)
    for name in last:
        (files / name).rename(data / name)
    shutil.rmtree(stage)
