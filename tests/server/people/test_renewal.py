"""Keys and passwords renewed: what waits for computers that are off, restart, or forget at each start."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from databases import settings_of
from reports import RULES, Device, World
from schoolwatch_agent import config, delivery, identity, renewal, tick
from schoolwatch_agent import settings as agent_settings
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.enrol import Office, enrol
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.memory import Outcome
from schoolwatch_contract import settings
from schoolwatch_server import renewal as ordered
from schoolwatch_server import tell
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import credentials, sealed, told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING, Scope
from website import RunningSite


class Machine(Host):
    """Only its start has a name."""

    def __init__(self, boot: str) -> None:
        super().__init__()
        self._boot = boot

    def boot_id(self) -> str:
        return self._boot


@pytest.fixture(autouse=True)
def no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)  # which take 0.1 s to read, each time


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    with RunningSite(settings_of(world.folder)) as site:
        yield site


@pytest.fixture
def agent(world: World, site: RunningSite, tmp_path: Path) -> AgentConfig:
    """An enrolled computer."""
    now = time.time()
    token = issue_enrolment_token(world.engine, world.school, None, 1, 9, now=now, admits="at_once")
    loaded = AgentConfig(agent=config.Agent(data=str(tmp_path / "data")))
    identity.write_credential(loaded.data, enrol(Office(site.url, token), "a" * 32).credential)
    return loaded


def held(agent: AgentConfig) -> Credential:
    credential = identity.read_credential(agent.data)
    assert credential is not None
    return credential


def order(world: World, agent: AgentConfig) -> None:
    """A person orders it, and the device hears of it as of any setting."""
    device = held(agent).device
    assert ordered.order(world.engine, EVERYTHING, [device], by="lan", now=time.time()) == (device,)
    hear(world, agent)


def hear(world: World, agent: AgentConfig) -> None:
    device = held(agent).device
    with begin_read(world.engine) as conn:
        row = next(row for row in told.due(conn, 10) if row.device == device)
    agent_settings.keep(agent.data, tell.text_for(ServerConfig().targets, row))


def start(agent: AgentConfig, boot: str) -> Credential:
    """What a delivery of this start goes on with."""
    credential = held(agent)
    if agent_settings.is_renewal_due(agent.data, credential):
        credential = renewal.step(agent, Machine(boot), credential)
    assert credential == held(agent)
    return credential


def counts(world: World, credential: Credential, seq: int) -> bool:
    device = Device(0, credential.device, bytes.fromhex(credential.key))
    return device.device in take(world.engine, [device.message(seq, at=time.time())], RULES)


def test_new_ones_are_taken_up_after_a_restart_and_the_old_hold_until_then(
    world: World, agent: AgentConfig
) -> None:
    old = held(agent)
    assert start(agent, "boot 1") == old, "nobody wishes anything"
    order(world, agent)
    offered = start(agent, "boot 1")
    assert (offered.key, offered.password) == (old.key, old.password)
    assert offered.renewed is not None
    assert counts(world, offered, 1)
    assert start(agent, "boot 1") == offered, "it does not ask again"
    new = start(agent, "boot 2")
    assert new.key == offered.renewed.key != old.key
    assert new.password != old.password
    assert counts(world, new, 2)
    assert not counts(world, old, 3)
    hear(world, agent)
    assert agent_settings.read(agent.data).renew == 0
    assert start(agent, "boot 3") == new
    assert ordered.waiting(world.engine, EVERYTHING) == ()


def test_a_tick_delivers_before_it_takes_up_what_a_broker_may_not_know_yet(
    world: World, agent: AgentConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(world, agent)
    offered = start(agent, "boot 1")
    used = []

    def deliver(_: object, credential: Credential, *__: object) -> Outcome:
        used.append(credential.key)
        return Outcome("delivered", time.time())

    monkeypatch.setattr(delivery, "deliver", deliver)
    assert tick.tick(agent, Machine("boot 2"), ()).outcome is not None
    assert offered.renewed is not None
    assert (used, held(agent).key) == ([offered.key], offered.renewed.key)


def test_a_computer_whose_disk_is_put_back_keeps_its_key_until_it_is_thawed(
    world: World, agent: AgentConfig, tmp_path: Path
) -> None:
    order(world, agent)
    image = tmp_path / "image"
    shutil.copytree(agent.data, image)
    for boot in ("frozen 1", "frozen 2", "frozen 3"):
        shutil.rmtree(agent.data)
        shutil.copytree(image, agent.data)
        credential = start(agent, boot)
        assert credential.renewed is not None
        assert counts(world, credential, int(boot[-1]))
    (row,) = ordered.waiting(world.engine, EVERYTHING)
    assert row.offered_at is not None
    start(agent, "thawed 1")
    assert start(agent, "thawed 2").renewed is None
    assert counts(world, held(agent), 4)


def test_a_lost_answer_leaves_no_computer_outside(world: World, agent: AgentConfig) -> None:
    order(world, agent)
    before = start(agent, "boot 1")
    new = start(agent, "boot 2")
    identity.write_credential(agent.data, before)  # the power went before the answer was kept
    assert not counts(world, before, 1), "the server has taken it up"
    assert start(agent, "boot 3") == new
    assert counts(world, new, 1)


def test_an_order_waits_for_who_is_off_and_begins_anew_when_it_is_given_again(
    world: World, agent: AgentConfig
) -> None:
    order(world, agent)
    (row,) = ordered.waiting(world.engine, EVERYTHING)
    assert (row.device, row.offered_at) == (held(agent).device, None)
    first = start(agent, "boot 1")
    order(world, agent)
    second = start(agent, "boot 2")
    assert second == msgspec.structs.replace(first, renewed=None), "what was offered before is void"
    assert start(agent, "boot 2").renewed is not None
    assert start(agent, "boot 3").renewed is None
    with pytest.raises(RegistryError):
        ordered.order(world.engine, Scope("school", 999), [row.device], by="x", now=time.time())


def test_an_offered_key_is_sealed_and_proves_nothing_but_itself(world: World, agent: AgentConfig) -> None:
    order(world, agent)
    renewed = start(agent, "boot 1").renewed
    assert renewed is not None
    with begin_read(world.engine) as conn:
        kept = conn.scalar(select(t.credential.c.next_key))
        device_id = conn.scalar(select(t.credential.c.device_id))
        assert credentials.offered_key(conn, device_id) == bytes.fromhex(renewed.key)
    assert bytes.fromhex(renewed.key) not in kept
    assert sealed.NEXT_KEY in sealed.SEALED
    forged = msgspec.structs.replace(held(agent), key=renewed.key, renewed=None)
    assert not counts(world, forged, 1)


def test_what_the_server_wishes_is_data_and_old_agents_pass_over_it() -> None:
    said = settings.encode(settings.Settings(renew=1_790_000_000.0))
    assert said == b'{"renew":1790000000.0}'
    assert settings.decode(b"{}").renew == 0
