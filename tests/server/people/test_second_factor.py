"""The second factor: a code counts once, wrong ones make it rest, and who loses the phone still gets in."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from reports import World
from schoolwatch_server import people, second_factor, sessions
from schoolwatch_server.access import LIMITED, ROLES
from schoolwatch_server.config import People
from schoolwatch_server.database import audit
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.people import FREE_FAILURES, LOCK_SECONDS, AccountError
from schoolwatch_server.scope import EVERYTHING

PASSWORD = "a good password"
NOW = 1_790_000_000.0
TERMS = People()


class Phone:
    """An authenticator app that read the QR code."""

    def __init__(self, uri: str) -> None:
        held = parse_qs(urlsplit(uri).query)
        assert (held["digits"], held["period"], held["algorithm"]) == (["6"], ["30"], ["SHA1"])
        self.secret = base64.b32decode(held["secret"][0])

    def code(self, now: float) -> str:
        return TOTP(self.secret, 6, SHA1(), 30).generate(int(now)).decode()


class Person:
    """An auditor with a phone that is set up."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = people.create_account(
            world.engine, "thu", PASSWORD, role="auditor", scope=EVERYTHING, by="test", now=NOW
        )
        self.phone = Phone(second_factor.begin(world.engine, self.id).uri)
        codes = second_factor.confirm(world.engine, self.id, self.phone.code(NOW - 60), NOW - 60)
        assert codes is not None
        self.codes = codes

    def first(self, now: float = NOW) -> sessions.Login:
        login = people.log_in(self.world.engine, "thu", PASSWORD, address="192.0.2.7", now=now)
        assert login is not None
        assert login.waits
        return login

    def second(self, login: sessions.Login, code: str, now: float = NOW) -> sessions.Login | None:
        return second_factor.finish(
            self.world.engine,
            login.secret,
            code,
            address="192.0.2.7",
            now=now,
            terms=TERMS,
        )


@pytest.fixture
def thu(world: World) -> Person:
    return Person(world)


def actions(world: World) -> list[str]:
    with begin_read(world.engine) as conn:
        return [line.action for line in reversed(audit.newest(conn, 1000))]


def test_the_codes_are_those_of_the_standard() -> None:
    secret = b"12345678901234567890"  # RFC 6238, appendix B, cut to 6 digits
    for at, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert second_factor.matching_step(secret, code, at) == at // 30
        assert second_factor.matching_step(secret, f" {code[:3]} {code[3:]}", at) == at // 30


@given(st.text(max_size=12), st.floats(0, 4e9))
def test_what_is_no_code_matches_no_step(text: str, now: float) -> None:
    found = second_factor.matching_step(b"x" * 20, text, now)
    assert found is None or "".join(text.split()).isdecimal()


def test_a_right_password_alone_opens_nothing(world: World, thu: Person) -> None:
    login = thu.first()
    assert sessions.person(world.engine, login.secret, NOW) is None
    assert thu.second(login, "000000") is None
    assert sessions.person(world.engine, login.secret, NOW) is None
    opened = thu.second(login, thu.phone.code(NOW))
    assert opened is not None
    assert opened.secret != login.secret, "who saw the first step's cookie has nothing"
    who = sessions.person(world.engine, opened.secret, NOW)
    assert who is not None
    assert who.permissions == ROLES["auditor"]
    assert sessions.person(world.engine, login.secret, NOW) is None


def test_a_code_counts_once(thu: Person) -> None:
    code = thu.phone.code(NOW)
    assert thu.second(thu.first(), code) is not None
    assert thu.second(thu.first(), code) is None
    assert thu.second(thu.first(), thu.phone.code(NOW - 30)) is None, "nor one that is older than that"
    assert thu.second(thu.first(NOW + 30), thu.phone.code(NOW + 30), NOW + 30) is not None


def test_the_code_that_turned_it_on_opens_nothing(world: World, thu: Person) -> None:
    assert thu.second(thu.first(NOW - 60), thu.phone.code(NOW - 60), NOW - 60) is None


