"""Backups at the terminal: what a copy holds, how it comes back, and what is said when it can't."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.backup.conftest import DEVICES, REPORTS, Run, Stocked, moved, passphrase_file

from conftest import Peer
from schoolwatch_server import hint_keys
from schoolwatch_server.backup import restore, status
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.config import of_data
from schoolwatch_server.database import copies, parts
from schoolwatch_server.database.engine import begin_read, epoch, open_database, unchecked


def census(data: Path) -> dict[str, int]:
    engine = open_database(of_data(data).database_url)
    try:
        with begin_read(engine) as conn:
            return copies.census(conn)
    finally:
        engine.dispose()


def epoch_of(data: Path) -> str:
    engine = open_database(of_data(data).database_url)
    try:
        with begin_read(engine) as conn:
            return epoch(conn)
    finally:
        engine.dispose()


def test_a_copy_holds_what_is_needed_and_nothing_that_is_made_anew(stocked: Stocked) -> None:
    names = set(stocked.made.manifest.files)
    assert {"database/schema.json", "settings.toml", "data/secrets/hints", "data/packs/own.yaml"} <= names
    assert {"data/tls/server.pem", "data/agent/credential.json", "data/server.toml"} <= names
    assert "outside/notify.urls_file/channels" in names
    for part in ("run/", "log/", "broker/", "spool.db", ".new", "schoolwatch.db", "passphrase"):
        assert [name for name in names if part in name] == [], part
    assert stocked.made.manifest.rows["journal"] == DEVICES * REPORTS
    assert stocked.made.kept is None


def test_nothing_of_it_lies_about_and_none_of_it_can_be_read(stocked: Stocked) -> None:
    backup = stocked.config.folder / "backup"
    assert not (backup / "stage").exists()
    for path in (*stocked.copies.rglob("*"), *(backup / "cache").rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        assert b"json://hooks" not in content, path
        assert b"SQLite format" not in content, path


def test_it_comes_back_as_it_was_with_a_new_epoch(stocked: Stocked, run: Run, tmp_path: Path) -> None:
    data = tmp_path / "new"
    place = ("--from", stocked.copies, "--passphrase-file", stocked.passphrase)
    code, said = run("restore", "--data", data, *place)
    assert code == 0, said
    assert f"reports in the journal: {DEVICES * REPORTS}\n" in said
    told = census(data)  # the audit log holds one line more: that it was restored
    assert told | {"audit": told["audit"] - 1} == stocked.made.manifest.rows
    assert epoch_of(data) != epoch_of(stocked.config.folder)
    assert hint_keys.school_key(data, 1) == hint_keys.school_key(stocked.config.folder, 1)
    config = of_data(data)
    assert Path(config.notify.urls_file) == data / "outside" / "notify.urls_file" / "channels"
    assert Path(config.notify.urls_file).read_text() == "json://hooks.example.org\n"
    for private in ("schoolwatch.db", "secrets/hints", "server.toml", "outside/notify.urls_file/channels"):
        assert (data / private).stat().st_mode & 0o077 == 0, private
    assert sorted(path.name for path in data.glob(".*")) == []

    code, said = run("restore", "--data", data, *place)
    assert code == 2
    assert "the folder is not empty" in said
    assert census(data) == told


def test_a_wrong_passphrase_touches_nothing(stocked: Stocked, run: Run, tmp_path: Path) -> None:
    wrong = passphrase_file(tmp_path, "some other passphrase")
    data = tmp_path / "new"
    code, said = run("restore", "--data", data, "--from", stocked.copies, "--passphrase-file", wrong)
    assert code == 2
    assert "the passphrase is not that of these copies" in said
    assert not data.exists()


@pytest.mark.parametrize("part", ["index", "snapshots"])
def test_a_truncated_copy_is_not_good_and_is_never_put_in_place(
    stocked: Stocked, run: Run, tmp_path: Path, part: str
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(stocked.copies, damaged)
    for file in (damaged / part).iterdir():
        file.chmod(0o600)
        file.write_bytes(file.read_bytes()[:50])
    place = ("--from", damaged, "--passphrase-file", stocked.passphrase)
    code, said = run("restore", "--data", tmp_path / "new", *place)
    assert code == 3, said
    assert "the copy is damaged or incomplete" in said
    assert not (tmp_path / "new").exists() or list((tmp_path / "new").iterdir()) == []


def test_a_copy_is_proved_or_called_what_it_is(
    stocked: Stocked, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("--from", stocked.copies, "--passphrase-file", stocked.passphrase)
    code, said = run("verify-backup", "--data", stocked.config.folder, *place)
    assert code == 0, said
    assert "is GOOD" in said
    known = status.read(stocked.config.folder)
    assert known is not None
    assert known.proved is not None
    assert known.proved.of == stocked.made.manifest.taken_at
    assert not (stocked.config.folder / "backup" / "stage").exists()


@pytest.mark.parametrize(
    "change", ["DELETE FROM journal WHERE id = 1", "INSERT INTO province VALUES (9, 'X', 'Y')"]
)
def test_other_rows_than_were_copied_are_noticed(stocked: Stocked, tmp_path: Path, change: str) -> None:
    engine = unchecked(stocked.config.database_url)
    for name, statement in (("same", "SELECT 1"), ("other", change)):
        folder = tmp_path / name
        (folder / "database").mkdir(parents=True)
        with engine.connect() as conn, conn.begin() as transaction:
            conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            conn.exec_driver_sql(statement)
            parts.write(conn, folder / "database")
            transaction.rollback()
    engine.dispose()
    restore.build(stocked.made.manifest, tmp_path / "same")
    with pytest.raises(BackupError, match="differs"):
        restore.build(stocked.made.manifest, tmp_path / "other")


def test_a_place_that_held_copies_and_is_empty_is_not_begun_anew(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(stocked.config.folder, data)
    away = tmp_path / "away"
    stocked.copies.rename(away)
    try:
        code, said = run("backup", "--data", data)
        assert code == 2
        assert "is the disk not mounted?" in said
        assert not stocked.copies.exists()
    finally:
        away.rename(stocked.copies)
    known = status.read(data)
    assert known is not None
    assert known.failed is not None
    assert known.failed.trouble == "gone"
    assert status.judge(stocked.config, known, known.failed.at) == "failed"


def test_what_has_to_be_put_right_is_said(stocked: Stocked, run: Run, tmp_path: Path) -> None:
    data = stocked.config.folder
    short = passphrase_file(tmp_path, "short")
    (tmp_path / "open").write_text("a passphrase that all can read")
    for words, expected in (
        (("--to", "s3:bucket"), "is no place for copies"),
        (("--to", "sftp://host/x"), "is no place for copies"),
        (("--to", "sftp://a@-oProxyCommand=x/y"), "is no place for copies"),
        (("--passphrase-file", tmp_path / "none"), "openssl rand"),
        (("--passphrase-file", tmp_path / "open"), "chmod 600"),
        (("--passphrase-file", short), "fewer than 16"),
    ):
        code, said = run("backup", "--list", "--data", data, *words)
        assert (code, expected in said) == (2, True), said


def test_root_leaves_nothing_in_the_folder_of_the_servers_own_account(
    stocked: Stocked, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = moved(stocked, tmp_path)
    if os.geteuid() == 0:
        os.chown(config.folder, 65534, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    before = {path: path.stat().st_mtime_ns for path in (*tmp_path.rglob("*"), tmp_path)}
    place = ("--data", config.folder, "--passphrase-file", stocked.passphrase)
    for words in (("backup", "--to"), ("verify-backup", "--from")):
        code, said = run(*words, config.backup.target, *place)
        assert code == 2, said
        assert f"{config.folder} belongs to the account " in said
        assert "sudo -u '" in said
    assert {path: path.stat().st_mtime_ns for path in (*tmp_path.rglob("*"), tmp_path)} == before


def test_one_backup_at_a_time(stocked: Stocked, run: Run) -> None:
    from schoolwatch_server.backup import place

    with place.held(stocked.config.folder):
        code, said = run("backup", "--data", stocked.config.folder)
    assert code == 2
    assert "another backup or verification is running" in said


def test_a_full_disk_at_the_other_end_is_said_and_costs_no_older_copy(
    stocked: Stocked, run: Run, tmp_path: Path, peer: Peer
) -> None:
    """A file system of 3 MB in a namespace of its own."""
    unshare, small = peer("unshare"), tmp_path / "small"
    small.mkdir()
    data = tmp_path / "data"
    shutil.copytree(stocked.config.folder, data)
    (data / "packs" / "large.bin").write_bytes(os.urandom(6_000_000))
    program = f"{sys.executable} -m schoolwatch_server"
    command = (
        f"mount -t tmpfs -o size=3m tmpfs {small} && cp -r {stocked.copies} {small}/copies && "
        f"{program} backup --data {data} --to {small}/copies --lang en; code=$?; "
        f"{program} backup --list --data {data} --to {small}/copies; exit $code"
    )
    done = subprocess.run(
        [unshare, "--map-root-user", "--user", "--mount", "sh", "-c", command], capture_output=True, text=True
    )
    if "unshare failed" in done.stderr or "mount:" in done.stderr:
        pytest.skip("not run: this machine lets nobody mount in a namespace")
    assert done.returncode == 2, done.stderr
    assert "the disk is full" in done.stderr
    assert stocked.made.done.snapshot in done.stdout
    assert not (data / "backup" / "stage").exists()


def test_a_database_that_cannot_be_read_is_a_failure_that_is_told(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(stocked.config.folder, data)
    (data / "schoolwatch.db").write_bytes(b"no database at all" * 1000)
    code, said = run("backup", "--data", data)
    assert (code, "The database cannot be read" in said) == (2, True), said
    known = status.read(data)
    assert known is not None
    assert known.failed is not None
    assert known.failed.trouble == "database"
    assert not (data / "backup" / "stage").exists()


def test_a_restore_that_was_killed_is_no_server_and_may_be_begun_anew(tmp_path: Path, run: Run) -> None:
    half = tmp_path / "half"
    (half / restore.UNFINISHED).mkdir(parents=True)
    (half / "server.toml").touch()
    code, said = run("migrate", "--data", half)
    assert (code, restore.UNFINISHED in said or "restore" in said) == (2, True), said
    assert not (half / "schoolwatch.db").exists()
    (half / "run").mkdir()
    with pytest.raises(BackupError, match="not_empty"):
        restore._refuse_used(half)
    assert (half / "server.toml").exists()
    (half / "run").rmdir()
    restore._refuse_used(half)
    assert list(half.iterdir()) == []
