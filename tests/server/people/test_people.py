"""Accounts: how passwords are kept, when an account rests, and when a session ends."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from reports import World
from schoolwatch_server import own_account, passwords, people, sessions
from schoolwatch_server.access import LIMITED, ROLES
from schoolwatch_server.audit_chain import Entry
from schoolwatch_server.config import People
from schoolwatch_server.database import audit as audit_log
from schoolwatch_server.database import people as rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.deeds import SECONDS, Deeds
from schoolwatch_server.people import (
    FREE_FAILURES,
    LOCK_MAX_SECONDS,
    LOCK_SECONDS,
    AccountError,
)
from schoolwatch_server.scope import EVERYTHING, Scope

PASSWORD = "a good password"
NOW = 1_790_000_000.0


@pytest.fixture
def account(world: World) -> int:
    return people.create_account(
        world.engine,
        "lan",
        PASSWORD,
        role="school_head",
        scope=Scope("school", world.school),
        by="test",
        now=NOW,
    )


def log_in(
    world: World, password: str = PASSWORD, name: str = "lan", now: float = NOW
) -> sessions.Login | None:
    return people.log_in(world.engine, name, password, address="192.0.2.7", now=now)


def audited(world: World) -> list[Entry]:
    with begin_read(world.engine) as conn:
        return list(reversed(audit_log.newest(conn, 1000)))


def everything(world: World) -> str:
    """All that the tables of people hold, as text."""
    with begin_read(world.engine) as conn:
        return repr(
            [conn.execute(select(table)).all() for table in (t.account, t.session, t.audit, t.api_token)]
        )


@pytest.mark.usefixtures("real_passwords")
def test_passwords_are_argon2id_with_at_least_what_owasp_asks_for(world: World, account: int) -> None:
    with begin_read(world.engine) as conn:
        held = rows.account_by_name(conn, "lan")
    assert held is not None
    kept = extract_parameters(held.password_hash)
    assert kept.type.name == "ID"
    assert kept.memory_cost >= 19 * 1024  # KiB; OWASP, Password Storage Cheat Sheet
    assert kept.time_cost >= 2
    assert kept.salt_len >= 16
    assert passwords.hash_password(PASSWORD) != passwords.hash_password(PASSWORD)
    assert PASSWORD not in everything(world)


def test_no_secret_is_kept_or_written_down(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    log_in(world, "wrong password here")
    log_in(world, "x", name=PASSWORD)  # typed into the wrong field
    for secret in (login.secret, PASSWORD, "wrong password here"):
        assert secret not in everything(world)


def test_a_session_is_the_accounts_until_it_expires(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    for minutes in range(59, 12 * 60, 59):  # somebody is there
        assert sessions.person(world.engine, login.secret, NOW + minutes * 60) is not None
    who = sessions.person(world.engine, login.secret, NOW + 12 * 3600 - 1)
    assert who is not None
    assert (who.kind, who.name, who.role, who.scope) == (
        "account",
        "lan",
        "school_head",
        Scope("school", world.school),
    )
    assert who.permissions == ROLES["school_head"]
    assert who.csrf == login.csrf
    assert sessions.person(world.engine, login.secret, NOW + 12 * 3600) is None
    assert sessions.person(world.engine, "guess", NOW) is None
    assert sessions.person(world.engine, "", NOW) is None


def test_a_session_that_nobody_uses_ends_and_a_page_that_refreshes_itself_is_nobody(
    world: World, account: int
) -> None:
    login = log_in(world)
    assert login is not None
    for minutes in range(5, 60, 5):
        assert sessions.person(world.engine, login.secret, NOW + minutes * 60, awake=False) is not None
    assert sessions.person(world.engine, login.secret, NOW + 3600) is None
    assert sessions.person(world.engine, login.secret, NOW + 3600, People(idle_minutes=61)) is not None
    assert sessions.person(world.engine, login.secret, NOW + 7200 - 1) is not None


def test_an_account_that_nobody_uses_is_switched_off_and_the_shell_brings_it_back(
    world: World, account: int
) -> None:
    people.create_account(
        world.engine, "admin", PASSWORD, role="so_admin", scope=EVERYTHING, by="test", now=NOW + 9
    )
    days = 45 * 86400
    assert people.switch_off_idle(world.engine, NOW + days, People()) == 0
    login = log_in(world, now=NOW + days)
    assert login is not None
    late = NOW + 2 * days + 3600
    assert log_in(world, now=late) is None, "also before the daily round came"
    assert people.switch_off_idle(world.engine, late, People()) == 1, "the admin too"
    with begin_read(world.engine) as conn:
        assert all(one.disabled_at is not None for one in rows.accounts(conn))
    people.unlock(world.engine, "lan")
    people.unlock(world.engine, "admin")
    assert log_in(world, now=time.time()) is not None
    told = [(line.actor, line.action, line.subject, line.detail.get("days")) for line in audited(world)]
    assert ("server", "account.idle", "lan", 45) in told
    assert ("server", "account.idle", "admin", 45) in told
    assert ("command line", "account.unlock", "lan", None) in told
    with pytest.raises(AccountError, match="no account"):
        people.unlock(world.engine, "nobody")


def test_unlocking_ends_the_rest_after_wrong_passwords(world: World, account: int) -> None:
    for _ in range(FREE_FAILURES):
        log_in(world, "wrong")
    assert log_in(world) is None
    people.unlock(world.engine, "lan")
    assert log_in(world) is not None


def test_a_password_of_somebody_else_opens_the_own_page_alone_until_it_is_changed(
    world: World, account: int
) -> None:
    given = people.reset_password(world.engine, "lan")
    login = log_in(world, given)
    assert login is not None
    who = sessions.person(world.engine, login.secret, NOW)
    assert who is not None
    assert (who.permissions, who.must) == (LIMITED, "password")

    def change(old: str, new: str) -> sessions.Login | str:
        return own_account.change_password(
            world.engine, account, old, new, address="192.0.2.7", now=NOW, terms=People()
        )

    own = "a password of my own"
    assert change("wrong", own) == "wrong"
    weak = {
        "too short": "length",
        "x" * 201: "length",
        "0912345678": "digits",
        "abababababab": "repeats",
        "I am LAN of school": "name",
        given: "same",
    }
    assert {new: change(given, new) for new in weak} == weak
    assert sessions.person(world.engine, login.secret, NOW) is not None
    opened = change(given, own)
    assert isinstance(opened, sessions.Login)
    assert sessions.person(world.engine, login.secret, NOW) is None, "every other session has ended"
    who = sessions.person(world.engine, opened.secret, NOW)
    assert who is not None
    assert (who.permissions, who.must) == (ROLES["school_head"], "")
    assert log_in(world, given) is None
    assert own not in everything(world)


def test_wrong_passwords_at_ones_own_page_count_as_at_a_login(world: World, account: int) -> None:
    def proves(password: str) -> bool:
        return own_account.proves(world.engine, account, password, address="192.0.2.7", now=NOW)

    assert proves(PASSWORD)
    for _ in range(FREE_FAILURES):
        assert not proves("wrong")
    assert not proves(PASSWORD)
    assert log_in(world) is None


def test_ones_own_sessions_are_listed_and_ended(world: World, account: int) -> None:
    people.create_account(world.engine, "ha", PASSWORD, role="auditor", scope=EVERYTHING, by="test", now=NOW)
    first, second, other = log_in(world), log_in(world, now=NOW + 60), log_in(world, name="ha")
    assert first is not None
    assert second is not None
    assert other is not None
    who = sessions.person(world.engine, second.secret, NOW + 60)
    assert who is not None
    found = sessions.open_of(world.engine, account, NOW + 60, People(), secret=second.secret)
    assert [(one.is_this, one.address, one.created_at) for one in found] == [
        (True, "192.0.2.7", NOW + 60),
        (False, "192.0.2.7", NOW),
    ]
    assert found[0].number not in second.secret
    others = sessions.hashed(other.secret)[:16]
    for number in (found[1].number, others, "nothing", "", "%"):
        sessions.end_one(world.engine, who, number, NOW)
    assert sessions.person(world.engine, first.secret, NOW) is None
    assert sessions.person(world.engine, second.secret, NOW + 60) is not None
    assert sessions.person(world.engine, other.secret, NOW) is not None, "somebody else's"


def test_each_login_has_secrets_of_its_own(world: World, account: int) -> None:
    first, second = log_in(world), log_in(world)
    assert first is not None
    assert second is not None
    assert len({first.secret, second.secret, first.csrf, second.csrf}) == 4


def test_logging_out_ends_that_session_on_the_server(world: World, account: int) -> None:
    first, second = log_in(world), log_in(world)
    assert first is not None
    assert second is not None
    sessions.log_out(world.engine, first.secret, by="lan", now=NOW)
    assert sessions.person(world.engine, first.secret, NOW) is None
    assert sessions.person(world.engine, second.secret, NOW) is not None


def test_a_disabled_account_is_out_at_once(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    with begin_write(world.engine) as conn:
        conn.execute(update(t.account).values(disabled_at=NOW))
    assert sessions.person(world.engine, login.secret, NOW) is None
    assert log_in(world) is None


def test_a_changed_role_or_scope_holds_from_the_next_request(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    with begin_write(world.engine) as conn:
        conn.execute(update(t.account).values(role="auditor", scope_level="commune", scope_id=9))
    who = sessions.person(world.engine, login.secret, NOW)
    assert who is not None
    assert (who.role, who.scope) == ("auditor", Scope("commune", 9))


def test_wrong_passwords_make_the_account_rest_longer_and_longer(world: World, account: int) -> None:
    now = NOW
    for _ in range(FREE_FAILURES):
        assert log_in(world, "wrong", now=now) is None
    rest, rests = LOCK_SECONDS, []
    while len(rests) < 7:
        assert log_in(world, now=now + rest - 1) is None, "the right password during the rest"
        now += rest + 1
        assert log_in(world, "wrong", now=now) is None
        rests.append(rest)
        rest = min(rest * 2, LOCK_MAX_SECONDS)
    assert rests == [30, 60, 120, 240, 480, 900, 900]
    assert log_in(world, now=now + LOCK_MAX_SECONDS + 1) is not None
    for _ in range(FREE_FAILURES - 1):
        log_in(world, "wrong", now=now + 2000)
    assert log_in(world, now=now + 2000) is not None, "a good login begins anew"


def test_guesses_at_once_are_counted_each(world: World, account: int) -> None:
    def guess(_: int) -> None:
        log_in(world, "wrong")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(guess, range(FREE_FAILURES)))
    assert log_in(world) is None


def test_a_password_that_is_reset_while_the_old_one_is_checked_opens_nothing(
    world: World, account: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = people.verify_password

    def slow(hashed: str | None, password: str) -> bool:
        good = verify(hashed, password)
        people.reset_password(world.engine, "lan")
        return good

    monkeypatch.setattr(people, "verify_password", slow)
    assert log_in(world) is None
    with begin_read(world.engine) as conn:
        assert list(conn.execute(select(t.session.c.hash))) == []


@pytest.mark.parametrize("case", ["unknown", "wrong", "resting", "disabled"])
def test_every_refusal_does_the_same_work(
    world: World, account: int, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    done: list[str] = []
    real, write = passwords._hasher, people.begin_write

    class Counting:
        """Argon2 hashes can't be counted otherwise: the hasher's methods are fixed."""

        def verify(self, hashed: str, password: str) -> bool:
            done.append("hash")
            return real.verify(hashed, password)

        def check_needs_rehash(self, hashed: str) -> bool:
            return real.check_needs_rehash(hashed)

    def counted(engine):
        done.append("write")
        return write(engine)

    passwords.warm_up()
    changes = {"resting": {"locked_until": NOW + 1}, "disabled": {"disabled_at": NOW}}
    with begin_write(world.engine) as conn:
        conn.execute(update(t.account).values(changes.get(case, {"failures": 0})))
    monkeypatch.setattr(passwords, "_hasher", Counting())
    monkeypatch.setattr(people, "begin_write", counted)
    assert (
        log_in(world, "wrong" if case == "wrong" else PASSWORD, name="ai" if case == "unknown" else "lan")
        is None
    )
    assert done == ["hash", "write"]


def test_a_reset_gives_a_new_password_and_ends_all_sessions(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    for _ in range(FREE_FAILURES):
        log_in(world, "wrong")
    new = people.reset_password(world.engine, "lan")
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", new)
    assert sessions.person(world.engine, login.secret, NOW) is None
    assert log_in(world) is None
    assert log_in(world, new) is not None
    with pytest.raises(AccountError, match="no account"):
        people.reset_password(world.engine, "nobody")


def test_everything_that_concerns_an_account_is_audited(world: World, account: int) -> None:
    login = log_in(world)
    assert login is not None
    log_in(world, "wrong")
    log_in(world, "wrong", name="nobody")
    sessions.log_out(world.engine, login.secret, by="lan", now=NOW)
    people.reset_password(world.engine, "lan", by="root")
    lines = audited(world)
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("test", "account.create", "lan"),
        ("lan", "login", "lan"),
        ("lan", "login.failed", "lan"),
        ("", "login.refused", ""),
        ("lan", "logout", "lan"),
        ("root", "account.reset_password", "lan"),
    ]
    assert lines[1].detail == {"from": "192.0.2.7"}


def test_a_flood_of_wrong_passwords_is_counted_and_each_rest_is_a_row(world: World, account: int) -> None:
    failed = Deeds()

    def wrong(name: str, address: str, now: float) -> None:
        assert people.log_in(world.engine, name, "wrong", address=address, now=now, failed=failed) is None

    for n in range(12):  # 4 that are free, one that begins a rest, 7 within it; beside as many of no account
        wrong("lan", "192.0.2.7", NOW + n)
        wrong(f"nobody {n}", f"2001:db8::{n}", NOW + n)
    wrong("lan", "192.0.2.8", NOW + 20)
    wrong("nobody", "192.0.2.9", NOW + 2 * SECONDS)
    lines = [(line.action, line.subject, line.detail) for line in audited(world)[1:]]
    free, rest = {"rest_seconds": None}, {"rest_seconds": 30.0}
    assert lines == [
        ("login.failed", "lan", {"from": "192.0.2.7", **free}),
        ("login.refused", "", {"from": "2001:db8::0", **free}),
        ("login.failed", "lan", {"from": "192.0.2.7", **rest}),
        ("login.refused", "lan", {"from": "192.0.2.7", **free}),
        ("login.refused", "lan", {"from": "192.0.2.8", **free}),
        ("login.failed", "lan", {"from": "192.0.2.7", "times_more": 3}),
        ("login.refused", "", {"from": "2001:db8::/64", "times_more": 11}),
        ("login.refused", "lan", {"from": "192.0.2.7", "times_more": 6}),
        ("login.refused", "", {"from": "192.0.2.9", **free}),
    ]


def test_the_first_admin_is_made_once(world: World) -> None:
    password = people.first_admin(world.engine)
    assert password is not None
    assert people.first_admin(world.engine) is None
    login = log_in(world, password, name="admin")
    assert login is not None
    who = sessions.person(world.engine, login.secret, NOW)
    assert who is not None
    assert (who.role, who.scope) == ("so_admin", EVERYTHING)


@pytest.mark.parametrize(
    ("name", "password", "role", "why"),
    [
        ("", PASSWORD, "auditor", "name"),
        ("x" * 81, PASSWORD, "auditor", "name"),
        ("a\nb", PASSWORD, "auditor", "name"),
        ("a", "too short", "auditor", "password"),
        ("a", "x" * 201, "auditor", "password"),
        ("a", PASSWORD, "root", "not a role"),
        ("lan", PASSWORD, "auditor", "already"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    world: World, account: int, name: str, password: str, role: str, why: str
) -> None:
    with pytest.raises(AccountError, match=why) as caught:
        people.create_account(world.engine, name, password, role=role, scope=EVERYTHING, by="test")
    assert password not in str(caught.value)


@pytest.mark.usefixtures("real_passwords")
def test_too_many_passwords_at_once_are_not_queued_without_end() -> None:
    hashed, outcomes, go = passwords.hash_password(PASSWORD), [], threading.Barrier(24)

    def check() -> None:
        go.wait()
        try:
            outcomes.append(passwords.verify_password(hashed, PASSWORD))
        except passwords.BusyError:
            outcomes.append(None)

    threads = [threading.Thread(target=check) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 24
    assert set(outcomes) == {True, None}
    assert passwords.verify_password(hashed, PASSWORD), "and afterwards all is as before"


@given(st.text(max_size=40))
def test_no_hash_that_is_none_of_ours_lets_in(text: str) -> None:
    assert passwords.verify_password(text, PASSWORD) is False


@pytest.mark.parametrize(
    "name",
    [
        "command line",
        "Command Line",
        "SERVER",
        "up",
        "retention",
        "enrolment token 3",
        "device 0123456789abcdef",
        " lan2",
        "lan2 ",
        "lan  2",
        "",
        "x" * 81,
        "lan\n2",
    ],
)
def test_nobody_is_called_as_the_audit_log_calls_the_server(world: World, name: str) -> None:
    with pytest.raises(AccountError, match="name"):
        people.create_account(world.engine, name, PASSWORD, role="auditor", scope=EVERYTHING, by="test")
    assert people.everybody(world.engine) == ()


@pytest.mark.parametrize("name", ["lan", "LAN", "\uff4can", "Lan"])
def test_no_two_accounts_read_alike_in_the_audit_log(world: World, account: int, name: str) -> None:
    with pytest.raises(AccountError, match="already"):
        people.create_account(world.engine, name, PASSWORD, role="auditor", scope=EVERYTHING, by="test")
    assert [one.id for one in people.everybody(world.engine)] == [account]
