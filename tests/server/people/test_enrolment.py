"""Enrolment over HTTP: who is let in, how often, and what a device can do with what it was given."""

import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from brokers import RunningBroker
from databases import settings_of
from mqtt import Client
from reports import Device, World
from schoolwatch_agent.enrol import EnrolError, Office
from schoolwatch_agent.enrol import enrol as agent_enrol
from schoolwatch_contract.records import Reading
from schoolwatch_contract.topics import topic
from schoolwatch_server import enrolment
from schoolwatch_server.config import Http, Mqtt
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.enrolment import Asking, EnrolmentError, issue_enrolment_token
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from website import TRUSTING_NOBODY, RunningSite

RULES = Rules()


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    config = settings_of(world.folder, mqtt=Mqtt(port=18999))
    with RunningSite(config) as site:
        site.app.state.context.attempts.__init__(most=10**6, seconds=60.0)
        yield site


def token_for(world: World, uses: int = 1, days: float = 1, **more: Any) -> str:
    more = {"room_id": None, "now": time.time(), "admits": "at_once", **more}
    return issue_enrolment_token(world.engine, world.school, days=days, uses=uses, **more)


def install_id() -> str:
    return os.urandom(16).hex()


def ask(site: RunningSite, token: str, install: str | None = None) -> httpx.Response:
    body = {"token": token, "install_id": install or install_id(), "agent": "0.1.0"}
    with httpx.Client(trust_env=False, timeout=60, verify=TRUSTING_NOBODY) as client:
        return client.post(f"{site.url}/api/v1/enrol", json=body)


def device_of(world: World, answer: dict[str, Any]) -> Device:
    with begin_read(world.engine) as conn:
        row = registry.device(conn, answer["device"], EVERYTHING)
    assert row is not None
    return Device(row.id, row.device, bytes.fromhex(answer["key"]))


def devices(world: World) -> int:
    with begin_read(world.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(t.device)) or 0)


def hear(world: World, device: Device, seq: int = 1) -> bool:
    """A frame of the device goes through intake; whether it was taken."""
    message = device.message(seq, at=time.time(), readings=(Reading("processor.busy", 0.5),))
    return device.device in take(world.engine, [message], RULES)


def test_a_token_lets_a_device_in_whose_frames_are_taken(world: World, site: RunningSite) -> None:
    answer = ask(site, token_for(world))
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == {"device", "key", "password", "made_at", "mqtt", "hint_key", "label", "standing"}
    assert told["standing"] == "approved"
    assert told["mqtt"] == {"host": "127.0.0.1", "port": 18999, "tls": False, "websocket": ""}
    assert (len(told["device"]), len(bytes.fromhex(told["key"]))) == (32, 32)
    assert answer.headers["cache-control"] == "no-store"
    device = device_of(world, told)
    assert hear(world, device)
    assert not hear(world, replace(device, key=os.urandom(32)), seq=2)


def test_a_room_s_token_puts_the_device_into_the_room(world: World, site: RunningSite) -> None:
    with begin_write(world.engine) as conn:
        room = registry.create_room(conn, world.school, "Tin học 1", "student_lab")
        elsewhere = registry.create_school(
            conn, registry.communes(conn, EVERYTHING)[0].id, "S2", "Trường 2", "THCS", 0
        )
        other = registry.create_room(conn, elsewhere, "Tin học 1", "student_lab")
    told = ask(site, token_for(world, room_id=room)).json()
    with begin_read(world.engine) as conn:
        row = registry.device(conn, told["device"], EVERYTHING)
    assert row is not None
    assert (row.room, row.role, row.school_code, row.label) == ("Tin học 1", "student_lab", "S", "Máy 01")
    with pytest.raises(ValueError, match="room"):
        token_for(world, room_id=other)


def test_what_was_told_is_kept_as_little_as_can_be(
    world: World, site: RunningSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token, install = token_for(world), install_id()
    told = ask(site, token, install).json()
    assert ask(site, token).status_code == 403
    assert ask(site, "swe_wrong", install).status_code == 403
    with begin_read(world.engine) as conn:
        tables = (t.enrolment_token, t.audit, t.device, t.credential)
        held = repr([conn.execute(select(table)).all() for table in tables])
    for secret in (token, told["password"]):
        assert secret not in held
        assert secret not in caplog.text
    assert told["key"] not in caplog.text
    assert "enrolment refused" in caplog.text


@pytest.mark.parametrize("case", ["expired", "revoked", "used up", "unknown", "hash"])
def test_a_token_that_is_over_lets_nobody_in_and_does_not_say_why(
    world: World, site: RunningSite, case: str
) -> None:
    now = time.time()
    token = token_for(world, days=1, now=now - 2 * 86400) if case == "expired" else token_for(world)
    if case == "revoked":
        with begin_write(world.engine) as conn:
            assert rows.revoke_tokens(conn, world.school, now) == 1
    if case == "used up":
        assert ask(site, token).status_code == 201
    if case == "hash":
        token = enrolment._hashed(token)
    before = devices(world)
    answer = ask(site, "swe_unknown" if case == "unknown" else token)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "this token lets no device in: ask the school for a new one"
    assert devices(world) == before


def test_twenty_at_once_with_five_uses_are_five(world: World, site: RunningSite) -> None:
    token = token_for(world, uses=5)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(site, token), range(20)))
    let_in = [answer.json()["device"] for answer in answers if answer.status_code == 201]
    assert len(let_in) == len(set(let_in)) == 5
    assert sorted({answer.status_code for answer in answers}) == [201, 403]
    assert devices(world) == 5
    with begin_read(world.engine) as conn:
        assert rows.open_tokens(conn, world.school, time.time()) == ()
        labels = {row.label for row in registry.devices(conn, EVERYTHING)}
    assert labels == {f"Máy {n:02d}" for n in range(1, 6)}


