"""What people ended stays ended: an older copy lets in no revoked device, ended token, former password."""

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from tests.server.backup.conftest import Run, Stocked, moved

from databases import make_database
from schoolwatch_server import (
    audit_log,
    deletions,
    endings,
    evaluate,
    fleet,
    lasting,
    people,
    renewal,
    tokens,
)
from schoolwatch_server.access import Principal
from schoolwatch_server.audit_chain import Entry
from schoolwatch_server.backup import make, since
from schoolwatch_server.broker import passwords
from schoolwatch_server.commands.backup import when
from schoolwatch_server.config import ServerConfig, of_data
from schoolwatch_server.database import audit, credentials, ended, registry
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database import tables as t
from schoolwatch_server.database import tables_people as p
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.database.tables_enrolment import enrolment_token
from schoolwatch_server.endings import Ending
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.lasting import LastingError
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.sessions import Login
from webhook import eventually

pytestmark = pytest.mark.usefixtures("all_of_a_day")

ADMIN = Principal("account", "lan", frozenset({"tokens"}), EVERYTHING)
NAMES = ("an", "binh", "chi")


def furnish(config: ServerConfig) -> None:
    """People, API tokens and enrolment tokens, two of each and one more."""
    engine = open_database(config.database_url, config.master_key)
    for name in NAMES:
        people.create_account(engine, name, "mat khau du dai 1", role="so_admin", scope=EVERYTHING, by="lan")
        tokens.issue_token(engine, f"token {name}", "read", EVERYTHING, 30.0, by="lan")
    issue_enrolment_token(engine, 1, None, 30.0, 5, now=time.time())
    engine.dispose()


def end_some(config: ServerConfig) -> list[str]:
    """Ends one of each, and a second device and account another way; the devices' names."""
    engine, now = open_database(config.database_url, config.master_key), time.time()
    with begin_read(engine) as conn:
        devices = list(conn.scalars(select(t.device.c.device).order_by(t.device.c.id)))
        code = conn.scalar(select(t.school_code.c.code).where(t.school_code.c.school_id == 1))
    fleet.revoke(engine, devices[0], EVERYTHING, by="lan", now=now)
    fleet.retire(engine, devices[1], EVERYTHING, by="lan", now=now)
    people.reset_password(engine, "an", by="lan")
    people.change(
        engine,
        "binh",
        lambda c, one, at: accounts.switch_off(c, one.id, at),
        action="account.disable",
        by="lan",
    )
    assert tokens.revoke(engine, ADMIN, 1, now)
    engine.dispose()
    words = ("kit", "--school", str(code), "--revoke", "--data", str(config.folder))
    subprocess.run([sys.executable, "-m", "schoolwatch_server", *words], check=True)
    return devices


def standing(engine: Engine) -> dict[str, list[object]]:
    """What lets in whom, by kind."""
    d, c, a, n = t.device.c, t.credential.c, p.account.c, enrolment_token.c
    with begin_read(engine) as conn:
        device = select(d.device).join_from(t.device, t.credential).order_by(d.id)
        return {
            "device": list(conn.scalars(device.where(c.revoked_at.is_(None)))),
            "listed": list(conn.scalars(device.where(d.retired_at.is_(None)))),
            "account": list(conn.scalars(select(a.name).where(a.disabled_at.is_(None)).order_by(a.name))),
            "token": list(conn.scalars(select(p.api_token.c.id).where(p.api_token.c.revoked_at.is_(None)))),
            "enrolment": list(conn.scalars(select(n.id).where(n.revoked_at.is_(None)))),
        }


def logged_in(engine: Engine, name: str) -> Login | None:
    return people.log_in(engine, name, "mat khau du dai 1", address="192.0.2.1", now=time.time())


def put_back(config: ServerConfig, older: bytes) -> Engine:
    """An older file in the place of the database, as a person does it by hand."""
    for log in config.folder.glob("schoolwatch.db-*"):
        log.unlink()
    (config.folder / "schoolwatch.db").write_bytes(older)
    return open_database(config.database_url, config.master_key)


