"""Labs whose disks are put back, copied and swapped: restored folders and new boots, on the real server."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from databases import settings_of
from reports import World
from schoolwatch_agent import admission, commands, config, identity
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.enrol import EnrolError, Office
from schoolwatch_agent.formats.hints import digests
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.memory import Memory, Outcome
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import identity as hints
from schoolwatch_agent.probes.bandwidth import LEDGER
from schoolwatch_agent.probes.use import BOOT
from schoolwatch_agent.spool import Limits, Spool
from schoolwatch_agent.texts import Texts
from schoolwatch_agent.tick import tick
from schoolwatch_contract import envelope, frame
from schoolwatch_contract.records import SCHEMA, Envelope, Fact
from schoolwatch_contract.topics import topic
from schoolwatch_server.database import arrivals, credentials, ghosts, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.enrolment import Asking, enrol, issue_enrolment_token
from schoolwatch_server.hint_keys import school_key
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from website import RunningSite

DISK, MAC, UUID, BOARD = (
    "ata-Disk_{0}",
    "00:1a:2b:3c:4d:{0:02x}",
    "4c4c4544-0043-4410-8052-b4c04f4d32{0:02x}",
    "B{0}Q",
)


class Machine(Host):
    """A Linux machine with hardware numbers; `frozen` ones have a root that lives in memory."""

    def __init__(self, number: int, *, frozen: bool = False, boot: str = "boot 1") -> None:
        super().__init__()
        self.numbers = {"disk": number, "mac": number, "uuid": number, "board": number}
        self.name, self.frozen, self.boot, self.at = f"may-{number}", frozen, boot, time.time()

    def text(self, path: str) -> str:
        root = "rw,upperdir=/run/rw/x" if self.frozen else "rw"
        known = {
            "/proc/mounts": f"tmpfs /run tmpfs rw 0 0\noverlay / overlay {root} 0 0\n",
            "/sys/class/dmi/id/product_uuid": UUID.format(self.numbers["uuid"]),
            "/sys/class/dmi/id/board_serial": BOARD.format(self.numbers["board"]),
            "/sys/class/net/eth0/address": MAC.format(self.numbers["mac"]),
        }
        if path not in known:
            raise FileNotFoundError(path)
        return known[path]

    def names(self, folder: str) -> tuple[str, ...]:
        return (DISK.format(self.numbers["disk"]),) if "by-id" in folder else ("eth0",)

    def exists(self, path: str) -> bool:
        return True

    def node_name(self) -> str:
        return self.name

    def boot_id(self) -> str:
        return self.boot

    def now(self) -> float:
        return self.at


@pytest.fixture
def site(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)  # nobody's certificates take 0.1 s to read, each time
    with RunningSite(settings_of(world.folder)) as site:
        site.app.state.context.attempts.__init__(most=10**6, seconds=60.0)
        yield site


def room_token(world: World, uses: int = 40, days: float = 30, now: float | None = None) -> str:
    return issue_enrolment_token(
        world.engine,
        world.school,
        None,
        days,
        uses,
        now=time.time() if now is None else now,
        admits="at_once",
    )


def settings(folder: Path, site: RunningSite, token: str, extra: str = "") -> AgentConfig:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text(token)
    file = folder / "agent.toml"
    file.write_text(f'[agent]\ndata = "data"\n{extra}[server]\nurl = "{site.url}"\ntoken_file = "token"\n')
    return config.load(file)


def boot(image: Path, machine: Machine, where: Path, site: RunningSite) -> Credential:
    """The image is put back, the machine starts, and its first cycle lets it in."""
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(image, where)
    loaded = config.load(where / "agent.toml")
    tick(loaded, machine, ())
    credential = identity.read_credential(loaded.data)
    assert credential is not None
    return credential


def asked(world: World, token: str, machine: Machine, image: Path) -> Credential:
    """What `boot` asks for, put to the server's own function."""
    key = school_key(world.folder, world.school)
    found = digests(key, hints.hints_of(machine))
    hardware = {kind: frozenset(found[kind]) for kind in ("system", "board", "disk", "mac")}
    install = (image / "data" / "install_id").read_text()
    told = enrol(world.engine, token, Asking(install, hardware, frozen=True), now=machine.at)
    assert not told.pending
    return Credential(told.device, told.key.hex(), told.password, Broker("h", 1), key.hex())


