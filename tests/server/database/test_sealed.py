"""Secrets in the database are sealed: no file of it holds one, and only their own row opens them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import LargeBinary, create_engine, select, text, update

from reports import RULES, World
from schoolwatch_server import cli
from schoolwatch_server.authority.folder import Authority
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import of_data
from schoolwatch_server.database import audit as audit_log
from schoolwatch_server.database import credentials, sealed
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import MIGRATIONS, begin_read, begin_write, migrate, open_database
from schoolwatch_server.intake.batch import decide, take_counted
from schoolwatch_server.sealing import KeyUnknownError, KeyUnusableError


def files_of(folder: Path) -> bytes:
    """Every byte of the database's files."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("schoolwatch.db*")))


def test_no_file_of_the_database_holds_a_frame_key(world: World) -> None:
    devices = world.enrol(50)
    with begin_read(world.engine) as conn:
        found = credentials.find(conn, [each.device for each in devices])
    assert {name: one.frame_key for name, one in found.items()} == {each.device: each.key for each in devices}
    assert [each.device for each in devices if each.key in files_of(world.folder)] == []


def test_a_migration_seals_the_keys_and_leaves_none_behind(tmp_path: Path) -> None:
    """From the shape before 0013, where keys stood in clear, one of them replaced several times."""
    url = of_data(tmp_path).database_url
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    keys = {n: b"frame key %5d in clear" % n + bytes([n % 251]) * 9 for n in range(1, 600)}
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0012")
        conn.execute(text("PRAGMA secure_delete=OFF"))  # as SQLite comes on other systems
        conn.execute(
            text("INSERT INTO device (id, device, created_at) VALUES (:n, :name, 0)"),
            [{"n": n, "name": f"{n:032x}"} for n in keys],
        )
        conn.execute(
            text(
                "INSERT INTO credential (device_id, frame_key, password_hash, changed_at)"
                " VALUES (:n, :key, :hash, 0)"
            ),
            [{"n": n, "key": b"frame key before" + bytes(9), "hash": "$7$" + "h" * (n % 90)} for n in keys],
        )
        conn.execute(
            text("UPDATE credential SET frame_key = :key WHERE device_id = :n"),
            [{"n": n, "key": key} for n, key in keys.items()],
        )
    engine.dispose()
    assert b"frame key   599" in files_of(tmp_path)
    migrate(url)
    engine = open_database(url)
    with begin_read(engine) as conn:
        found = credentials.find(conn, [f"{n:032x}" for n in keys])
    engine.dispose()
    assert {one.device_id: one.frame_key for one in found.values()} == keys
    assert b"frame key" not in files_of(tmp_path)


def test_an_altered_or_exchanged_key_proves_nothing_and_the_others_go_on(world: World) -> None:
    honest, altered, one, other = devices = world.enrol(4)
    with begin_write(world.engine) as conn:
        c = t.credential.c
        of = {row.device_id: row.frame_key for row in conn.execute(select(c.device_id, c.frame_key))}
        turned = of[altered.id][:-1] + bytes([of[altered.id][-1] ^ 1])
        for id_, key in ((altered.id, turned), (one.id, of[other.id]), (other.id, of[one.id])):
            conn.execute(update(t.credential).where(c.device_id == id_).values(frame_key=key))
    reports, refused = decide(world.engine, [each.message(1) for each in devices])
    assert [report.device for report in reports] == [honest.device]
    assert {each.reason for each in refused} == {"unknown_device"}
    assert len(refused) == 3


def test_without_its_master_key_nothing_is_taken_in_nor_thrown_away(world: World, tmp_path: Path) -> None:
    (device,) = world.enrol()
    message = device.message(1)
    key = tmp_path / "secrets" / "master"
    shutil.move(key, tmp_path / "kept")
    key.write_text("0" * 64)
    key.chmod(0o600)
    stranger = open_database(world.url, world.folder)
    with pytest.raises(KeyUnknownError, match="put that key's line back"):
        take_counted(stranger, [message], RULES)
    with pytest.raises(KeyUnknownError):
        sealed.check(stranger)
    shutil.move(tmp_path / "kept", key)
    assert take_counted(stranger, [message], RULES).counts["committed", ""] == 1, "the key came back"
    stranger.dispose()


