"""What lies outside a scope looks as if it did not exist: on generated trees, for every route that reads.

Somebody who sees a part of the tree asks every GET route of tests/matrix.py, also by the names and numbers
that things outside will have. Then those things come to be, beside and above that part. The second answers
must be the first ones, byte by byte: no name, no row, no sum and no count may tell of them.
"""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from databases import make_database, settings_of
from matrix import MATRIX
from reports import NOW, Device, remember
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import incidents, people, rules
from schoolwatch_server.access import as_role
from schoolwatch_server.database import credentials, declarations, journal, registry, sites, told
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.database.tables_people import account
from schoolwatch_server.database.tables_use import room_use
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.intake.batch import take
from schoolwatch_server.reports import TABLES
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.scope import Scope
from schoolwatch_server.sites.look import Look, Way
from schoolwatch_server.use import QUANTITIES, WEEK, week_of
from website import RunningSite

Level = Literal["province", "commune", "school"]
Where = tuple[int, int, int]
"""Province, commune in it, school in that: digits of a mark."""

EXAMPLES = int(os.environ.get("SCHOOLWATCH_EXAMPLES", "1"))
"""Trees of each level; more with SCHOOLWATCH_EXAMPLES=100."""

LISTS = {
    "/api/v1/schools": "schools",
    "/api/v1/devices": "devices",
    "/api/v1/facts": "facts",
    "/api/v1/incidents": "incidents",
    "/api/v1/room-use": "room_use",
    "/api/v1/lines": "lines",
    "/api/v1/activation": "activation",
    "/api/v1/indicators/history": "values",
    "/api/v1/sites": "sites",
}
"""Route that is read page by page → where its rows stand."""

WHO: dict[Level, tuple[str, ...]] = {
    "province": ("so_admin", "so_viewer", "auditor", "technician", "token"),
    "commune": ("commune", "technician", "token"),
    "school": ("school_head", "technician", "token"),
}
HAPPENS = (
    "school", "fine", "infected", "hands_out", "tests_its_line", "is_cloned", "uses_a_room", "declares",
    "has_a_head", "has_a_site",
)  # fmt: skip

BLANK = "/imports/template.xlsx"
"""A form that holds nothing of the registry; its bytes bear the time when it was made."""

READING = tuple(
    row
    for row in MATRIX
    if row.method == "GET" and not row.cells.endswith("y") and row.path != BLANK and not row.is_stream
)
"""Every route that reads something, comes to an end and is not public: a new one is asked because it has its
row."""

ALSO = {
    "/api/v1/facts": ("history=true", "limit=500"),
    "/api/v1/incidents": ("state=closed", "device={device}"),
    "/incidents": ("closed=true", "before={number}"),
    "/search": ("q=truong", "q={code}"),
}
"""Other questions to a route than its row's, besides the one without parameters."""

RULES = rules.load()

NONE = (Reading("antivirus.products", 0.0), Reading("probe.ok", 1.0, {"probe": "antivirus"}))
FINE = (
    Reading("antivirus.products", 1.0),
    Reading("antivirus.running", 1.0, {"product": "clamav"}),
    Reading("probe.ok", 1.0, {"probe": "antivirus"}),
    Reading("activation.activated", 1.0, {"product": "windows", "edition": "Professional"}),
    Reading("probe.ok", 1.0, {"probe": "activation"}),
)


@dataclass
class Forest:
    """One database that trees are added to, each with marks of its own."""

    site: RunningSite
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forest]:
    folder = tmp_path_factory.mktemp("forest")
    engine = open_database(make_database(folder), folder)
    with begin_write(engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: NOW)  # what an answer says of now is the same twice
        with RunningSite(settings_of(folder)) as site:
            yield Forest(site)


