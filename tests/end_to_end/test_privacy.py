"""The privacy page against the bytes that agents really send: nothing is on the wire that the page lacks, and
the page names nothing that is not on the wire."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import psutil
import pytest

import machines
import station
from brokers import RunningBroker
from conftest import find_program
from schoolwatch_agent import cli, enrol, explain, limits, standing
from schoolwatch_agent import config as config_of
from schoolwatch_agent.bundle import write
from schoolwatch_agent.clocks import Moment
from schoolwatch_agent.connection import Connection, UnreachableError
from schoolwatch_agent.cycle import Pace, run_cycle
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import probes
from schoolwatch_agent.spool import Limits, Spool
from schoolwatch_agent.tick import SPOOL, tick
from schoolwatch_agent.ways import Way
from schoolwatch_contract import bundle, envelope, frame, slot
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting
from schoolwatch_contract.settings import Bandwidth, Endpoint, Ipv6, Quality, Settings
from tap import Connect, Publish, Subscribe, Tap

NOW, YEAR = 1_800_000_000.0, 365 * 86_400.0
TOLD = Settings(
    measures_use=True,
    ipv6=Ipv6(dual_stack=(Endpoint("127.0.0.1", 9),)),
    quality=Quality(hosts=("127.0.0.1",)),
    bandwidth=Bandwidth("https://127.0.0.1:9"),
)
"""What a server may tell; nothing answers there."""

ALL = probes(
    TOLD,
    marker="/srv/backup/done",
    hint_key=bytes(range(32)),
    sensors=config_of.Sensors(("eth0", "eth1")),
)


@dataclass
class Wire:
    """What was sent: the raw bytes, the frames, and what is in them."""

    raw: bytes
    connects: list[Connect] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    frames: list[frame.Frame] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def envelopes(self) -> list[Envelope]:
        return [envelope.from_json(body) for body in self.bodies]

    def names(self) -> dict[str, set[str]]:
        """Every name that was measured, with the labels that it ever had."""
        found: dict[str, set[str]] = {}
        for each in self.envelopes:
            for reading in each.readings:
                found.setdefault(reading.metric, set()).update(reading.labels)
            for fact in each.facts:
                found.setdefault(fact.name, set()).update(fact.labels)
            for sighting in each.sightings:
                found.setdefault(sighting.kind, set()).update(sighting.detail)
        return found


def read(tap: Tap) -> Wire:
    wire = Wire(tap.raw())
    for packet in tap.packets():
        if isinstance(packet, Connect):
            wire.connects.append(packet)
        elif isinstance(packet, Subscribe):
            wire.topics |= set(packet.topics)
        elif isinstance(packet, Publish):
            wire.topics.add(packet.topic)
            frame.verify(packet.payload, bytes.fromhex(station.KEY))
            whole = frame.parse(packet.payload)
            wire.frames.append(whole)
            wire.bodies.append(envelope.inflate(whole.body))
    return wire


def _failing(_: Host) -> Iterator[Reading]:
    raise NotImplementedError(f"of {USER} on /home/{USER}/x, 00:11:22:33:44:55")


USER = "nguyenthibichngoc"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """Every recorded machine, then this one with every probe and with failing ones, to a real broker."""
    folder = tmp_path_factory.mktemp("wire")
    program = find_program("mosquitto")
    if program is None:
        pytest.skip("not run: needs mosquitto (Debian package mosquitto)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = RunningBroker("mosquitto", folder / "broker", port, program)
    broker.start()
    with pytest.MonkeyPatch.context() as patch, Tap(broker.port) as tap:
        patch.setenv("USER", USER)
        credential = station.enrol(folder, broker)
        through = msgspec.structs.replace(credential.mqtt, port=tap.port)
        station.write_credential(folder, msgspec.structs.replace(credential, mqtt=through))
        for name in machines.NAMES:
            with Spool(
                folder / SPOOL, name, NOW, Limits(max_age=YEAR)
            ) as spool:  # each has a clock of its own
                run_cycle(machines.machine(name), ALL, spool, Pace(station.DEVICE, "tick", 300))
        config = msgspec.structs.replace(station.settings(folder), spool=config_of.Spool(max_age=YEAR))
        last = limits.told(limits.Past("", "memory", 1, 1.0, 1.0))
        done = tick(config, Host(), (*ALL, Probe("hardware", 0, _failing)), last)
        assert done.outcome is not None
        assert done.outcome.kind == "delivered"
        yield read(tap)
    broker.stop()


def told(where: str) -> set[str]:
    return {each.name for each in explain.fields("en") if each.where == where}


def test_everything_on_the_wire_is_on_the_page_and_nothing_else(wire: Wire) -> None:
    page = {
        each.name: set(each.labels)
        for each in explain.fields("en")
        if each.where in ("reading", "fact", "sighting")
    }
    found = wire.names()
    assert {name: labels for name, labels in found.items() if not labels <= page.get(name, set())} == {}
    assert found.keys() - page.keys() == set()
    assert page.keys() - found.keys() == set()
    assert {name: page[name] - found[name] for name in page if page[name] != found[name]} == {}


def test_the_page_is_the_catalogue_but_for_what_the_server_sees() -> None:
    assert told("reading") == set(METRICS)
    assert told("fact") == set(FACTS)
    assert told("sighting") == {name for name, kind in SIGHTINGS.items() if kind.probe}


def test_the_envelope_the_frame_and_the_connection_carry_what_the_page_says(wire: Wire) -> None:
    assert {key for body in wire.bodies for key in json.loads(body)} <= told("envelope")
    assert told("envelope") == set(Envelope.__struct_fields__)
    for record, count in ((Reading, 3), (Fact, 4), (Sighting, 4)):
        assert len(record.__struct_fields__) == count  # what the page says in words of each of them
    assert told("frame") == {name for name, _, _ in frame.LAYOUT} | {"hmac"}
    assert told("bundle") == {name for name, _, _ in bundle.HEAD} | {"count", "hmac"}
    assert told("connection") == {*Connect._fields, "topic", "address"} - {"has_will"}
    assert {(each.client_id, each.user, each.has_will) for each in wire.connects} == {
        (station.DEVICE, station.DEVICE, False)
    }
    leaves = {topic.removeprefix(f"schoolwatch/1/{station.DEVICE}/") for topic in wire.topics}
    assert leaves == {"report", "ack", "settings"}


def people() -> Iterator[tuple[str, str]]:
    yield "the user", USER
    for line in Path("/etc/passwd").read_text().splitlines():
        user, _, uid, _, full, home, _ = line.split(":")
        if 1000 <= int(uid) < 60000:
            yield from ((f"{user}'s {what}", text) for what, text in (("name", user), ("home", home)))
            yield f"{user}'s full name", full.strip(", ")


def links() -> Iterator[tuple[str, str]]:
    """Its MACs in every form that a program may print, and its IP addresses."""
    for link, addresses in psutil.net_if_addrs().items():
        for each in addresses:
            text = each.address.partition("%")[0].lower()
            if re.fullmatch(r"(..:){5}..", text):
                if text.strip("0:"):
                    yield from ((f"MAC of {link}", text.replace(":", form)) for form in (":", "-", ""))
            elif text not in ("127.0.0.1", "::1"):
                yield f"address of {link}", text


def numbers() -> Iterator[tuple[str, str]]:
    """Its names and serial numbers, as far as they can be read."""
    dmi = Path("/sys/class/dmi/id")
    for path in (
        Path("/etc/hostname"),
        Path("/proc/sys/kernel/hostname"),
        Path("/etc/machine-id"),
        *(dmi / name for name in ("product_serial", "product_uuid", "board_serial", "chassis_asset_tag")),
        *Path("/sys/block").glob("*/device/serial"),
    ):
        with contextlib.suppress(OSError):
            yield str(path), path.read_text().strip()


def test_nobody_and_no_device_is_named_anywhere_in_the_bytes(wire: Wire) -> None:
    own = [(what, text) for what, text in (*people(), *links(), *numbers()) if len(text) > 4]
    assert len(own) >= 3
    texts = [wire.raw, *wire.bodies]
    for what, text in own:
        whole = re.compile(rb"(?<![0-9a-z.:-])" + re.escape(text.lower().encode()) + rb"(?![0-9a-z.:-])")
        for each in texts:
            found = whole.search(each.lower())
            assert found is None, f"{what}: {each[max(found.start() - 60, 0) : found.end() + 20]!r}"


def test_a_failing_probe_says_why_without_naming_anybody(wire: Wire) -> None:
    failures = [f.value for e in wire.envelopes for f in e.facts if f.name == "probe.failure" and f.value]
    assert any(why.startswith("NotImplementedError: of - on /home/-") for why in failures)


# --- the other ways out -------------------------------------------------------------------------------------


def test_the_request_to_enrol_carries_what_the_page_says() -> None:
    asked: list[tuple[str, dict[str, str], dict[str, object]]] = []

    class Office(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Office) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        office = enrol.Office(f"http://127.0.0.1:{server.server_port}", "the token", room="Phòng máy 1")
        digests = {"mac": ["0" * 32]}
        for ask in (
            lambda: enrol.enrol(office, "0" * 32),
            lambda: enrol.enrol(office, "0" * 32, enrol.Told(digests, about={"os.name": "Debian"})),
            lambda: enrol.enrol(office, "0" * 32, enrol.Told(digests, frozen=True)),
            lambda: enrol.hint_key(office),
        ):
            with pytest.raises(enrol.EnrolError):
                ask()
        server.shutdown()
    assert {key for _, _, body in asked for key in body} == told("enrolment") - {"headers"}
    usual = {
        "Accept-Encoding",
        "Content-Length",
        "Host",
        "User-Agent",
        "Content-Type",
        "Accept",
        "Connection",
    }
    for _, headers, _ in asked:
        assert headers.keys() <= usual
        assert re.fullmatch(r"Python-urllib/3\.\d+", headers["User-Agent"])


def test_the_question_whether_it_was_let_in_carries_what_the_page_says(tmp_path: Path) -> None:
    asked: list[tuple[dict[str, str], bytes]] = []

    class Gate(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(401 if "Authorization" not in self.headers else 503)
            self.send_header("WWW-Authenticate", slot.challenge("ab" * 16))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Gate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        credential = Credential("d" * 32, station.KEY, "password", Broker("127.0.0.1", 1), url=address)
        standing.check(station.settings(tmp_path), credential)
        server.shutdown()
    assert [body for _, body in asked] == [b"", b""]
    shown = slot.parameters(asked[1][0]["Authorization"])
    assert {*shown, "headers"} == told("standing")
    assert station.KEY not in str(asked)


def test_a_proxy_and_a_websocket_are_told_nothing_of_the_computer() -> None:
    heads: list[str] = []

    def answer(proxy: socket.socket) -> None:
        with proxy.accept()[0] as line:
            for _ in range(2):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += line.recv(4096)
                heads.append(head.decode("ascii"))
                line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as proxy:
        thread = threading.Thread(target=answer, args=(proxy,))
        thread.start()
        way = Way("so.example", 443, "/mqtt", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        credential = Credential("d" * 32, station.KEY, "the password", Broker("so.example", 8883))
        with pytest.raises(UnreachableError):
            Connection(credential, way, None, client_id="c" * 32, wait=5.0).open()
        thread.join()
    assert heads[0].startswith("CONNECT so.example:443 HTTP/1.")
    assert heads[1].startswith("GET /mqtt HTTP/1.1")
    names = {line.partition(":")[0].lower() for head in heads for line in head.split("\r\n")[1:] if line}
    websocket = {f"sec-websocket-{name}" for name in ("key", "version", "protocol")}
    assert names <= {"host", "origin", "upgrade", "connection", *websocket}
    assert told("detour") == {"headers", "server"}
    assert not any(own in head for head in heads for own in ("d" * 32, "c" * 32, "password", station.KEY))


def test_a_bundle_carries_the_same_reports(tmp_path: Path, mosquitto: RunningBroker) -> None:
    credential: Credential = station.enrol(tmp_path, mosquitto)
    mosquitto.kill()
    config = station.settings(tmp_path)
    tick(config, machines.machine("windows/win11-teacher-laptop"), machines.PROBES)
    written = write(config.data / SPOOL, tmp_path / "out", credential, Moment(1.8e9), everything=False)
    assert written is not None
    with written.file.open("rb") as stream:
        frames = [frame.parse(each) for each in bundle.Reader(stream.read).frames(bytes.fromhex(station.KEY))]
    page = {each.name for each in explain.fields("vi")}
    for each in frames:
        whole = envelope.decode(each.body)
        assert {r.metric for r in whole.readings} | {f.name for f in whole.facts} <= page


# --- the command --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tongue", ["vi", "en"])
def test_explain_says_it_in_words_and_as_json(
    tongue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "agent.toml"
    settings.write_text("")
    assert cli.main(["--config", str(settings), "explain", "--lang", tongue]) == 0
    text = capsys.readouterr().out
    assert cli.main(["--config", str(settings), "explain", "--json", "--lang", tongue]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in told["fields"]} >= METRICS.keys() | FACTS.keys()
    assert all(each["what"] and each["why"] and each["privacy"] in told["classes"] for each in told["fields"])
    folded = " ".join(text.split())
    for each in told["fields"]:
        assert f"{each['name']}{' (' + ', '.join(each['labels']) + ')' if each['labels'] else ''}: " in folded
    assert all(" ".join(line["law"].split()) in folded for line in told["classes"].values())
    assert ("nguồn thứ cấp" if tongue == "vi" else "secondary sources") in folded
