"""Every route × every principal × inside and outside its scope: really asked, and held against the table."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import msgspec
import pytest

from matrix import COLUMNS, MATRIX, Row
from schoolwatch_contract import bundle, slot
from schoolwatch_server import people
from schoolwatch_server.access import ROLES
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.config import Speedtest
from schoolwatch_server.database import pages
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.incident_rows import incidents
from schoolwatch_server.enrolment import issue_enrolment_token
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import School, Tree
from website import FORMS_ANSWERED_BY_A_PAGE, RunningSite, csrf

SCOPES = {
    "so_admin": "province", "so_viewer": "province", "commune": "commune", "school_head": "school",
    "technician": "school", "auditor": "province", "token": "school", "device": "school",
}  # fmt: skip
"""The level at which each principal sees its own place, or the one beside it."""

LETTERS = {303: ">", 401: "?", 403: "-", 404: "n", 422: "x"}


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    declared = [(route.method, route.path) for route in ROUTES]
    rows = [(row.method, row.path) for row in MATRIX]
    missing, gone = set(declared) - set(rows), set(rows) - set(declared)
    assert not missing, f"tests/matrix.py has no row of {sorted(missing)}: say who may do it, and where"
    assert not gone, f"tests/matrix.py has rows of routes that are gone: {sorted(gone)}"
    assert len(rows) == len(set(rows)), "a route has two rows"


def test_each_form_that_a_page_may_answer_is_one_and_says_why() -> None:
    forms = {row.path: row for row in MATRIX if row.method == "POST" and not row.path.startswith("/api/")}
    assert set(FORMS_ANSWERED_BY_A_PAGE) <= set(forms)
    answered = {path for path, row in forms.items() if "y" in row.cells and row.done == 200}
    assert answered <= set(FORMS_ANSWERED_BY_A_PAGE), "what was done leads on: 303"


def test_every_role_has_its_column() -> None:
    assert set(COLUMNS) == {*ROLES, "token", "device", "nobody"}
    for row in MATRIX:
        letters = row.cells.split()
        assert [len(cell) for cell in letters] == list(COLUMNS.values()), f"{row.path}: {row.cells}"
        assert set("".join(letters)) <= set("y>-nx?"), f"{row.path}: {row.cells}"


@dataclass
class Asked:
    """What the requests are about: the first school of the tree; `n` counts them."""

    tree: Tree
    site: RunningSite
    enrolment: str
    numbers: Iterator[int]

    @property
    def school(self) -> School:
        return self.tree.schools[0]

    def beside(self, level: str) -> School:
        """A school outside that scope of the first one, as near as there is: its sibling, cousin or other."""
        return self.tree.schools[{"school": 1, "commune": 2, "province": 4}[level]]

    def scope(self, level: str, which: str) -> Scope:
        school = self.school if which == "own" else self.beside(level)
        ids = {"province": school.province, "commune": school.commune, "school": school.id}
        return EVERYTHING if which == "whole" else Scope(level, ids[level])

    def values(self, row: Row) -> dict[str, str]:
        code = {"/provinces": "MarkP0X", "/communes/": "MarkC00X"}.get(
            row.path.removeprefix("/api/v1")[:10], self.school.code
        )
        with begin_read(self.tree.engine) as conn:
            room = pages.rooms(conn, self.school.id)[0].id
            incident = incidents(conn, Scope("school", self.school.id), limit=1)[0].id
        made = {} if row.prepare is None else row.prepare(self)
        return {
            "code": code,
            "device": self.school.devices[0].device,
            "room": str(room),
            "number": str(incident),
            "language": "en",
            "format": "csv",
            "form": "csv",
            "table": "devices",
            "pack": "network",
            "rule": "antivirus_off",
            "version": "1",
            "replay": "none",
            "sha256": "0" * 64,
            "enrolment": self.enrolment,
            "n": f"{next(self.numbers):06}",
            **made,
        }

    def bundle(self) -> bytes:
        """What the first device wrote onto a stick."""
        device, out = self.school.devices[0], io.BytesIO()
        writer = bundle.Writer(out.write, bundle.Head(device.device, self.tree.now), device.key)
        writer.add(device.frame(1, at=self.tree.now, taken_at=self.tree.now - 60, spool="c" * 16))
        writer.end()
        return out.getvalue()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    tree = Tree(tmp_path_factory.mktemp("matrix"))
    config = msgspec.structs.replace(tree.config, speedtest=Speedtest(enabled=True, line_mbps=10_000))
    with RunningSite(config) as site:
        people.create_account(
            tree.engine, "matrix-login", "a password for tests", role="auditor", scope=EVERYTHING, by="t"
        )
        token = issue_enrolment_token(
            tree.engine, tree.schools[0].id, None, 1, 1000, now=tree.now, by="matrix"
        )
        yield Asked(tree, site, token, itertools.count(1))
    tree.engine.dispose()


@pytest.fixture(scope="module")
def clients(asked: Asked) -> dict[tuple[str, str], httpx.Client]:
    """Who asks: a client for each principal and scope, but for devices, which prove themselves each time."""
    return {(name, which): client_of(asked, name, which) for name in COLUMNS for which in scopes_of(name)}


def scopes_of(name: str) -> tuple[str, ...]:
    return {3: ("whole", "own", "other"), 2: ("own", "other"), 1: ("",)}[COLUMNS[name]]


def client_of(asked: Asked, name: str, which: str) -> httpx.Client:
    if name in {"nobody", "device"}:
        return asked.site.anyone()
    scope = asked.scope(SCOPES[name], which)
    return asked.site.ask(scope) if name == "token" else asked.site.somebody(name, scope)


def proof(asked: Asked, client: httpx.Client, which: str) -> str:
    """A device's proof: of the first school's second device, or of one of the school beside it."""
    school = asked.school if which == "own" else asked.beside("school")
    device = school.devices[1]
    said = client.post(slot.PATH, headers={"Authorization": ""}).headers["www-authenticate"]
    return slot.authorization(device.key, device.device, slot.parameters(said)["nonce"])


def letter(row: Row, answer: httpx.Response) -> str:
    if answer.status_code == row.done:
        return "y"
    return LETTERS.get(answer.status_code, f"[{answer.status_code}]")


def ask(asked: Asked, row: Row, client: httpx.Client, name: str, which: str) -> httpx.Response:
    values = asked.values(row)
    headers = {"Accept": "application/json"}
    if name == "device":
        headers["Authorization"] = proof(asked, client, which)
    if row.cookies:
        headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in row.cookies.items())
    is_handled = row.path.startswith(("/api/v1/incident", "/api/v1/known-network", "/api/v1/calendar"))
    if is_handled and row.method == "POST" and name not in {"token", "device", "nobody"}:
        headers["X-CSRF-Token"] = csrf(client)
    more: dict[str, object] = dict(row.body(asked)) if row.body else {}
    if row.json is not None:
        more["json"] = {key: text.format_map(values) for key, text in row.json.items()}
    elif row.method == "POST" and "json" not in more:
        token = {} if name in {"token", "device", "nobody"} else {"csrf": csrf(client)}
        more["data"] = {**token, **{key: text.format_map(values) for key, text in row.form.items()}}
    path = row.path.format_map(values) + (f"?{row.query.format_map(values)}" if row.query else "")
    if row.is_stream:
        with client.stream(row.method, path, headers=headers) as begun:
            return begun
    return client.request(row.method, path, headers=headers, **more)


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.method} {row.path}") for row in MATRIX])
def test_each_principal_gets_the_answer_that_the_matrix_says(
    asked: Asked, clients: dict[tuple[str, str], httpx.Client], row: Row
) -> None:
    found = []
    for name in COLUMNS:
        cell = ""
        for which in scopes_of(name):
            client = client_of(asked, name, which) if row.is_fresh else clients[name, which]
            cell += letter(row, ask(asked, row, client, name, which))
        found.append(cell)
    assert " ".join(found) == row.cells