def test_an_older_copy_lets_in_nobody_who_was_shut_out_since(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    old = make.back_up(config).done.snapshot
    devices = end_some(config)
    make.back_up(config)  # a newer copy, which knows

    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase, "--snapshot", old)
    code, said = run("restore", "--data", tmp_path / "new", *place)

    assert code == 0, said
    assert (
        "(a device with a new key must enrol again): 2 devices; 2 revocations of enrolment or API tokens:"
        in said
    )
    assert f"  {devices[0]}: Device cut off, " in said
    locked, changed = said.partition("Do NOT open them")[2].partition("nobody gets in by what they were:")[
        ::2
    ]
    assert ("  binh: Account switched off, " in locked, "  an: Password reset, " in changed) == (True, True)
    assert "binh" not in changed
    assert f"./schoolwatch server unlock NAME --data {tmp_path}/new" in said
    engine = open_database(of_data(tmp_path / "new").database_url)
    after = {
        "device": devices[2:],
        "listed": [devices[0], *devices[2:]],
        "account": ["chi"],
        "token": [2, 3],
        "enrolment": [],
    }
    assert standing(engine) == after
    assert audit_log.verify(engine, tmp_path / "new").wrong == ()

    people.unlock(engine, "an")  # an administrator looked at it, and gave it no new password
    assert logged_in(engine, "an") is None, "the former password lets nobody in"
    assert logged_in(engine, "chi") is not None
    assert since.look(of_data(tmp_path / "new"), engine) == since.Again(), "done once"
    assert standing(engine) == {**after, "account": ["an", "chi"]}
    engine.dispose()
    listed = lasting.read(endings.path_in(tmp_path / "new"), Ending)
    assert {one.kind for one in listed} == set(endings.ACTIONS), "its own copies know of them too"


def test_the_old_data_folder_tells_what_no_copy_does(stocked: Stocked, run: Run, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    make.back_up(config)
    end_some(config)
    engine = open_database(config.database_url, config.master_key)
    assert since.note(engine, config.folder)  # as the server does each minute
    engine.dispose()
    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase)

    code, said = run("restore", "--data", tmp_path / "as_it_was", *place)
    assert (code, "Revoked again" in said, "nobody gets in by" in said) == (0, False, False), said
    code, said = run("restore", "--data", tmp_path / "new", *place, "--old-data", config.folder)
    assert code == 0, said
    assert "nobody gets in by what they were:\n  an: Password reset, " in said

    code, said = run("restore", "--data", tmp_path / "none", *place, "--old-data", tmp_path)
    assert code == 2, said
    assert "audit/deletions, audit/endings: No such file" in said
    assert not (tmp_path / "none" / "schoolwatch.db").exists()