@dataclass
class Grown:
    """One generated tree: whatever belongs to a place has that place's mark in its name."""

    forest: Forest
    number: int
    ids: dict[tuple[int, ...], int] = field(default_factory=dict)
    rooms: dict[Where, int] = field(default_factory=dict)
    devices: dict[Where, list[Device]] = field(default_factory=dict)
    heads: dict[Where, int] = field(default_factory=dict)
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def mark(self, at: tuple[int, ...]) -> str:
        return f"T{self.number}x{''.join(map(str, at))}z"

    def name_of_device(self, at: Where, n: int) -> str:
        return f"{self.number:08x}{at[0]:04x}{at[1]:04x}{at[2]:04x}{n:012x}"

    def happen(self, at: Where, what: str) -> None:
        engine = self.forest.site.engine
        school = self._school(at)
        n = len(self.devices[at])
        if what in {"fine", "infected", "is_cloned", "tests_its_line"}:
            self._device(at, NONE if what == "infected" else FINE, twice=what == "is_cloned")
        with begin_write(engine) as conn:
            match what:
                case "declares":
                    for quantity, value in {"students": 10.0 + n, "devices": float(n)}.items():
                        declarations.declare(conn, school, quantity, value, NOW - 60, self.mark(at))
                case "tests_its_line":
                    told.set_line_tester(conn, school, self.devices[at][-1].id)
                case "has_a_site" if sites.change(
                    conn, school, f"https://{self.mark(at)}.vn/", NOW - 60, "lan"
                ):
                    row = sites.of_school(conn, Scope("school", school), school)
                    assert row is not None
                    found = Look(Way("status", 500), Way("no_record"))
                    sites.put(conn, [row.id], found, NOW - 30, {row.id: NOW + 60})
                case "uses_a_room" if at not in self.rooms:
                    self.rooms[at] = registry.create_room(
                        conn, school, f"Phòng {self.mark(at)}", "student_lab"
                    )
                    sums = {
                        f"{q}_{column}": value
                        for q in QUANTITIES
                        for column, value in {"devices": 9, "device_days": 45, "total": 900.0}.items()
                    }
                    week = week_of(NOW) - 2 * WEEK
                    conn.execute(insert(room_use).values(room_id=self.rooms[at], week=week, days=5, **sums))
        if what == "has_a_head":
            name, scope = f"head-{self.mark(at)}-{next(self.names)}", Scope("school", school)
            made = people.create_account(
                engine, name, "a password for tests", role="school_head", scope=scope, by=self.mark(at)
            )
            self.heads.setdefault(at, made)
        if what == "hands_out":
            issue_enrolment_token(engine, school, None, 3, 40, now=NOW - 60, by=self.mark(at))

    def _school(self, at: Where) -> int:
        with begin_write(self.forest.site.engine) as conn:
            for depth, create in enumerate((self._province, self._commune, self._new_school), 1):
                if at[:depth] not in self.ids:
                    self.ids[at[:depth]] = create(conn, at)
        return self.ids[at]

    def _province(self, conn, at: Where) -> int:
        mark = self.mark(at[:1])
        return registry.create_province(conn, mark, f"Tỉnh {mark}")

    def _commune(self, conn, at: Where) -> int:
        mark = self.mark(at[:2])
        return registry.create_commune(conn, self.ids[at[:1]], mark, f"Xã {mark}")

    def _new_school(self, conn, at: Where) -> int:
        mark = self.mark(at)
        self.devices[at] = []
        return registry.create_school(
            conn, self.ids[at[:2]], mark, f"Trường {mark}", "THCS", NOW - 90 * 86400
        )

    def _device(self, at: Where, readings: tuple[Reading, ...], *, twice: bool) -> None:
        engine, mark, n = self.forest.site.engine, self.mark(at), len(self.devices[at])
        with begin_write(engine) as conn:
            name = self.name_of_device(at, n)
            row = registry.create_device(conn, self.ids[at], None, f"Máy {n} {mark}", NOW - 7200, name=name)
            device = Device(row.id, row.device, bytes.fromhex(row.device) * 2)
            credentials.set_credential(conn, row.id, device.key, "$7$1$a$b", NOW)
            remember(conn, [row.id], RuleState(NOW - 7200, version=1))  # a new fault is an incident
        self.devices[at].append(device)
        facts = (Fact("os.name", f"Linux {mark}"), Fact("hardware.model", f"Model {mark}"))
        seen = (*readings, Reading("link.speed", 1e9, {"nic": mark}))
        sent = [(1, NOW - 3600), (2, NOW - 60), *([(2, NOW - 50)] if twice else [])]
        messages = [device.message(seq, at=at, readings=seen, facts=facts) for seq, at in sent]
        take(engine, messages, Rules())
        while incidents.judge_next(engine, RULES, (), NOW):
            pass