def devices(world: World) -> int:
    with begin_read(world.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(t.device)) or 0)


def report(
    world: World, credential: Credential, machine: Machine, seq: int = 1, spool: str = "a" * 16
) -> bool:
    """One report with the machine's identity goes through intake; whether it was taken."""
    found = hints.read(machine, bytes.fromhex(credential.hint_key))
    facts = tuple(fact for fact in found if isinstance(fact, Fact))
    body = envelope.encode(Envelope(SCHEMA, machine.at, "0.1.0", (), facts))
    header = frame.Header(credential.device, spool, seq, 1, machine.at)
    sealed = frame.seal(header, body, bytes.fromhex(credential.key))
    message = Message(topic(credential.device, "report"), sealed, machine.at)
    return credential.device in take(world.engine, [message], Rules())


def seen(world: World, device: str) -> list[tuple[str, str]]:
    query = (
        select(t.sighting.c.kind, t.sighting.c.detail)
        .join(t.device, t.device.c.id == t.sighting.c.device_id)
        .where(t.device.c.device == device)
        .order_by(t.sighting.c.id)
    )
    with begin_read(world.engine) as conn:
        return [(kind, detail.get("what", "")) for kind, detail in conn.execute(query)]


def actions(world: World) -> list[str]:
    with begin_read(world.engine) as conn:
        return list(conn.scalars(select(t.audit.c.action)))