def test_the_same_device_at_once_is_one_device_and_one_use(world: World, site: RunningSite) -> None:
    token, install = token_for(world, uses=5), install_id()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(site, token, install), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["device"] for answer in answers}) == 1
    with begin_read(world.engine) as conn:
        (left,) = rows.open_tokens(conn, world.school, time.time())
    assert left.uses_left == 4


def test_a_lost_answer_costs_nothing_and_the_newest_one_counts(world: World, site: RunningSite) -> None:
    token, install = token_for(world, uses=1), install_id()
    lost, told = ask(site, token, install).json(), ask(site, token, install).json()
    assert lost["device"] == told["device"]
    assert lost["key"] != told["key"]
    assert lost["password"] != told["password"]
    assert devices(world) == 1
    assert not hear(world, device_of(world, lost))
    assert hear(world, device_of(world, told))


def test_a_copied_disk_becomes_a_device_of_its_own(world: World, site: RunningSite) -> None:
    token, install = token_for(world, uses=2), install_id()
    first = device_of(world, ask(site, token, install).json())
    assert hear(world, first)
    copy = device_of(world, ask(site, token, install).json())
    assert copy.device != first.device
    assert hear(world, first, 2), "the first one's key still holds"
    assert hear(world, copy)
    assert ask(site, token, install).status_code == 403, "and the uses are counted"


def test_a_revoked_device_does_not_come_back_by_asking_again(world: World, site: RunningSite) -> None:
    token, install = token_for(world, uses=2), install_id()
    device = device_of(world, ask(site, token, install).json())
    with begin_write(world.engine) as conn:
        credentials.revoke(conn, device.id, time.time())
    again = device_of(world, ask(site, token, install).json())
    assert again.device != device.device
    assert not hear(world, device)


@pytest.mark.parametrize(("days", "uses"), [(0, 1), (91, 1), (1, 0), (1, 1001), (float("nan"), 1)])
def test_a_token_without_bounds_is_not_made(world: World, days: float, uses: int) -> None:
    with pytest.raises(ValueError, match="token"):
        token_for(world, days=days, uses=uses)


def test_wrong_tokens_wait_and_do_not_keep_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: object) -> None:
        raise AssertionError("a wrong token began to write")

    monkeypatch.setattr(enrolment, "begin_write", never)
    with pytest.raises(EnrolmentError):
        enrolment.enrol(world.engine, "swe_wrong", Asking(install_id()), now=time.time())


def test_every_enrolment_is_audited_without_its_token(world: World, site: RunningSite) -> None:
    token, install = token_for(world, by="lan"), install_id()
    ask(site, token, install)
    ask(site, token, install)
    with begin_read(world.engine) as conn:
        lines = [(r.actor, r.action) for r in conn.execute(select(t.audit).order_by(t.audit.c.id))]
    assert lines == [
        ("lan", "enrolment.token"),
        ("enrolment token 1", "enrolment"),
        ("enrolment token 1", "enrolment.repeat"),
    ]


def test_the_agent_enrols_itself_and_its_password_opens_a_real_mosquitto(
    world: World, site: RunningSite, mosquitto: RunningBroker
) -> None:
    token = token_for(world)
    told = agent_enrol(Office(site.url, token), install_id()).credential
    device = device_of(world, {"device": told.device, "key": told.key})
    assert hear(world, device)
    with begin_read(world.engine) as conn:
        mosquitto.set_hash(told.device, credentials.passwords(conn)[told.device])
    with Client(mosquitto, told.device, told.password) as client:
        assert client.code == "Success"
        assert client.publish(topic(told.device, "report"), device.frame(2, at=time.time()))
    with Client(mosquitto, told.device, told.password + "x") as client:
        assert client.code == "Not authorized"
    with pytest.raises(EnrolError) as caught:
        agent_enrol(Office(site.url, token), install_id())
    assert caught.value.key == "token_refused"
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("http", "mqtt", "host"),
    [
        (Http(), Mqtt(), "127.0.0.1"),
        (Http(), Mqtt(host="mqtt.example"), "mqtt.example"),
        (Http(public_url="https://giam-sat.example"), Mqtt(), "giam-sat.example"),
        (Http(public_url="https://giam-sat.example:8443/"), Mqtt(host="0.0.0.0"), "giam-sat.example"),
    ],
)
def test_a_device_is_told_where_the_broker_is_whatever_it_calls_us(
    world: World, http: Http, mqtt: Mqtt, host: str
) -> None:
    with RunningSite(settings_of(world.folder, http=http, mqtt=mqtt)) as site:
        body = {"token": token_for(world), "install_id": install_id()}
        answer = site.anyone().post("/api/v1/enrol", json=body, headers={"Host": "evil.example"})
    assert answer.json()["mqtt"]["host"] == host