@pytest.mark.parametrize(("drift", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_phone_may_be_half_a_minute_off(thu: Person, drift: float, good: bool) -> None:
    assert (thu.second(thu.first(NOW + 90), thu.phone.code(NOW + 90 + drift), NOW + 90) is not None) == good


def test_wrong_codes_make_it_rest_and_right_passwords_do_not_end_that(world: World, thu: Person) -> None:
    for _ in range(FREE_FAILURES):
        assert thu.second(thu.first(), "000000") is None
    assert thu.second(thu.first(), thu.phone.code(NOW)) is None, "the right code during the rest"
    later = NOW + LOCK_SECONDS + 1
    assert thu.second(thu.first(later), "000000", later) is None
    assert thu.second(thu.first(later + 31), thu.phone.code(later + 31), later + 31) is None, "a longer rest"
    assert thu.second(thu.first(later + 61), thu.phone.code(later + 61), later + 61) is not None
    assert actions(world).count("login.wrong_code") == FREE_FAILURES + 1


def test_a_first_step_waits_five_minutes(thu: Person) -> None:
    login = thu.first()
    later = NOW + sessions.FIRST_STEP_SECONDS
    assert thu.second(login, thu.phone.code(later), later) is None
    assert thu.second(login, thu.phone.code(later - 1), later - 1) is not None


def test_each_recovery_code_opens_once_however_it_is_typed(world: World, thu: Person) -> None:
    assert len(set(thu.codes)) == second_factor.RECOVERY_CODES
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", code) for code in thu.codes)
    first, second = thu.codes[:2]
    assert thu.second(thu.first(), first) is not None
    assert thu.second(thu.first(), first) is None
    assert thu.second(thu.first(), second.upper().replace("-", " ")) is not None
    assert second_factor.codes_left(world.engine, thu.id) == second_factor.RECOVERY_CODES - 2
    new = second_factor.renew_codes(world.engine, thu.id, NOW)
    assert thu.second(thu.first(), thu.codes[2]) is None
    assert thu.second(thu.first(), new[0]) is not None


def test_the_secret_is_sealed_and_recovery_codes_are_hashed(world: World, thu: Person) -> None:
    with begin_read(world.engine) as conn:
        held = [conn.execute(select(table)).all() for table in (t.account, t.recovery_code, t.audit)]
    assert thu.phone.secret not in held[0][0].totp
    assert repr(thu.phone.secret)[2:-1] not in repr(held)
    assert not [code for code in thu.codes if code in repr(held) or code.replace("-", "") in repr(held)]


def test_another_phone_counts_from_its_first_code_on(world: World, thu: Person) -> None:
    new = Phone(second_factor.begin(world.engine, thu.id).uri)
    assert thu.second(thu.first(), thu.phone.code(NOW)) is not None, "until then the old one does"
    assert second_factor.confirm(world.engine, thu.id, "000000", NOW) is None
    assert second_factor.confirm(world.engine, thu.id, new.code(NOW), NOW) is not None
    later = NOW + 60
    assert thu.second(thu.first(later), thu.phone.code(later), later) is None
    assert thu.second(thu.first(later), new.code(later), later) is not None


def test_a_reset_takes_it_away_and_ends_the_sessions(world: World, thu: Person) -> None:
    opened = thu.second(thu.first(), thu.phone.code(NOW))
    assert opened is not None
    second_factor.reset(world.engine, "thu")
    assert sessions.person(world.engine, opened.secret, NOW) is None
    login = people.log_in(world.engine, "thu", PASSWORD, address="", now=NOW)
    assert login is not None
    assert not login.waits
    assert actions(world)[-2:] == ["factor.reset", "login"]
    with pytest.raises(AccountError, match="no account"):
        second_factor.reset(world.engine, "nobody")


def test_a_role_that_needs_it_has_a_week_and_then_its_own_page_alone(world: World) -> None:
    people.create_account(world.engine, "ha", PASSWORD, role="so_admin", scope=EVERYTHING, by="test", now=NOW)
    for days, allowed in ((6.9, ROLES["so_admin"]), (7, LIMITED)):
        at = NOW + days * sessions.DAY
        login = people.log_in(world.engine, "ha", PASSWORD, address="", now=at)
        assert login is not None
        who = sessions.person(world.engine, login.secret, at)
        assert who is not None
        assert (who.permissions, who.must) == (allowed, "second_factor" if allowed is LIMITED else "")
    terms = People(second_factor_roles=())
    who = sessions.person(world.engine, login.secret, at, terms)
    assert who is not None
    assert who.permissions == ROLES["so_admin"]