def test_a_frozen_lab_is_the_same_devices_after_each_start(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    settings(image, site, room_token(world, uses=3))
    names: dict[int, set[str]] = {1: set(), 2: set(), 3: set()}
    for start in range(4):
        for number in names:
            machine = Machine(number, frozen=True, boot=f"boot {start}")
            credential = boot(image, machine, tmp_path / f"pc{number}", site)
            names[number].add(credential.device)
            assert report(world, credential, machine, spool=f"{start:016x}")
    assert all(len(own) == 1 for own in names.values())
    assert devices(world) == 3
    with begin_read(world.engine) as conn:
        tokens = rows.open_tokens(conn, world.school, 0)
    assert tokens == (), "three uses for three computers, however often they start"
    assert actions(world).count("enrolment.frozen") == 9


def test_forty_frozen_copies_of_one_image_are_forty_devices_after_ten_starts_each(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    with begin_write(world.engine) as conn:
        lab = registry.create_room(conn, world.school, "Tin học 1", "student_lab", 40)
    now = time.time()
    token = issue_enrolment_token(world.engine, world.school, lab, 30, 40, now=now, admits="declared")
    loaded = settings(image, site, token)
    identity.install_id(loaded.data)  # somebody forgot `prepare-image`: all forty say the same
    names: dict[int, set[str]] = {number: set() for number in range(40)}
    for start in range(10):
        for number, own in names.items():
            machine = Machine(number, frozen=True, boot=f"boot {start}")
            machine.at += 86_400 * start
            whole = start in (0, 9)  # in between the same request is made without a process of HTTP
            credential = (
                boot(image, machine, tmp_path / "pc", site) if whole else asked(world, token, machine, image)
            )
            own.add(credential.device)
            assert report(world, credential, machine, spool=f"{start:016x}")
    assert [len(own) for own in names.values()] == [1] * 40, "none became another"
    assert len(set.union(*names.values())) == devices(world) == 40, "none was merged with another"
    with begin_read(world.engine) as conn:
        rows_ = registry.devices(conn, EVERYTHING)
        assert {row.room for row in rows_} == {"Tin học 1"}
        assert {row.label for row in rows_} == {f"Máy {n:02d}" for n in range(1, 41)}
        assert conn.scalar(select(func.count()).select_from(t.sighting)) == 0, "no clone was seen"
        assert conn.scalar(select(func.count()).select_from(t.journal)) == 400
        assert ghosts.proposed(conn, EVERYTHING, now + 86_400 * 10) == ()
        assert arrivals.waiting(conn, EVERYTHING) == ()


def test_a_credential_from_before_the_restart_no_longer_counts(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    settings(image, site, room_token(world))
    machine = Machine(1, frozen=True)
    before = boot(image, machine, tmp_path / "pc", site)
    after = boot(image, Machine(1, frozen=True, boot="boot 2"), tmp_path / "pc", site)
    assert before.device == after.device
    assert not report(world, before, machine)
    assert report(world, after, machine, spool="b" * 16)


def test_an_expired_token_lets_known_frozen_computers_in_and_no_others_and_a_revoked_one_nobody(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    token = room_token(world, days=1)
    settings(image, site, token)
    known = boot(image, Machine(1, frozen=True), tmp_path / "pc1", site)
    with begin_write(world.engine) as conn:
        conn.execute(t.enrolment_token.update().values(expires_at=1.0))
    assert boot(image, Machine(1, frozen=True), tmp_path / "pc1", site).device == known.device
    loaded = config.load(image / "agent.toml")
    for stranger in (Machine(2, frozen=True), Machine(1)):
        with pytest.raises(EnrolError) as refused:
            admission.admit(loaded, Office(site.url, token), stranger)
        assert refused.value.key == "token_refused"
    with begin_write(world.engine) as conn:
        conn.execute(t.enrolment_token.update().values(revoked_at=1.0))
    with pytest.raises(EnrolError):
        admission.admit(loaded, Office(site.url, token), Machine(1, frozen=True))


def test_a_revoked_device_does_not_come_back_by_its_hardware(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    token = room_token(world)
    settings(image, site, token)
    known = boot(image, Machine(1, frozen=True), tmp_path / "pc", site)
    with begin_write(world.engine) as conn:
        row = registry.device(conn, known.device, EVERYTHING)
        assert row is not None
        credentials.revoke(conn, row.id, time.time())
    with pytest.raises(EnrolError):
        admission.admit(config.load(image / "agent.toml"), Office(site.url, token), Machine(1, frozen=True))


def test_a_frozen_computer_without_hardware_numbers_is_told_to_thaw_a_folder(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    token = room_token(world)
    loaded = settings(tmp_path / "image", site, token)
    nameless = Machine(0xFF, frozen=True)
    nameless.names = lambda folder: () if "by-id" in folder else ("eth0",)  # type: ignore[method-assign]
    nameless.text = lambda path: (  # type: ignore[method-assign]
        Machine.text(nameless, path) if path == "/proc/mounts" else "To be filled by O.E.M."
    )
    with pytest.raises(EnrolError) as refused:
        admission.admit(loaded, Office(site.url, token), nameless)
    assert refused.value.key == "no_hints"
    assert "agent.thawed" in Texts("cli", "vi")("advice_no_hints")
    assert devices(world) == 0


def test_a_thawed_folder_makes_a_frozen_computer_an_ordinary_one(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    image, thawed = tmp_path / "image", tmp_path / "thawed"
    settings(image, site, room_token(world, uses=1), f'thawed = "{thawed}"\n')
    shutil.copytree(image, tmp_path / "pc")
    loaded = config.load(tmp_path / "pc" / "agent.toml")
    assert loaded.data == thawed
    tick(loaded, Machine(1, frozen=True), ())
    first = identity.read_credential(thawed)
    shutil.rmtree(tmp_path / "pc")
    shutil.copytree(image, tmp_path / "pc")
    tick(config.load(tmp_path / "pc" / "agent.toml"), Machine(1, frozen=True, boot="boot 2"), ())
    assert identity.read_credential(thawed) == first
    assert "enrolment.frozen" not in actions(world)


def test_a_prepared_image_makes_computers_of_their_own_and_an_unprepared_one_a_clone(
    world: World, site: RunningSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    master = settings(tmp_path / "master", site, room_token(world))
    token = (tmp_path / "master" / "token").read_text()
    tick(master, Machine(1), ())
    held = identity.read_credential(master.data)
    assert held is not None
    assert not (tmp_path / "master" / "token").exists(), "used up: it is not left on the disk"
    (tmp_path / "master" / "token").write_text(token)
    unprepared = tmp_path / "unprepared"
    shutil.copytree(tmp_path / "master", unprepared)

    assert commands.prepare_image(master, Texts("cli", "en")) == 0
    assert "files of identity and measurements were deleted" in capsys.readouterr().out
    assert {file.name for file in master.data.iterdir()} == {"lock", "run.lock"}
    copies = [boot(tmp_path / "master", Machine(n), tmp_path / f"pc{n}", site).device for n in (2, 3)]
    assert len({held.device, *copies}) == 3

    master_again, copy = Machine(1), Machine(4)
    for hour, machine in enumerate((master_again, copy, master_again, copy)):
        machine.at = time.time() + 3600 * hour
        assert report(world, held, machine, spool=f"{hour:016x}")
    assert seen(world, held.device) == [
        ("device.changed", "other_machine"),
        ("device.clone", "alternates"),
        ("device.clone", "alternates"),
    ]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"disk": 9}, ["disk_replaced"]),
        ({"mac": 9}, ["adapter_replaced"]),
        ({"board": 9, "uuid": 9}, ["board_replaced"]),
        ({"board": 9, "uuid": 9, "mac": 9}, ["disk_moved"]),
        ({"disk": 9, "mac": 9}, ["disk_replaced", "adapter_replaced"]),
        ({"name": "moi"}, ["renamed"]),
        ({}, []),
    ],
)
def test_a_swapped_disk_and_a_new_name_are_told_apart(
    world: World, site: RunningSite, tmp_path: Path, changed: dict[str, int | str], what: list[str]
) -> None:
    loaded = settings(tmp_path / "pc", site, room_token(world))
    machine = Machine(1)
    tick(loaded, machine, ())
    held = identity.read_credential(loaded.data)
    assert held is not None
    assert report(world, held, machine)
    later = Machine(1)
    later.at += 86_400
    later.name = str(changed.pop("name", later.name))
    later.numbers |= {kind: int(number) for kind, number in changed.items()}
    assert report(world, held, later, seq=2)
    assert seen(world, held.device) == [("device.changed", one) for one in what]


def test_a_machine_installed_anew_names_the_device_that_it_was(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    token = room_token(world)
    held = []
    for install in ("first", "second"):
        loaded = settings(tmp_path / install, site, token)
        machine = Machine(1)
        tick(loaded, machine, ())
        credential = identity.read_credential(loaded.data)
        assert credential is not None
        assert report(world, credential, machine)
        held.append(credential.device)
    assert seen(world, held[0]) == []
    assert seen(world, held[1]) == [("device.changed", "reinstalled")]
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(t.sighting.c.detail)) == {"what": "reinstalled", "was": held[0]}


def test_after_a_refusal_a_lab_waits_an_hour_before_it_asks_again(
    world: World, site: RunningSite, tmp_path: Path
) -> None:
    loaded = settings(tmp_path / "pc", site, "swe_wrong")
    machine = Machine(1)
    asked: list[float] = []

    def wait(_: str) -> float:
        asked.append(machine.at)
        return 0.0

    site.app.state.context.attempts.wait = wait
    start = machine.at
    for minute in range(0, 125, 5):
        machine.at = start + 60 * minute
        assert not tick(loaded, machine, (Probe("", 0, lambda _: ()),)).is_enrolled
    assert [round((at - start) / 60) for at in asked] == [0, 60, 120]
    assert admission.is_time(Memory(outcome=Outcome("unreachable", start)), start + 1)


def test_a_spool_of_before_does_not_survive_the_preparation(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with Spool(data / "spool.db", "boot 1", time.time(), Limits()) as spool:
        spool.put([b"x"], b"", time.time())
    kept = ("spool.db.damaged", "settings.json", "cycle.json", LEDGER, BOOT, ".credential.json.0a1b2c3d")
    for name in kept:
        (data / name).write_bytes(b"")
    assert commands.prepare_image(AgentConfig(agent=config.Agent(data=str(data))), Texts("cli", "vi")) == 0
    assert {file.name for file in data.iterdir()} == {"lock", "run.lock"}
