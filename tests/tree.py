"""A tree of two provinces × two communes × two schools with devices, real reports and incidents, for tests
of who sees what: whatever belongs to a place has that place's mark in its name."""

import time
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import databases
from databases import copy_database, kept_folder, make_database
from reports import FINE, NONE, Device, remember
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import incidents, rules
from schoolwatch_server.config import of_data
from schoolwatch_server.database import credentials, declarations, journal, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.scope import EVERYTHING, Scope


@dataclass
class School:
    """A school with its devices; `mark` is in every name that belongs to it."""

    id: int
    mark: str
    commune: int
    province: int
    above: frozenset[str]
    devices: list[Device] = field(default_factory=list)

    @property
    def code(self) -> str:
        return self.mark

    @property
    def marks(self) -> frozenset[str]:
        """What only who sees the school may read."""
        return frozenset({self.mark, *(device.device for device in self.devices)})

    def inside(self, scope: Scope) -> bool:
        own = {"all": None, "province": self.province, "commune": self.commune, "school": self.id}
        return own[scope.level] == scope.id


FRESH_SECONDS = 60.0
"""How long copies are made of one tree."""


@dataclass
class Tree:
    """The database with the tree in it, an hour of reports, and two incidents a school: one is closed.

    It is the test's own, a copy of one that was grown at `now`, at most `FRESH_SECONDS` ago.
    """

    folder: Path

    def __post_init__(self) -> None:
        grown = _grown()
        self.now, self.schools = grown.now, deepcopy(grown.schools)
        self.engine = open_database(copy_database(grown.folder, self.folder), self.folder)
        self.config = of_data(self.folder)

    @property
    def scopes(self) -> list[Scope]:
        """Everything, and every node of the tree."""
        nodes = [
            *(("province", s.province) for s in self.schools),
            *(("commune", s.commune) for s in self.schools),
            *(("school", s.id) for s in self.schools),
        ]
        return [EVERYTHING, *(Scope(level, id_) for level, id_ in dict.fromkeys(nodes))]

    def hidden(self, scope: Scope) -> frozenset[str]:
        """Marks that nobody with this scope may read."""
        everything = frozenset().union(*(s.marks | s.above for s in self.schools))
        seen = [s.marks | s.above for s in self.schools if s.inside(scope)]
        return everything - frozenset().union(*seen)


@dataclass
class _Grown:
    """The tree that the others are copies of."""

    folder: Path = field(default_factory=kept_folder)
    now: float = field(default_factory=time.time)
    schools: list[School] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = open_database(make_database(self.folder), self.folder)
        with begin_write(self.engine) as conn:
            journal.create_cursor(conn, incidents.CURSOR, self.now)
            for p in "01":
                province = registry.create_province(conn, f"MarkP{p}X", f"Tỉnh MarkP{p}X")
                for c in "01":
                    commune = registry.create_commune(conn, province, f"MarkC{p}{c}X", f"Xã MarkC{p}{c}X")
                    for s in "01":
                        mark = f"Mark{p}{c}{s}X"
                        school = registry.create_school(
                            conn, commune, mark, f"Trường {mark}", "THCS", self.now
                        )
                        above = frozenset({f"MarkP{p}X", f"MarkC{p}{c}X"})
                        self.schools.append(School(school, mark, commune, province, above))
            for school in self.schools:
                self._furnish(conn, school)
        for school in self.schools:
            self._report(school)
        while incidents.judge_next(self.engine, rules.load(), (), self.now):
            pass
        self.engine.dispose()

    def _furnish(self, conn, school: School) -> None:
        room = registry.create_room(conn, school.id, f"Phòng {school.mark}", "student_lab")
        declarations.declare(
            conn, school.id, "students", 100 + school.id, self.now, f"hiệu trưởng {school.mark}"
        )
        declarations.declare(conn, school.id, "devices", 2, self.now, f"hiệu trưởng {school.mark}")
        for n in range(2):
            row = registry.create_device(conn, school.id, room, f"Máy {n} {school.mark}", self.now - 7200)
            key = bytes.fromhex(row.device) * 2
            credentials.set_credential(conn, row.id, key, "$7$1$a$b", self.now)
            remember(conn, [row.id], RuleState(self.now - 7200, version=1))  # a new fault is an incident
            school.devices.append(Device(row.id, row.device, key))

    def _report(self, school: School) -> None:
        for n, device in enumerate(school.devices):
            after = FINE if n else NONE  # the second device recovers
            for seq, (minutes, readings) in enumerate([(60, NONE), (45, NONE), (1, after)], 1):
                at = self.now - minutes * 60
                facts = (
                    Fact("os.name", f"Linux {school.mark} {seq}"),
                    Fact("hardware.model", f"Model {school.mark}"),
                )
                more = (Reading("processor.busy", seq / 10), Reading("link.speed", 1e9, {"nic": school.mark}))
                message = device.message(seq, at=at, readings=(*readings, *more), facts=facts)
                take(self.engine, [message], Rules())


_newest: dict[str, _Grown] = {}


def _grown() -> _Grown:
    kind = databases.kind
    if kind not in _newest or time.time() - _newest[kind].now > FRESH_SECONDS:
        _newest[kind] = _Grown()
    return _newest[kind]
