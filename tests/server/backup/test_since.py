"""What was deleted on request stays deleted: no older copy, however it comes back, brings it back."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.server.backup.conftest import Run, Stocked, moved

from schoolwatch_server import audit_log, deletions, erasure, lasting
from schoolwatch_server.backup import make, since
from schoolwatch_server.config import of_data
from schoolwatch_server.database import audit, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.deletions import Deletion
from schoolwatch_server.erasure import ErasureError
from schoolwatch_server.lasting import LastingError

REASON = "theo yêu cầu của nhà trường"


def nothing(_: Sequence[str]) -> None:
    """A broker that keeps nothing."""


def devices(data: Path) -> list[str]:
    engine = open_database(of_data(data).database_url)
    try:
        with begin_read(engine) as conn:
            return list(conn.scalars(select(t.device.c.device).order_by(t.device.c.id)))
    finally:
        engine.dispose()


pytestmark = pytest.mark.usefixtures("all_of_a_day")


def test_an_older_copy_brings_back_nothing_that_was_deleted_since(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    first, second, third = devices(config.folder)
    engine = open_database(config.database_url, config.master_key)
    erasure.delete_device(engine, config.folder, first, REASON, nothing, by="lan", wait=0)
    make.back_up(config)  # a newer copy, which knows of the first alone
    erasure.delete_device(engine, config.folder, second, REASON, nothing, by="lan", wait=0)
    engine.dispose()
    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase)
    old = ("--snapshot", stocked.made.done.snapshot)

    code, said = run("restore", "--data", tmp_path / "new", *place, *old)
    assert code == 0, said
    assert "deleted on request since this copy: 1 devices, 0 schools" in said
    assert devices(tmp_path / "new") == [second, third], "no copy knows of the second"
    files = b"".join(path.read_bytes() for path in (tmp_path / "new").glob("schoolwatch.db*"))
    assert files.count(first.encode()) == 1, "the audit line alone names it"

    code, said = run("restore", "--data", tmp_path / "whole", *place, *old, "--old-data", config.folder)
    assert code == 0, said
    assert devices(tmp_path / "whole") == [third]
    restored = open_database(of_data(tmp_path / "whole").database_url)
    with begin_read(restored) as conn:
        lines = audit.newest(conn, 2)
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("restore", "device.delete", second),
        ("restore", "device.delete", first),
    ]
    assert audit_log.verify(restored, tmp_path / "whole").wrong == ()
    restored.dispose()
    assert len(lasting.read(deletions.path_in(tmp_path / "whole"), Deletion)) == 2, (
        "its own copies know of them too"
    )


def test_where_the_newest_list_is_damaged_an_older_one_tells(
    stocked: Stocked, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = moved(stocked, tmp_path)
    deletions.path_in(config.folder).parent.mkdir(exist_ok=True)
    deletions.path_in(config.folder).write_text("no list\n")
    make.back_up(config)
    store = make.repository(config.backup)
    copies = store.snapshots().copies
    known = since.newer(store, copies, copies[0])
    assert (len(copies), known.deleted, known.upto) == (2, (), stocked.made.manifest.taken_at)

    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase)
    code, said = run("restore", "--data", tmp_path / "new", *place)
    assert code == 0, said
    assert (tmp_path / "new" / "audit" / "deletions.unreadable").read_text() == "no list\n"
    assert "line 1 is no deletion" in caplog.text


def test_an_older_file_put_back_by_hand_is_rid_of_it_at_the_next_start(
    stocked: Stocked, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    older = (config.folder / "schoolwatch.db").read_bytes()
    engine = open_database(config.database_url, config.master_key)
    with begin_read(engine) as conn:
        school = conn.scalars(select(t.school_code.c.code)).first()
    erasure.delete_school(engine, config.folder, school, REASON, nothing, by="lan", wait=0)
    assert since.look(config, engine) == since.Again(), "this database knows"
    with begin_write(engine) as conn:  # somebody opens the school anew: it is not deleted again
        registry.change_code(conn, 1, school, 2e9)
        room = registry.create_room(conn, 1, "Phòng mới", "office")
    assert since.look(config, engine) == since.Again()
    with begin_read(engine) as conn:
        assert conn.scalar(select(t.room.c.id).where(t.room.c.id == room)) == room
    engine.dispose()

    for log in config.folder.glob("schoolwatch.db-*"):
        log.unlink()
    (config.folder / "schoolwatch.db").write_bytes(older)
    engine = open_database(config.database_url, config.master_key)
    assert since.look(config, engine).deleted == {"device": 3, "school": 1}
    assert since.look(config, engine) == since.Again()
    with begin_read(engine) as conn:
        assert conn.scalar(select(t.device.c.id)) is None
        assert conn.scalar(select(t.room.c.id)) is None
    engine.dispose()


def test_what_cannot_be_put_on_the_list_is_not_deleted(
    stocked: Stocked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = moved(stocked, tmp_path)
    path = deletions.path_in(config.folder)
    path.mkdir(parents=True)
    first = devices(config.folder)[0]
    engine = open_database(config.database_url, config.master_key)
    with pytest.raises(ErasureError, match="can't be"):
        erasure.delete_device(engine, config.folder, first, REASON, nothing, by="lan", wait=0)
    assert first in devices(config.folder)
    path.rmdir()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lasting, "write_atomically", full)
    with pytest.raises(ErasureError, match="nothing was deleted"):
        erasure.delete_device(engine, config.folder, first, REASON, nothing, by="lan", wait=0)
    engine.dispose()
    assert first in devices(config.folder)


def test_a_line_that_is_none_is_named() -> None:
    good = b'{"at":2.0,"device":"b"}\n{"at":1.0,"device":"a"}\n'
    assert [one.device for one in lasting.parse(good, "x", Deletion)] == ["a", "b"]
    with pytest.raises(LastingError, match="x: line 3 is no deletion"):
        lasting.parse(good + b'{"device": 1}\n', "x", Deletion)