def test_an_older_file_put_back_by_hand_is_set_right_at_the_next_start(
    stocked: Stocked, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    older = (config.folder / "schoolwatch.db").read_bytes()
    end_some(config)
    engine = open_database(config.database_url, config.master_key)
    since.note(engine, config.folder)
    expected = standing(engine)
    engine.dispose()
    engine = put_back(config, older)
    assert standing(engine) != expected
    again = since.look(config, engine)
    assert Counter(one.kind for one in again.ended) == {"device": 2, "account": 2, "token": 1, "enrolment": 1}
    assert standing(engine) == {**expected, "account": ["chi"]}
    assert since.look(config, engine) == since.Again()
    engine.dispose()


def test_where_parts_run_apart_evaluating_sets_an_older_file_right(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    older = (config.folder / "schoolwatch.db").read_bytes()
    end_some(config)
    engine = open_database(config.database_url, config.master_key)
    assert since.note(engine, config.folder)
    engine.dispose()
    for log in config.folder.glob("schoolwatch.db-*"):
        log.unlink()
    (config.folder / "schoolwatch.db").write_bytes(older)
    (config.folder / "packs" / "own.yaml").unlink()  # no pack, only something to be copied
    stop = threading.Event()
    evaluating = threading.Thread(target=evaluate.run, args=(config, stop))
    evaluating.start()
    engine = open_database(config.database_url, config.master_key)
    try:
        assert eventually(lambda: standing(engine)["account"] == ["chi"])
    finally:
        stop.set()
        evaluating.join()
        engine.dispose()


def noted(engine: Engine, config: ServerConfig) -> int:
    return ended.note(engine, endings.path_in(config.folder))


def test_lines_that_retention_took_are_not_taken_for_unknown(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    end_some(config)
    engine = open_database(config.database_url, config.master_key)
    assert (noted(engine, config), noted(engine, config)) == (6, 0)
    people.unlock(engine, "binh")
    with begin_write(engine) as conn:
        assert audit.prune(conn, time.time() + 2 * 86400.0, time.time())
    assert since.look(config, engine) == since.Again()
    assert "binh" in standing(engine)["account"]
    engine.dispose()


def test_a_second_restore_knows_what_the_first_had_nothing_to_end_of(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    first = make.back_up(config).done.snapshot  # neither people nor tokens are in it
    furnish(config)
    second = make.back_up(config).done.snapshot
    end_some(config)
    make.back_up(config)
    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase)
    assert run("restore", "--data", tmp_path / "one", *place, "--snapshot", first)[0] == 0
    again = of_data(tmp_path / "one")
    engine = open_database(again.database_url)
    assert since.look(again, engine) == since.Again()
    engine.dispose()
    make.back_up(make.named(again, target=str(tmp_path / "copies"), passphrase_file=str(stocked.passphrase)))

    code, said = run("restore", "--data", tmp_path / "two", *place, "--snapshot", second)

    assert code == 0, said
    assert "nobody gets in by what they were:\n  an: Password reset, " in said


def test_another_server_in_the_same_place_ends_nothing_here(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    mine = make.back_up(config).done.snapshot
    (tmp_path / "other").mkdir()
    data = tmp_path / "other" / "data"
    data.mkdir()
    make_database(data)
    other = make.named(
        of_data(data), target=config.backup.target, passphrase_file=config.backup.passphrase_file
    )
    engine = open_database(other.database_url)
    with begin_write(engine) as conn:
        conn.execute(update(t.meta).where(t.meta.c.key == "history").values(value="another"))
    people.create_account(engine, "an", "mat khau du dai 1", role="so_admin", scope=EVERYTHING, by="x")
    people.reset_password(engine, "an", by="x")
    engine.dispose()
    end_some(config)
    known = make.back_up(config).manifest
    make.back_up(other)  # the newest of this machine's name is another server's

    place = ("--from", tmp_path / "copies", "--passphrase-file", stocked.passphrase, "--snapshot", mine)
    code, said = run("restore", "--data", tmp_path / "new", *place)

    assert code == 0, said
    assert "nobody gets in by what they were:\n  an: Password reset, " in said
    assert f"is known up to {when(known.listed_at)}" in said
    engine = open_database(of_data(tmp_path / "new").database_url)
    with begin_read(engine) as conn:
        assert sum(line.action == "account.disable" for line in audit.newest(conn, 20)) == 2
    engine.dispose()


def test_what_was_undone_is_not_ended_again(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    older = (config.folder / "schoolwatch.db").read_bytes()
    devices = end_some(config)
    engine = open_database(config.database_url, config.master_key)
    fleet.restore(engine, devices[1], EVERYTHING, by="lan", now=time.time())
    people.unlock(engine, "binh")
    since.note(engine, config.folder)
    engine.dispose()
    engine = put_back(config, older)
    assert sorted(one.action for one in since.look(config, engine).ended) == [
        "account.reset_password",
        "device.revoke",
        "enrolment.revoke",
        "token.revoke",
    ]
    engine.dispose()


def test_a_gateway_that_is_none_any_more_passes_nothing_on_by_an_older_copy(
    stocked: Stocked, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    engine = open_database(config.database_url, config.master_key)
    with begin_write(engine) as conn:
        one, other = registry.devices(conn, EVERYTHING)[:2]
        for device in (one, other):
            registry.set_device(conn, device.id, label="", role="gateway", broken=False)
    engine.dispose()
    older = (config.folder / "schoolwatch.db").read_bytes()
    engine = open_database(config.database_url, config.master_key)
    with begin_write(engine) as conn:
        for device, action in ((one, "no_gateway"), (other, "no_gateway"), (other, "gateway")):
            audit.record(
                conn,
                actor="lan",
                action=f"device.{action}",
                subject=device.device,
                detail={},
                now=time.time(),
            )
    since.note(engine, config.folder)
    engine.dispose()

    engine = put_back(config, older)
    assert [done.subject for done in since.look(config, engine).ended] == [one.device]
    with begin_read(engine) as conn:
        assert credentials.gateways(conn) == {other.device}
    engine.dispose()


def test_a_key_that_was_renewed_since_lets_nobody_in(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    engine = open_database(config.database_url, config.master_key)
    with begin_read(engine) as conn:
        one, other = [row.device for row in registry.devices(conn, EVERYTHING)[:2]]
        former = credentials.passwords(conn)
    renewal.order(engine, EVERYTHING, None, by="lan", now=1.0)
    offered = renewal.offer(engine, other, now=2.0)
    assert offered is not None
    engine.dispose()
    older = (config.folder / "schoolwatch.db").read_bytes()
    engine = open_database(config.database_url, config.master_key)
    assert renewal.offer(engine, one, now=3.0) is not None
    for device in (one, other):
        assert renewal.take_up(engine, device, now=4.0, is_proved=True)
    since.note(engine, config.folder)
    engine.dispose()

    engine = put_back(config, older)
    assert {done.subject for done in since.look(config, engine).ended} == {one, other}
    with begin_read(engine) as conn:
        holding = credentials.passwords(conn)
    assert one not in holding
    assert holding[other] != former[other]
    assert passwords.verify(offered.password, holding[other]), "it goes on with the new one"
    engine.dispose()


def test_renewed_keys_push_nothing_else_off_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "LINES_MAX", 2)
    monkeypatch.setattr(endings, "RENEWED_MAX", 2)
    lines = [Ending(n, n, f"{n}", action, f"d{n % 4}") for n, action in enumerate(["device.rotated"] * 9)]
    lines += [Ending(0.5 + n, n, f"r{n}", "device.revoke", "x") for n in range(3)]
    kept = endings.bounded(lines)
    assert [one.at for one in kept] == [1.5, 2.5, 7, 8]


def test_tokens_of_a_school_that_has_another_code_since_are_revoked_again(
    stocked: Stocked, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    older = (config.folder / "schoolwatch.db").read_bytes()
    engine = open_database(config.database_url, config.master_key)
    with begin_write(engine) as conn:
        registry.change_code(conn, 1, "MA-MOI", time.time())
    engine.dispose()
    end_some(config)
    engine = open_database(config.database_url, config.master_key)
    assert since.note(engine, config.folder)
    engine.dispose()

    engine = put_back(config, older)
    assert "MA-MOI" in [one.subject for one in since.look(config, engine).ended]
    assert standing(engine)["enrolment"] == []
    engine.dispose()


def test_a_list_that_is_gone_or_garbage_is_made_anew_from_the_log(
    stocked: Stocked, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    end_some(config)
    engine, path = open_database(config.database_url, config.master_key), endings.path_in(config.folder)
    assert noted(engine, config) == 6
    whole = path.read_bytes()
    path.unlink()
    assert noted(engine, config) == 6
    assert path.read_bytes() == whole
    path.write_text("no list\n")
    people.reset_password(engine, "chi", by="lan")
    assert noted(engine, config) == 7
    assert "line 1 is no ending" in caplog.text
    assert path.with_name("endings.unreadable").read_text() == "no list\n"
    engine.dispose()


def test_a_session_ended_since_is_not_open_again_in_an_older_file(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    engine = open_database(config.database_url, config.master_key)
    assert logged_in(engine, "chi") is not None
    since.note(engine, config.folder)
    engine.dispose()
    older = (config.folder / "schoolwatch.db").read_bytes()
    engine = open_database(config.database_url, config.master_key)
    people.change(
        engine,
        "chi",
        lambda c, one, _: accounts.end_sessions(c, one.id),
        action="session.end",
        by="lan",
    )
    audit_log.note(engine, config.folder, time.time())
    with begin_read(engine) as conn:
        last = audit.newest(conn, 1)[0]
    engine.dispose()

    engine = put_back(config, older)
    assert sessions_of(engine) == 1
    found = since.look(config, engine)
    assert sessions_of(engine) == 0
    assert found.older is not None
    assert (found.older.id, found.ended) == (last.id, ())
    assert since.look(config, engine) == since.Again(), "told once"
    engine.dispose()


def sessions_of(engine: Engine) -> int:
    with begin_read(engine) as conn:
        return conn.scalar(select(func.count()).select_from(t.session)) or 0


def test_a_list_that_lost_its_end_or_all_of_it_is_told_where_an_older_file_is_in_place(
    stocked: Stocked, run: Run, tmp_path: Path
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    engine = open_database(config.database_url, config.master_key)
    people.reset_password(engine, "chi", by="lan")
    since.note(engine, config.folder)
    engine.dispose()
    older = (config.folder / "schoolwatch.db").read_bytes()
    end_some(config)
    engine, path = open_database(config.database_url, config.master_key), endings.path_in(config.folder)
    since.note(engine, config.folder)
    engine.dispose()
    whole = path.read_bytes()

    path.write_bytes(whole[:-20])  # the last line is that of the enrolment tokens
    put_back(config, older).dispose()
    code, said = run("migrate", "--restored", "--data", config.folder)
    assert code == 0, said
    assert f"ATTENTION: {path} is damaged ({path}: line 7 is no ending" in said
    assert f"{config.folder}/audit/; start it again" in said
    assert "2 devices; 1 revocations" in said, "what can be read holds"
    assert path.with_name("endings.unreadable").read_bytes() == whole[:-20]

    for gone in (path.unlink, lambda: path.write_bytes(b"")):
        gone()
        put_back(config, older).dispose()
        code, said = run("migrate", "--restored", "--data", config.folder)
        assert (code, f"ATTENTION: {path} is gone" in said) == (0, True), said
        assert "Revoked again" not in said

    path.write_bytes(whole)  # as the message says, from the newest backup
    code, said = run("migrate", "--data", config.folder)
    assert (code, "2 devices; 2 revocations" in said, "ATTENTION" in said) == (0, True, False), said


def test_a_copy_whose_list_was_changed_is_not_called_good(
    stocked: Stocked, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    end_some(config)
    monkeypatch.setattr(since, "_ON_THE_WAY", 0.0)
    place = ("--data", config.folder, "--from", config.backup.target, "--passphrase-file", stocked.passphrase)
    make.back_up(config)
    code, said = run("verify-backup", *place)
    assert (code, "is GOOD" in said) == (0, True), said
    path = endings.path_in(config.folder)
    whole = path.read_text()

    path.write_text(whole.replace('"subject":"an"', '"subject":"nobody"'))
    make.back_up(config)
    code, said = run("verify-backup", *place)
    assert (code, "list audit/endings lacks 1 things" in said) == (3, True), said
    deletions.path_in(config.folder).write_text("no list\n")
    path.write_text(whole)
    make.back_up(config)
    code, said = run("verify-backup", *place)
    assert (code, "list audit/deletions is damaged" in said) == (3, True), said


def test_a_list_that_cannot_be_written_is_not_said_to_be_whole(stocked: Stocked, tmp_path: Path) -> None:
    config = moved(stocked, tmp_path)
    furnish(config)
    (config.folder / "audit").mkdir(exist_ok=True)
    (config.folder / "audit" / ".endings").touch()
    path = endings.path_in(config.folder)
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "x").touch()
    path.with_name("endings.unreadable").mkdir()
    (path.with_name("endings.unreadable") / "x").touch()
    assert make.back_up(config).manifest.listed_at == 0.0
    with pytest.raises(LastingError, match="line 1"):
        lasting.parse(b'{"at": "x"}', "x", Ending)


def test_a_replaced_device_is_the_one_that_ended() -> None:
    entry = Entry(7, 2.0, "lan", "device.replace", "new", {"replaces": "old"}, "", "h")
    assert (endings.of(entry, "h").subject, endings.of(entry, "h").kind) == ("old", "device")
