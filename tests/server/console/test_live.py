"""Open pages are told what happens to incidents of their scope, of no other, and only while they may know."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from reports import NOW
from schoolwatch_server import sessions
from schoolwatch_server.api import live
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.database import incident_news, incidents, journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import Scope
from shared import shared_tree
from tree import School, Tree
from website import RunningSite, csrf


class Heard(threading.Thread):
    """Listens to a stream; `events` are those that came, with their data."""

    def __init__(self, client: httpx.Client, path: str = "/incidents/stream", **headers: str) -> None:
        super().__init__(daemon=True)
        self.events: list[tuple[str, dict, str]] = []
        self.status = 0
        self.headers = httpx.Headers()
        self.over = threading.Event()
        self._client, self._path, self._more = client, path, headers
        self._stop = threading.Event()
        self.start()

    def run(self) -> None:
        asked = {"Accept": "text/event-stream", **self._more}
        with contextlib.suppress(httpx.HTTPError, OSError):  # the server or the client ended
            self._listen(asked)
        self.over.set()

    def _listen(self, asked: dict[str, str]) -> None:
        with self._client.stream("GET", self._path, headers=asked, timeout=30) as answer:
            self.status, self.headers = answer.status_code, answer.headers
            told: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                told[name] = value
                if not line and "event" in told:
                    self.events.append((told["event"], json.loads(told["data"]), told.get("id", "")))
                    told = {}
                if self._stop.is_set():
                    return

    def until(self, kind: str, number: int = 0, seconds: float = 30.0) -> dict:
        """The first event of that kind, of that incident when a number is given."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event, data, _ in self.events:
                if event == kind and (not number or number in data["incidents"]):
                    return data
            time.sleep(0.02)
        raise AssertionError(f"no {kind} of {number}: {self.events}")

    @property
    def numbers(self) -> set[int]:
        """All incidents that it was told of."""
        return {number for _, data, _ in self.events for number in data.get("incidents", ())}

    def leave(self) -> None:
        self._stop.set()


tree = shared_tree


@pytest.fixture(scope="module")
def site(tree: Tree) -> Iterator[RunningSite]:
    with begin_write(tree.engine) as conn:
        journal.move(conn, "rules", 0, time.time())
    with RunningSite(tree.config) as running:
        yield running


def happen(tree: Tree, school: School) -> int:
    """A new incident of a school."""
    with begin_write(tree.engine) as conn:
        new = incidents.NewIncident(
            rule=f"live_{incident_news.newest(conn)}",
            rule_version=1,
            severity="high",
            subject=subject.Subject("school", school.id),
            since=NOW,
            opened_at=NOW,
            late=False,
            evidence={},
        )
        made = incidents.open_incident(conn, new, time.time())
    assert made is not None
    return made.id


def test_a_stream_tells_of_its_own_scope_and_of_no_other(tree: Tree, site: RunningSite) -> None:
    mine, other = tree.schools[0], next(s for s in tree.schools if s.commune != tree.schools[0].commune)
    everything = Heard(site.somebody("so_viewer"))
    commune = Heard(site.somebody("commune", Scope("commune", mine.commune)))
    school = Heard(site.somebody("technician", Scope("school", mine.id)))
    token = Heard(site.ask(Scope("commune", mine.commune)))
    own = (commune, school, token)
    for heard in (everything, *own):
        heard.until("incidents")  # how many are open, as soon as it is connected
    before = school.events[0][1]["open"]
    foreign, here = happen(tree, other), happen(tree, mine)
    for heard in own:
        heard.until("incidents", here)
        assert foreign not in heard.numbers
    everything.until("incidents", foreign)
    everything.until("incidents", here)
    assert school.until("incidents", here)["open"] == before + 1
    assert school.until("incidents", here)["unacknowledged"] <= before + 1
    for heard in (everything, *own):
        heard.leave()