@dataclass(frozen=True)
class Viewer:
    """Who asks: the level and place of the scope, and as what."""

    level: Level
    at: Where
    who: str

    @property
    def depth(self) -> int:
        return {"province": 1, "commune": 2, "school": 3}[self.level]

    @property
    def beside(self) -> Where:
        """The nearest school that lies outside."""
        digits = list(self.at)
        digits[self.depth - 1] = 1 - digits[self.depth - 1]
        return (digits[0], digits[1], digits[2])

    def sees(self, other: Where) -> bool:
        return self.at[: self.depth] == other[: self.depth]

    def client(self, tree: Grown) -> httpx.Client:
        site, scope = tree.forest.site, Scope(self.level, tree.ids[self.at[: self.depth]])
        client = site.ask(scope) if self.who == "token" else site.somebody(as_role(self.who), scope)
        client.headers["Accept"] = "text/html"
        return client


PLACES = st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 1))
EVENTS = st.lists(st.tuples(PLACES, st.sampled_from(HAPPENS)), max_size=8)


def viewers(level: Level) -> st.SearchStrategy[Viewer]:
    return st.builds(Viewer, st.just(level), PLACES, st.sampled_from(WHO[level]))


def questions(tree: Grown, at: Where, incident: int, account: int) -> Iterator[str]:
    """What may be asked about a school of the tree, whether it is there or not."""
    for row in READING:
        depth = {"/provinces": 1, "/communes/": 2}.get(row.path.removeprefix("/api/v1")[:10], 3)
        names = {
            "code": tree.mark(at[:depth]),
            "device": tree.name_of_device(at, 0),
            "number": str(incident),
            "account": str(account),
            "format": "csv",
            "form": "csv",
            "n": tree.mark(at),
            "pack": "network",
            "version": "1",
            "sha256": "0" * 64,
            "digest": "0" * 64,
            "question": "studio",
            "rule": "antivirus_off",
            "replay": "0" * 32,
        }
        queries = ["", *(f"?{query}" for query in (row.query, *ALSO.get(row.path, ())) if query)]
        for table, query in itertools.product(TABLES if "{table}" in row.path else ("",), queries):
            yield (row.path + query).format_map({**names, "table": table})


def newest_account(tree: Grown) -> int:
    with begin_read(tree.forest.site.engine) as conn:
        return conn.execute(select(func.max(account.c.id))).scalar_one()


def answers(client: httpx.Client, asked: list[str]) -> dict[str, tuple[int, str, object]]:
    """Of each question what came back; of the lists every row, asked for one by one."""
    found: dict[str, tuple[int, str, object]] = {}
    for path in asked:
        answer = client.get(path)
        said = {k: v for k, v in answer.headers.items() if k in {"location", "content-disposition"}}
        found[path] = (answer.status_code, repr(said), answer.text)
    for path, name in LISTS.items():
        rows, cursor = [], 0
        while cursor is not None:
            page = client.get(path, params={"limit": 1, "cursor": cursor}).json()
            cursor = page["next"]
            rows.append((page[name], cursor))
        found[f"{path}, row by row"] = (200, "", rows)
    return found


@pytest.mark.parametrize("level", list(WHO))
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=[Phase.generate],  # a smaller tree would say no more than the path that is named
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_what_is_outside_a_scope_changes_no_answer(forest: Forest, level: Level, data: st.DataObject) -> None:
    viewer = data.draw(viewers(level))
    events = [(at, what) for at in (viewer.at, viewer.beside) for what in HAPPENS] + data.draw(EVENTS)
    inside = [(at, what) for at, what in events if viewer.sees(at)]
    outside = [(at, what) for at, what in events if not viewer.sees(at)]
    tree = Grown(forest, next(forest.numbers))
    for at, what in inside:
        tree.happen(at, what)
    client = viewer.client(tree)
    incident = client.get("/api/v1/incidents").json()["incidents"][0]["id"]
    head, following = tree.heads[viewer.at], newest_account(tree) + 1
    asked = [
        *questions(tree, viewer.at, incident, head),
        *questions(tree, viewer.beside, incident + 1, following),
    ]
    before = answers(client, asked)
    seen, hidden = set(tree.devices), {tree.mark(at) for at, _ in outside}
    for at, what in outside:
        tree.happen(at, what)
    assert following <= newest_account(tree), "what was asked for has come to be"
    after = answers(client, asked)
    for path, answer in before.items():
        assert after[path] == answer, path
        assert not {mark for mark in hidden if mark in repr(answer) and mark not in path}, path
    assert all(tree.mark(at) in repr(before) for at in seen)
