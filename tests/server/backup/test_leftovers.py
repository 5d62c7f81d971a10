"""Copies beside the database do not outlive what the database deletes."""

import os
from pathlib import Path

import pytest

from reports import NOW
from schoolwatch_server.backup import leftovers
from schoolwatch_server.terms import TERMS

TERM = TERMS["copy"].days * 86400


def made(path: Path, at: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (at, at))
    return path


def test_copies_of_an_upgrade_and_databases_set_aside_go_when_they_had_their_time(tmp_path: Path) -> None:
    old, fresh = NOW - TERM - 60, NOW - TERM + 60
    folder = tmp_path / "backup" / "before-upgrade"
    gone = [
        made(folder / "0013-20260101T000000Z.db", old),
        made(folder / "0013-20260101T000000Z.json", old),
        made(tmp_path / "schoolwatch.db.set-aside-20260101T000000Z", old),
    ]
    stays = [
        made(folder / "0014-20260801T000000Z.db", fresh),
        made(tmp_path / "schoolwatch.db.set-aside-20260801T000000Z", fresh),
        made(tmp_path / "schoolwatch.db", old),
        made(tmp_path / "secrets" / "master", old),
        made(tmp_path / "backup" / "status.json", old),
    ]
    assert leftovers.forget(tmp_path, NOW) == len(gone)
    assert [path for path in gone if path.exists()] == []
    assert [path for path in stays if not path.exists()] == []


def test_a_folder_without_any_is_left_as_it_is(tmp_path: Path) -> None:
    assert leftovers.forget(tmp_path / "nowhere", NOW) == 0


def test_one_that_cannot_be_deleted_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = made(tmp_path / "schoolwatch.db.set-aside-1", 0.0)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert leftovers.forget(tmp_path, NOW) == 0
    assert str(kept) in caplog.text
