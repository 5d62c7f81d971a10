"""Proves a copy: restores it into a private place, and compares it with what it says of itself."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schoolwatch_server.backup import gather, place, restore, since, status
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.manifest import Manifest
from schoolwatch_server.backup.restic import Restic, Snapshot
from schoolwatch_server.database import sealed
from schoolwatch_server.database.engine import known_versions, open_database
from schoolwatch_server.sealing import SealError


@dataclass(frozen=True, slots=True)
class Proof:
    """A copy that is good; `age` is in seconds."""

    manifest: Manifest
    snapshot: Snapshot
    age: float


def verify(store: Restic, data: Path, wanted: str = "latest", *, read_data: bool = False) -> Proof:
    """Raises `BackupError` when the copy is not good, or could not be looked at."""
    place.refuse_root(data)
    with _private(data) as folder:
        store.check(read_data=read_data)
        snapshot = restore.choose(store, wanted)
        made = restore.unpack(store, snapshot, folder)
        restore.build(made, folder)
        _open(made, folder)
    now = time.time()
    if data.exists():
        status.change(data, proved=status.Proved(now, made.taken_at))
    return Proof(made, snapshot, max(0.0, now - made.taken_at))


def _open(made: Manifest, folder: Path) -> None:
    """Sees that the master key in the copy opens what is sealed there, and that its lists are whole.

    If it is of this program's version.
    """
    if made.database != "sqlite" or made.schema != max(known_versions()):
        return
    engine = open_database(f"sqlite:///{folder / gather.SQLITE}", restore.master_key(made, folder))
    try:
        sealed.check(engine)
        if made.listed_at:  # else nobody said that its lists are whole
            since.prove(engine, folder / gather.DATA, made.listed_at)
    except SealError as error:
        raise BackupError("no_key", detail=error) from error
    finally:
        engine.dispose()


@contextmanager
def _private(data: Path) -> Iterator[Path]:
    """Beside the data; on a machine that has none, where temporary files go."""
    if data.exists():
        with place.stage(data, 0) as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="schoolwatch-") as name:  # mode 0700
            yield Path(name)
