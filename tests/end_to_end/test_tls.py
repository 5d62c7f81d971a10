"""A computer meets a server over TLS: pinned by its code, with a wrong clock, by the web's port, by proxy."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from brokers import RunningBroker
from conftest import Peer
from mqtt import Client, wait_for
from proxying import Proxy
from reports import World
from schoolwatch_agent import delivery, identity, on_the_way, ways
from schoolwatch_agent.config import load
from schoolwatch_agent.connection import UnreachableError
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_contract import pin
from schoolwatch_contract.topics import REPORTS
from schoolwatch_server import transport
from schoolwatch_server.authority import own
from schoolwatch_server.authority.folder import Authority
from schoolwatch_server.config import Mqtt, ServerConfig, Tls
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.files import write_atomically
from website import RunningSite

TICK = """
import sys, pathlib
from schoolwatch_agent import tick
from schoolwatch_agent.config import load
from schoolwatch_agent.host import Host
print(tick.tick(load(pathlib.Path(sys.argv[1])), Host(), ()).outcome)
"""
"""A tick of an agent with no probes: what is delivered is what each report tells of itself."""

ASK = """
import sys, pathlib
from schoolwatch_agent import identity, wrong_clock
from schoolwatch_agent.config import load
config = load(pathlib.Path(sys.argv[1]))
status, _, body = wrong_clock.ask(config, identity.read_credential(config.data), "/api/v1/device/standing")
print(status, body.decode())
"""


@dataclass
class Place:
    """A server that speaks TLS alone, and the folder of a computer that knows nothing of it."""

    world: World
    config: ServerConfig
    site: RunningSite
    broker: RunningBroker
    computer: Path
    settings: str = ""

    def code(self) -> str:
        """What a technician is given."""
        engine, school = self.world.engine, self.world.school
        token = issue_enrolment_token(engine, school, None, 1, 5, now=time.time(), admits="at_once")
        return self.site.app.state.context.code(token)

    def configure(self, **server: str) -> Path:
        """The computer's settings file."""
        file = self.computer / "agent.toml"
        lines = "".join(f'{key} = "{value}"\n' for key, value in server.items())
        file.write_text(f'[agent]\ndata = "data"\n[delivery]\nconnect_wait = 5\n[server]\n{lines}')
        return file

    def enrol(self, code: str, *, lang: str = "en", at: str = "", **server: str) -> tuple[int, str]:
        """`schoolwatch-agent enrol` on the computer; its clock shows `at`. Exit code and what it said."""
        where = ("--config", str(self.configure(**server)), "--url", self.site.url, "--lang", lang)
        return self._run(("-m", "schoolwatch_agent", "enrol", *where), code, at)

    def tick(self, at: str = "") -> None:
        """Measures next to nothing, and delivers it."""
        code, said = self._run(("-c", TICK, str(self.computer / "agent.toml")), "", at)
        assert code == 0, said
        assert "kind='delivered'" in said, said

    def ask(self, at: str) -> str:
        """What the server says over HTTPS of this device's standing."""
        return self._run(("-c", ASK, str(self.computer / "agent.toml")), "", at)[1].strip()

    def _run(self, words: tuple[str, ...], text: str, at: str) -> tuple[int, str]:
        """A Python of the computer's, whose clock shows `at`."""
        clock = ("faketime", "-f", f"@{at}") if at else ()
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        done = subprocess.run(
            (*clock, sys.executable, *words),
            input=text,
            capture_output=True,
            text=True,
            env=clean,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def credential(self) -> Credential:
        """What the computer was given; the broker knows it from now on."""
        found = identity.read_credential(self.computer / "data")
        assert found is not None
        self.broker.add(found.device, found.password)
        return found

    def connects(self, credential: Credential) -> ways.Way | None:
        """Connects as the agent does, and says goodbye; the way that is kept."""
        config = load(self.computer / "agent.toml")
        delivery.connect(config, credential).close()
        return ways.last(config.data)


@pytest.fixture(params=["mosquitto", "amqtt"])
def place(
    request: pytest.FixtureRequest, peer: Peer, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[Place]:
    data, computer = tmp_path / "data", tmp_path / "computer"
    data.mkdir()
    computer.mkdir()
    config = ServerConfig(data=str(data), tls=Tls(always=True), mqtt=Mqtt(port=free_port()))
    own.keep(config, datetime.now(UTC))
    tls = transport.mqtt(config)
    assert tls is not None
    program = peer("mosquitto") if request.param == "mosquitto" else None
    broker = RunningBroker(
        request.param, tmp_path / "broker", config.mqtt.port, program, tls=(tls.certificate, tls.key)
    )
    world = World(data)
    broker.start()
    try:
        with RunningSite(config) as site:
            yield Place(world, config, site, broker, computer)
    finally:
        broker.stop()


one_broker = pytest.mark.parametrize("place", ["mosquitto"], indirect=True)


def test_a_code_brings_the_servers_authority_and_reports_go_out_encrypted(place: Place) -> None:
    code, said = place.enrol(place.code())
    assert code == 0, said
    assert (place.computer / "data" / "ca.pem").read_text() == transport.own_ca(place.config).read_text()
    credential = place.credential
    assert credential.mqtt.tls
    with Client(
        place.broker, place.broker.user, place.broker.password, ca=transport.own_ca(place.config)
    ) as server:
        server.subscribe(REPORTS)
        place.tick()
        wait_for(lambda: server.got)


@one_broker
def test_somebody_elses_certificate_is_refused_and_never_sees_the_token(place: Place, tmp_path: Path) -> None:
    token = place.code()
    other = Authority(tmp_path / "other")
    other.make("another", datetime.now(UTC))
    forged = pin.join(pin.split(token)[0], other.root_pem)
    code, said = place.enrol(forged, lang="vi")
    assert code == 1
    assert "máy chủ trả lời không phải máy chủ đã cấp mã đăng ký này" in said
    code, said = place.enrol(forged, lang="en")
    assert "not the one that issued this token" in said
    code, said = place.enrol(pin.split(token)[0])  # no pin: whom the machine trusts
    assert code == 1
    assert "certificate is not trusted" in said
    assert not (place.computer / "data" / "credential.json").exists()
    assert place.enrol(token)[0] == 0
    impostor = other.issue(["127.0.0.1"], datetime.now(UTC))
    file = transport.folder(place.config) / "server.pem"
    write_atomically(file, impostor.key + impostor.chain)
    place.broker.add("b" * 32)  # the broker shows the impostor's from now on
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        place.connects(place.credential)


@one_broker
@pytest.mark.parametrize("year", ["1970", "2045"])
def test_a_computer_with_a_wrong_clock_enrols_and_reports_and_is_told(
    place: Place, year: str, peer: Peer
) -> None:
    peer("faketime")
    at = f"{year}-01-02 03:04:05"
    code, said = place.enrol(place.code(), lang="vi", at=at)
    assert code == 0, said
    assert "Đồng hồ của máy này sai" in said
    assert f"máy này đang là {year}-01-0" in said
    assert f"máy chủ là {datetime.now(UTC):%Y-}" in said
    assert place.credential
    assert place.ask(at) == '200 {"standing":"approved"}'  # as for a new key, or when it waits
    with Client(
        place.broker, place.broker.user, place.broker.password, ca=transport.own_ca(place.config)
    ) as server:
        server.subscribe(REPORTS)
        place.tick(at)
        wait_for(lambda: server.got)


@one_broker
def test_a_certificate_that_really_ended_is_refused_whatever_our_clock(place: Place, peer: Peer) -> None:
    peer("faketime")
    long_ago = datetime.now(UTC) - timedelta(days=100)
    ended = own.authority(place.config).issue(["127.0.0.1"], long_ago)
    file = transport.folder(place.config) / "server.pem"
    write_atomically(file, ended.key + ended.chain)
    with RunningSite(place.config) as site:
        place.site = site
        for at in ("", "2045-01-02 03:04:05"):
            code, said = place.enrol(place.code(), at=at)
            assert code == 1
            assert "out of its time" in said
            assert "ca renew" in said


def test_where_the_brokers_port_is_closed_the_webs_is_taken_and_remembered(
    place: Place, free_port: Callable[[], int]
) -> None:
    assert place.enrol(place.code())[0] == 0
    credential = place.credential
    assert credential.mqtt.websocket == f"wss://127.0.0.1:{place.site.port}/mqtt"
    closed = Credential(
        credential.device,
        credential.key,
        credential.password,
        Broker("127.0.0.1", free_port(), tls=True, websocket=credential.mqtt.websocket),
    )
    inside = ways.Way("127.0.0.1", place.site.port, "/mqtt")
    assert place.connects(closed) == inside
    looked = on_the_way.server(load(place.computer / "agent.toml"), closed)
    assert [finding.key for finding in looked] == ["name_ok", "login_ok"]
    found = ways.ways(closed.mqtt, "", inside)
    assert found[0] == inside
    identity.write_credential(place.computer / "data", closed)
    with Client(
        place.broker, place.broker.user, place.broker.password, ca=transport.own_ca(place.config)
    ) as server:
        server.subscribe(REPORTS)
        place.tick()
        wait_for(lambda: server.got)
    wrong = Credential(closed.device, closed.key, "a wrong password", closed.mqtt)
    with pytest.raises(delivery.RefusedError):  # the door lets nobody in by itself
        place.connects(wrong)


@one_broker
def test_a_schools_proxy_carries_enrolment_and_reports(place: Place) -> None:
    with Proxy((place.site.port,)) as proxy:  # it lets the web through, and nothing else
        code, said = place.enrol(place.code(), proxy=proxy.url)
        assert code == 0, said
        assert set(proxy.asked) == {f"127.0.0.1:{place.site.port}"}
        way = place.connects(place.credential)
    assert way == ways.Way("127.0.0.1", place.site.port, "/mqtt", proxy.url)
    assert proxy.asked[-2:] == [f"127.0.0.1:{place.broker.port}", f"127.0.0.1:{place.site.port}"]


@one_broker
def test_the_door_takes_mqtt_alone_and_to_nowhere_else(place: Place) -> None:
    """The client runs in one thread: until Python 3.13 two could spoil each other's TLS (cpython 124984)."""
    asyncio.run(_knock(place.site.url.replace("https", "wss"), place.config))


async def _knock(url: str, config: ServerConfig) -> None:
    trusted = transport.client_context(str(transport.own_ca(config)))
    for path, protocols in (("/mqtt", None), ("/elsewhere", ["mqtt"]), ("/login", ["mqtt"])):
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url + path, ssl=trusted, subprotocols=protocols, proxy=None)
    async with connect(f"{url}/mqtt", ssl=trusted, subprotocols=["mqtt"], proxy=None) as line:
        await line.send("text is no MQTT")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(line.recv(), 10)
