"""Devices that wait for approval: nothing of them counts until somebody lets them in, then all of it does."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select

from brokers import RunningBroker
from databases import settings_of
from mqtt import Client, wait_for
from reports import RULES, Device, World
from schoolwatch_agent import admission, delivery, doctor, identity
from schoolwatch_agent.config import Agent, AgentConfig, load
from schoolwatch_agent.connection import RefusedError
from schoolwatch_agent.enrol import Office
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.texts import Texts
from schoolwatch_agent.tick import Ticked, tick
from schoolwatch_contract import slot
from schoolwatch_contract.records import Reading
from schoolwatch_contract.topics import topic
from schoolwatch_server.access import OUTSIDE
from schoolwatch_server.approval import decide
from schoolwatch_server.challenges import Challenges
from schoolwatch_server.config import Mqtt
from schoolwatch_server.database import arrivals, counts, credentials, pages, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.enrolment import Asking, Enrolled, RoomError, enrol, issue_enrolment_token
from schoolwatch_server.identity import Hints
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.packs import load as load_packs
from schoolwatch_server.proofs import device as proved
from schoolwatch_server.scope import EVERYTHING, Scope
from website import RunningSite, csrf

NOW = time.time()


def hints(number: int) -> Hints:
    return {
        kind: frozenset({f"{number:031x}{digit}"}) for digit, kind in enumerate(("system", "disk", "mac"))
    }


def room(world: World, name: str = "Tin học 1", declared: int | None = None) -> int:
    with begin_write(world.engine) as conn:
        return registry.create_room(conn, world.school, name, "student_lab", declared)


def token(world: World, room_id: int | None = None, *, admits: rows.Admits = "wait", uses: int = 50) -> str:
    return issue_enrolment_token(world.engine, world.school, room_id, 1, uses, now=NOW, admits=admits)


def let(world: World, by: str, number: int = 0, **more) -> Enrolled:
    install = more.pop("install_id", f"install-{number:04}")
    return enrol(world.engine, by, Asking(install, hints(number), **more), now=NOW)


def frame_device(enrolled: Enrolled) -> Device:
    return Device(0, enrolled.device, enrolled.key)


def is_taken(world: World, device: Device, seq: int = 1) -> bool:
    return device.device in take(world.engine, [device.message(seq, at=NOW)], RULES)


def audit(world: World) -> list[tuple[str, str]]:
    with begin_read(world.engine) as conn:
        return [(r.actor, r.action) for r in conn.execute(select(t.audit).order_by(t.audit.c.id))]


def test_nothing_of_a_device_that_waits_counts_anywhere(world: World) -> None:
    told = let(world, token(world, room(world)))
    assert told.pending
    device = frame_device(told)
    assert not is_taken(world, device)
    with begin_read(world.engine) as conn:
        assert told.device not in credentials.passwords(conn)
        assert registry.devices(conn, EVERYTHING) == ()
        assert registry.device(conn, told.device, EVERYTHING) is None
        assert [r.devices for r in pages.rooms(conn, world.school)] == [0]
        assert pages.tallies(conn, EVERYTHING, heard_after=0, working_after=0)[0].devices == 0
        (school,) = counts.count(conn, EVERYTHING, limits(load_packs(), NOW))
        assert conn.scalar(select(func.count()).select_from(t.journal)) == 0
        assert conn.scalar(select(t.quarantine.c.reason)) == "pending"
        (row,) = arrivals.waiting(conn, EVERYTHING)
    assert school.counts.devices_enrolled == 0
    assert (row.label, row.room, row.resembles) == ("Máy 01", "Tin học 1", None)
    challenges = Challenges()
    proof = slot.authorization(told.key, told.device, challenges.issue())
    principal = proved(world.engine, proof, challenges)
    assert principal is not None
    assert principal.permissions == OUTSIDE


def test_approval_hands_nothing_over_and_what_was_measured_since_counts(world: World) -> None:
    told = let(world, token(world, room(world)))
    later = NOW + 3600
    with begin_read(world.engine) as conn:
        before = credentials.standing(conn)
    (row,) = decide(world.engine, [told.device], "approve", EVERYTHING, by="lan", now=later)
    assert row.device == told.device
    assert is_taken(world, frame_device(told)), "with the key that it has had all the time"
    with begin_read(world.engine) as conn:
        assert told.device in credentials.passwords(conn)
        assert credentials.standing(conn) != before, "the broker's files are written anew"
        found = registry.device(conn, told.device, EVERYTHING)
        assert found is not None
        assert (found.room, found.label) == ("Tin học 1", "Máy 01")
        assert conn.scalar(select(t.membership.c.valid_from)) == NOW, "since it asked, not since the click"
        assert arrivals.waiting(conn, EVERYTHING) == ()
    assert decide(world.engine, [told.device], "refuse", EVERYTHING, by="x", now=later) == ()
    assert audit(world)[-2:] == [("enrolment token 1", "enrolment.pending"), ("lan", "enrolment.approve")]


def test_a_refused_device_proves_nothing_and_hears_so(world: World) -> None:
    told = let(world, token(world))
    decide(world.engine, [told.device], "refuse", EVERYTHING, by="lan", now=NOW)
    assert not is_taken(world, frame_device(told))
    with begin_read(world.engine) as conn:
        assert arrivals.waiting(conn, EVERYTHING) == ()
        assert credentials.passwords(conn) == {}
        assert credentials.find(conn, [told.device])[told.device].revoked
    assert audit(world)[-1] == ("lan", "enrolment.refuse")


def test_nobody_decides_on_devices_of_another_school(world: World) -> None:
    told = let(world, token(world))
    assert decide(world.engine, [told.device], "approve", Scope("school", 999), by="x", now=NOW) == ()
    with begin_read(world.engine) as conn:
        assert arrivals.waiting(conn, Scope("school", 999)) == ()
        assert arrivals.count_waiting(conn, EVERYTHING) == 1
        assert arrivals.count_waiting(conn, Scope("school", 999)) == 0


def test_a_room_lets_in_as_many_as_it_declares_and_the_others_wait(world: World) -> None:
    by = token(world, room(world, declared=3), admits="declared")
    assert [let(world, by, n).pending for n in range(5)] == [False, False, False, True, True]


@pytest.mark.parametrize("declared", [None, 0])
def test_a_room_that_declares_nothing_lets_nobody_in_by_itself(world: World, declared: int | None) -> None:
    assert let(world, token(world, room(world, declared=declared), admits="declared")).pending
    assert let(world, token(world, admits="declared"), 1).pending, "nor does a school without a room"


def test_a_computer_with_known_hardware_is_somebody_s_decision(world: World) -> None:
    by = token(world, room(world, declared=9), admits="declared")
    first = let(world, by, 1)
    again = let(world, by, 1, install_id="installed-anew")
    assert (first.pending, again.pending) == (False, True)
    with begin_read(world.engine) as conn:
        (row,) = arrivals.waiting(conn, EVERYTHING)
    assert (row.resembles, row.resembles_label) == (first.device, first.label)


def test_forty_copies_of_one_disk_wait_as_forty_computers(world: World) -> None:
    by = token(world, room(world))
    names = {let(world, by, n, install_id="the-same-install").device for n in range(40)}
    again = {let(world, by, n, install_id="the-same-install").device for n in range(40)}
    assert len(names) == 40
    assert again == names, "a lost answer makes no forty-first"
    with begin_read(world.engine) as conn:
        labels = [row.label for row in arrivals.waiting(conn, EVERYTHING)]
        assert rows.open_tokens(conn, world.school, NOW)[0].uses_left == 10
    assert labels == [f"Máy {n:02d}" for n in range(1, 41)]


@pytest.mark.parametrize("frozen_again", [False, True])
def test_a_frozen_computer_that_waits_or_was_refused_makes_no_second_one_at_each_start(
    world: World, *, frozen_again: bool
) -> None:
    by = token(world, room(world))
    first = let(world, by, 1, frozen=True)
    if not frozen_again:
        assert let(world, by, 1, frozen=True, install_id="after-a-restart").device == first.device
        assert let(world, by, 1, frozen=True, install_id="another-start").pending
        return
    decide(world.engine, [first.device], "refuse", EVERYTHING, by="lan", now=NOW)
    with pytest.raises(ValueError, match="refused or revoked"):
        let(world, by, 1, frozen=True, install_id="after-a-restart")
    with begin_read(world.engine) as conn:
        assert arrivals.waiting(conn, EVERYTHING) == ()


def test_a_room_may_be_named_at_the_computer_and_a_wrong_one_is_said(world: World) -> None:
    room(world, "Tin học 1")
    other = room(world, "Phòng máy 2")
    let(world, token(world), 1, room=" phong  may 2 ")
    with begin_read(world.engine) as conn:
        assert [row.room for row in arrivals.waiting(conn, EVERYTHING)] == ["Phòng máy 2"]
    for by, named in ((token(world), "Phòng máy 2, Tin học 1"), (token(world, other), "Phòng máy 2")):
        with pytest.raises(RoomError, match=named):
            let(world, by, 2, room="Kho" if "Tin" in named else "Tin học 1")
    with begin_read(world.engine) as conn:
        assert arrivals.count_waiting(conn, EVERYTHING) == 1, "and no device and no use is left behind"


# --- the console --------------------------------------------------------------------------------------------


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    with RunningSite(settings_of(world.folder)) as site:
        yield site


def test_a_technician_lets_a_whole_room_in_but_for_those_that_look_known(
    world: World, site: RunningSite
) -> None:
    own = room(world)
    known = let(world, token(world, own, admits="at_once"), 1)
    about = {"hardware.chassis": "desktop", "hardware.model": "OptiPlex <3070>", "os.name": "Windows 11 Pro"}
    fresh = [let(world, token(world, own), n, about=about) for n in (2, 3)]
    copy = let(world, token(world, own), 1, install_id="installed-anew")
    technician = site.somebody("technician", Scope("school", world.school))
    page = technician.get("/schools/S", headers={"Accept": "text/html"}).text
    assert "Máy chờ duyệt" in page
    assert "OptiPlex &lt;3070&gt; · Windows 11 Pro" in page
    assert f"phần cứng giống {known.label}" in page
    assert "Duyệt cả phòng (2 máy)" in page
    of_room = re.findall(r'name="of_room" value="(\w{32})"', page)
    assert sorted(of_room) == sorted(one.device for one in fresh)
    form = {"csrf": csrf(technician), "decision": "room", "of_room": of_room, "school": "S"}
    answer = technician.post("/arrivals/decide", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/schools/S#arrivals")
    with begin_read(world.engine) as conn:
        assert [row.device for row in arrivals.waiting(conn, EVERYTHING)] == [copy.device]
        assert len(registry.devices(conn, EVERYTHING)) == 3
    viewer = site.somebody("so_viewer")
    assert "1 máy của trường đang chờ" in viewer.get("/schools/S").text
    assert viewer.get("/arrivals").status_code == 403


def test_the_department_sees_all_that_wait_and_forms_need_their_session(
    world: World, site: RunningSite
) -> None:
    told = let(world, token(world))
    admin = site.somebody("so_admin")
    assert told.device in admin.get("/arrivals").text
    form = {"decision": "refuse", "device": told.device}
    assert admin.post("/arrivals/decide", data={**form, "csrf": "made-up"}).status_code == 403
    assert admin.post("/arrivals/decide", data={**form, "csrf": csrf(admin)}).status_code == 303
    assert told.device not in admin.get("/arrivals").text


def test_one_token_is_ended_and_the_others_stay(world: World, site: RunningSite) -> None:
    ended, stays = token(world), token(world)
    technician = site.somebody("technician", Scope("school", world.school))
    page = technician.get("/schools/S").text
    assert f"…{ended[-4:]}" in page
    assert ended not in page
    answer = technician.post("/schools/S/enrolment/1/revoke", data={"csrf": csrf(technician)})
    assert answer.status_code == 303
    with pytest.raises(ValueError, match="revoked"):
        let(world, ended)
    assert let(world, stays).pending


# --- the agent ----------------------------------------------------------------------------------------------


def measure(config: AgentConfig) -> Ticked:
    return tick(config, Host(), (Probe("", 0, lambda _: (Reading("processor.busy", 0.5),)),))


def test_a_computer_delivers_what_it_kept_once_somebody_lets_it_in(
    world: World, broker: RunningBroker, tmp_path: Path
) -> None:
    config = settings_of(world.folder, mqtt=Mqtt(port=broker.port))
    with RunningSite(config) as site:
        (tmp_path / "token").write_text(token(world))
        text = f'[agent]\ndata = "data"\n[server]\nurl = "{site.url}"\ntoken_file = "token"\n[schedule]\n'
        (tmp_path / "agent.toml").write_text(text + "measure = 1\ndeliver = 1\n[delivery]\nack_wait = 0.1\n")
        agent = load(tmp_path / "agent.toml")
        first, second = measure(agent), measure(agent)
        assert [done.outcome.kind for done in (first, second) if done.outcome] == ["pending", "pending"]
        assert (second.is_enrolled, second.is_pending) == (True, True)
        waited = identity.read_credential(agent.data)
        assert waited is not None
        decide(world.engine, [waited.device], "approve", EVERYTHING, by="lan", now=time.time())
        with begin_read(world.engine) as conn:
            broker.set_hash(waited.device, credentials.passwords(conn)[waited.device])
        with Client(broker, broker.user, broker.password) as server:
            assert server.subscribe(topic(waited.device, "report"))
            done = measure(agent)
            wait_for(lambda: len(server.got) == 3)
    assert (done.outcome and done.outcome.kind, done.is_pending) == ("delivered", False)
    assert identity.read_credential(agent.data) == msgspec.structs.replace(waited, pending=False)
    messages = [Message(place, frame, time.time()) for place, frame in server.got]
    assert waited.device in take(world.engine, messages, RULES)
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(t.journal)) == 3


class YearAhead(Host):
    """A computer whose clock is a year ahead."""

    def now(self) -> float:
        return super().now() + 366 * 86_400


def test_a_refused_computer_says_so_and_the_doctor_tells_one_that_waits(
    world: World, mosquitto: RunningBroker, tmp_path: Path
) -> None:
    config = settings_of(world.folder, mqtt=Mqtt(port=mosquitto.port))
    with RunningSite(config) as site:
        agent = AgentConfig(agent=Agent(data=str(tmp_path / "data")))
        told = admission.admit(agent, Office(site.url, token(world)), Host())
        found = {f.key for f in doctor.findings(agent, None, YearAhead(), (), Texts("doctor", "vi"))}
        assert {"login_pending", "clock_ahead"} <= found
        found = {f.key for f in doctor.findings(agent, None, Host(), (), Texts("doctor", "vi"))}
        assert {"login_pending", "clock_ok"} <= found
        decide(world.engine, [told.credential.device], "refuse", EVERYTHING, by="lan", now=time.time())
        with pytest.raises(RefusedError, match="refused"):
            delivery.connect(agent, told.credential)
