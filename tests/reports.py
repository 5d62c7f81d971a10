"""Devices with keys, and the frames they send, for tests that commit reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine

from databases import make_database
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Clock, Header
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting
from schoolwatch_contract.topics import topic
from schoolwatch_server.database import credentials, memories, registry, tables
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.store.rollup import DAY, Fold, pack

NOW = 1_790_000_000.0
RULES = Rules()
NONE = (Reading("antivirus.products", 0.0), Reading("probe.ok", 1.0, {"probe": "antivirus"}))
FINE = (
    Reading("antivirus.products", 1.0),
    Reading("antivirus.running", 1.0, {"product": "clamav"}),
    Reading("probe.ok", 1.0, {"probe": "antivirus"}),
)
"""What a computer reports without an antivirus, and with one that runs."""


@dataclass
class Device:
    """An enrolled device with its key; `clock` is how far its clock is ahead of the server's.

    What it sends was taken by that clock, in the same start of the computer unless a frame says otherwise.
    """

    id: int
    device: str
    key: bytes
    clock: float = 0.0

    @property
    def topic(self) -> str:
        return topic(self.device, "report")

    def frame(
        self,
        seq: int,
        *,
        at: float = NOW,
        taken_at: float | None = None,
        spool: str = "a" * 16,
        floor: int = 1,
        body: bytes | None = None,
        clock: Clock = "own",
        readings: tuple[Reading, ...] = (),
        facts: tuple[Fact, ...] = (),
        sightings: tuple[Sighting, ...] = (),
    ) -> bytes:
        """A frame sent at `at` on the server's clock, of an envelope taken then (or at `taken_at`)."""
        if body is None:
            mine = (at if taken_at is None else taken_at) + self.clock
            readings = readings or (Reading("processor.busy", seq / 1000),)
            body = envelopes.encode(Envelope(1, mine, "0.1.0", readings, facts, sightings))
        header = Header(self.device, spool, seq, floor, at + self.clock, clock)
        return frames.seal(header, body, self.key)

    def message(self, seq: int, *, at: float = NOW, arrived: float | None = None, **more) -> Message:
        """The frame as it arrives, at once unless said otherwise."""
        return Message(self.topic, self.frame(seq, at=at, **more), at if arrived is None else arrived)


@dataclass
class World:
    """A migrated database with a school; devices are enrolled on demand."""

    folder: Path
    url: str = field(init=False)
    engine: Engine = field(init=False)
    school: int = field(init=False)

    def __post_init__(self) -> None:
        self.url = make_database(self.folder)
        self.engine = open_database(self.url, self.folder)
        with begin_write(self.engine) as conn:
            commune = registry.create_commune(conn, registry.create_province(conn, "P", "Tỉnh"), "C", "Xã")
            self.school = registry.create_school(conn, commune, "S", "Trường", "THCS", NOW)

    def enrol(self, count: int = 1, clock: float = 0.0, school: int | None = None) -> list[Device]:
        """New devices, each with a key of its own."""
        made = []
        with begin_write(self.engine) as conn:
            for n in range(count):
                row = registry.create_device(conn, school or self.school, None, f"máy {n}", NOW)
                key = bytes.fromhex(row.device) * 2
                credentials.set_credential(conn, row.id, key, "$7$1$a$b", NOW)
                made.append(Device(row.id, row.device, key, clock))
        return made


@dataclass(frozen=True)
class Row:
    """What rules need of a row of the journal; it came at once, unless said otherwise."""

    id: int
    device_id: int
    taken_at: float
    late: bool = False
    arrived: float | None = None

    @property
    def received_at(self) -> float:
        return self.taken_at if self.arrived is None else self.arrived


def known_fine(world: World, count: int = 1, rule: str = "antivirus_off") -> list[Device]:
    """New devices that the rule has judged before, without a fault: a new one is an incident."""
    devices = world.enrol(count)
    with begin_write(world.engine) as conn:
        remember(conn, [device.id for device in devices], RuleState(NOW - 3600.0, version=1), rule)
    return devices


def remember(
    conn: Connection, device_ids: Iterable[int], state: RuleState, rule: str = "antivirus_off"
) -> None:
    """A rule has judged these devices before; of what other rules remember nothing is left."""
    memories.write(conn, {subject.device(one): {rule: state} for one in device_ids})


def tell_day(conn: Connection, device_id: int, day: int, **told: float) -> None:
    """How a computer was used on a day (its first instant), as its rollup."""
    folds = {f"use.{name}": Fold(1, value, value, value, value, float(day)) for name, value in told.items()}
    row = {"device_id": device_id, "resolution": DAY, "bucket": day, "body": pack(folds)}
    upsert(conn, tables.use_rollup, [row])