def test_what_was_missed_meanwhile_is_told_when_one_comes_back(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    client = site.somebody("technician", Scope("school", school.id))
    with begin_read(tree.engine) as conn:
        known = incident_news.newest(conn)
    missed = happen(tree, school)
    assert Heard(client, f"/incidents/stream?after={known}").until("incidents")["incidents"] == [missed]
    again = Heard(client, **{"Last-Event-ID": str(known)})
    assert again.until("incidents")["incidents"] == [missed]
    newest = Heard(client, **{"Last-Event-ID": again.events[0][2]})
    assert newest.until("incidents")["incidents"] == []
    for odd in ("-1", "9" * 30, "x"):
        assert Heard(client, **{"Last-Event-ID": odd}).until("incidents")["incidents"] == []
    ahead = Heard(client, "/incidents/stream?after=999999999")  # of a database that was restored meanwhile
    assert missed in ahead.until("incidents")["incidents"]


def test_it_passes_proxies_and_says_that_it_is_alive(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ALIVE_EVERY", 0.2)
    heard = Heard(site.somebody("so_viewer"))
    assert heard.until("alive")["judged"] >= 0
    assert heard.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert heard.headers["x-accel-buffering"] == "no"
    assert "no-transform" in heard.headers["cache-control"]
    assert heard.headers["content-security-policy"]
    heard.leave()
    anyone = site.anyone().get("/incidents/stream", headers={"Accept": "text/event-stream"})
    assert anyone.status_code == 401


def test_a_login_that_ends_ends_its_streams(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ALIVE_EVERY", 0.2)
    client = site.somebody("so_viewer")
    heard = Heard(client)
    heard.until("alive")
    assert client.post("/logout", data={"csrf": csrf(client)}).status_code == 303
    heard.until("ended")
    assert heard.over.wait(20)
    number = happen(tree, tree.schools[0])
    time.sleep(0.5)
    assert number not in heard.numbers


def test_many_consoles_of_one_scope_are_one_query(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.somebody("so_viewer")
    consoles = [Heard(client) for _ in range(8)]
    for heard in consoles:
        heard.until("incidents")
    asked = []
    real = incident_news.happened
    monkeypatch.setattr(incident_news, "happened", lambda *told: asked.append(told[1]) or real(*told))
    number = happen(tree, tree.schools[0])
    for heard in consoles:
        heard.until("incidents", number)
    assert len(asked) == len(set(asked))  # once for each scope that anybody listens with
    for heard in consoles:
        heard.leave()


def test_the_number_of_streams_is_bounded(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PER_ACCOUNT", 2)
    client = site.somebody("so_viewer")
    held = [Heard(client), Heard(client)]
    for heard in held:
        heard.until("incidents")
    refused = client.get("/incidents/stream", headers={"Accept": "text/event-stream"})
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "close some" in refused.json()["detail"]
    other = Heard(site.somebody("so_viewer"))  # each account has places of its own
    other.until("incidents")
    monkeypatch.setattr(live, "MOST", len(site.app.state.context.live._streams))
    assert site.somebody("so_viewer").get("/incidents/stream").status_code == 503


def test_only_a_wall_screen_of_who_changes_nothing_stays_logged_in(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ALIVE_EVERY", 0.2)
    touched = {}
    for role, path in (
        ("so_viewer", "/wall/stream"),
        ("so_admin", "/wall/stream"),
        ("so_viewer", "/incidents/stream"),
    ):
        client = site.somebody(role)
        hashed = sessions.hashed(client.cookies[SESSION_COOKIE])
        with begin_write(tree.engine) as conn:
            conn.execute(
                update(t.session).where(t.session.c.hash == hashed).values(seen_at=time.time() - 600)
            )
        heard = Heard(client, path)
        heard.until("alive")
        with begin_read(tree.engine) as conn:
            seen_at = conn.scalar(select(t.session.c.seen_at).where(t.session.c.hash == hashed))
        touched[role, path] = time.time() - seen_at < 300
        heard.leave()
    assert touched == {
        ("so_viewer", "/wall/stream"): True,
        ("so_admin", "/wall/stream"): False,
        ("so_viewer", "/incidents/stream"): False,
    }


def test_while_the_database_cannot_be_looked_at_nobody_is_told_that_all_is_well(
    tree: Tree, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ALIVE_EVERY", 0.5)
    heard = Heard(site.somebody("so_viewer"))
    heard.until("alive")

    def fails(*_: object) -> None:
        raise OperationalError("", {}, Exception("the disk is away"))

    monkeypatch.setattr(live.Live, "_look", fails)
    assert heard.over.wait(20)
    assert not any(event == "ended" for event, _, _ in heard.events)  # the login is not what ended


def test_the_wall_shows_what_its_scope_sees_and_marks_an_exercise(tree: Tree, site: RunningSite) -> None:
    mine, other = tree.schools[0], next(s for s in tree.schools if s.commune != tree.schools[0].commune)
    number, foreign = happen(tree, mine), happen(tree, other)
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.incident).where(t.incident.c.id == number).values(is_exercise=True))
    told = site.somebody("commune", Scope("commune", mine.commune)).get("/wall").text
    assert f'data-incident="{number}"' in told
    assert f'data-incident="{foreign}"' not in told
    assert "DIỄN TẬP" in told
    assert other.mark not in told
    assert "2 / 2" in told  # schools with a watched computer
    assert "chưa nhận" in told