@pytest.mark.database("sqlite")
def test_a_database_elsewhere_needs_to_be_told_where_its_key_is(world: World, tmp_path: Path) -> None:
    (device,) = world.enrol()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    world.engine.dispose()
    shutil.copy(tmp_path / "schoolwatch.db", elsewhere)
    engine = open_database(f"sqlite:///{elsewhere}/schoolwatch.db", tmp_path)
    with begin_read(engine) as conn:
        assert credentials.find(conn, [device.device])[device.device].frame_key == device.key
    engine.dispose()
    bare = create_engine(world.url)
    with bare.connect() as conn, pytest.raises(KeyUnusableError, match=r"secrets\.master_key_file"):
        credentials.find(conn, [device.device])
    bare.dispose()


def test_a_changed_master_key_seals_all_anew_while_others_run(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed, "_STEP", 7)
    first = world.enrol(20)
    running = open_database(world.url, world.folder)
    assert len(decide(running, [each.message(1) for each in first])[0]) == 20
    old = (tmp_path / "secrets" / "master").read_text()
    Authority(tmp_path / "ca").make("Sở", datetime.now(UTC))
    assert cli.main(["rotate-master-key", "--data", str(tmp_path)]) == 0
    assert "secrets that it sealed anew: 22" in capsys.readouterr().out
    both = (tmp_path / "secrets" / "master").read_text()
    assert both.endswith(old)
    assert len(both.split()) == 2
    assert len(decide(running, [each.message(2) for each in first])[0]) == 20, "it was told of the new key"
    world.engine.dispose()
    later = world.enrol(3)
    (tmp_path / "secrets" / "master").write_text(both.split()[0])
    assert Authority(tmp_path / "ca").root_key()
    fresh = open_database(world.url, world.folder)
    assert len(decide(fresh, [each.message(3) for each in (*first, *later)])[0]) == 23
    with begin_read(fresh) as conn:
        line = audit_log.newest(conn, 1)[0]
    assert (line.action, line.detail["sealed"]) == ("master_key.rotate", 22)
    assert not any(key in str(line) for key in both.split())
    for engine in (running, fresh):
        engine.dispose()


def test_a_change_of_the_master_key_that_broke_off_is_ended_with_the_same_key(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.enrol(5)
    path = tmp_path / "secrets" / "master"
    path.write_text(f"{'a' * 64}\n{path.read_text()}")
    assert cli.main(["rotate-master-key", "--data", str(tmp_path)]) == 0
    assert "sealed anew: 5" in capsys.readouterr().out
    assert path.read_text().split()[0] == "a" * 64
    assert len(path.read_text().split()) == 2


def test_a_master_key_of_systemd_is_not_changed_by_us(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enrol()
    given = tmp_path / "credentials"
    given.mkdir()
    shutil.move(tmp_path / "secrets" / "master", given / "master_key")
    before = (given / "master_key").read_bytes()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert cli.main(["rotate-master-key", "--data", str(tmp_path)]) == FAILED
    assert "LoadCredential=" in capsys.readouterr().err
    assert (given / "master_key").read_bytes() == before


PLAIN = {
    "journal.digest": "hash of a report's body",
    "journal.body": "a report",
    "quarantine.frame": "a refused report",
    "rollup.body": "sums",
    "use_rollup.body": "sums of use, until a room was summed",
    "rule_memory.body": "what rules remember of a device",
    "state_body.body": "what a device reported last",
    "report.body": "a frozen report",
    "incident_form.body": "a form by which a serious incident is reported; as a frozen report, never changed",
    "incident_form.letter": "the same in words",
    "attachment_body.body": "a file with which a school proves what it declared",
    "state.line_tests": "speeds of a school's line",
    "judged_log.series": "numbers of judged series",
    "store_writer.body": "how far the writer of a store of series has come",
}
"""Columns of bytes that hold no secret, and what they hold."""


def test_every_column_of_bytes_is_sealed_or_known_to_hold_no_secret() -> None:
    of_bytes = {
        str(column)
        for table in t.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert of_bytes == set(PLAIN) | {str(one.column) for one in sealed.SEALED}
