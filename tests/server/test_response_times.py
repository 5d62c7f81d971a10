"""How fast incidents are taken and closed: by hand, and from what the database wrote down."""

import csv
import io
import time

import pytest

from schoolwatch_server import handling, response_times
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import courses
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.response_times import Course, Month, figures
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite

HOUR = 3600.0
LAN = Principal("account", "lan", ROLES["so_admin"], EVERYTHING, "so_admin")


def course(*events: tuple[float, str]) -> Course:
    return Course(1, 1, 1, 1000.0, [(1000.0 + at, kind) for at, kind in events])


def test_of_none_nothing_is_known() -> None:
    of = figures([])
    assert (of.opened, of.acknowledge_mean, of.acknowledge_median, of.close_mean, of.close_median) == (
        0, None, None, None, None
    )  # fmt: skip


def test_by_hand() -> None:
    of = figures(
        [
            course((60, "acknowledged"), (600, "closed")),
            course((120, "acknowledged"), (1200, "resolved")),
            course((900, "false_alarm")),  # who closed it has seen it
            course((30, "closed"), (40, "reopened"), (90, "acknowledged"), (3000, "closed")),
            course((5, "notified")),  # open, and nobody took it
            course((10, "closed"), (20, "reopened")),  # open once more
            course((300, "acknowledged"), (9000, "stood")),  # on the work list: nobody has mended it
            course((70, "merged")),
        ]
    )
    assert (of.opened, of.acknowledged, of.untaken) == (8, 5, 3)
    assert of.acknowledge_mean == pytest.approx((60 + 120 + 900 + 90 + 300) / 5)
    assert of.acknowledge_median == 120
    assert (of.closed, of.false_alarms, of.open, of.apart) == (4, 1, 2, 2)
    assert of.close_mean == pytest.approx((600 + 1200 + 900 + 3000) / 4)
    assert of.close_median == 1050


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "0001-01", "x", "2026-11-01"])
def test_what_is_no_month(text: str) -> None:
    assert response_times.named(text) is None


def test_months_are_those_of_vietnam() -> None:
    december = Month(2026, 12)
    assert (december.after, december.before, Month(2027, 1).before) == (
        Month(2027, 1), Month(2026, 11), december
    )  # fmt: skip
    assert response_times.month_of(december.start) == december
    assert response_times.month_of(december.start - 1) == Month(2026, 11)
    assert december.end - december.start == 31 * 86400
    assert time.gmtime(december.start)[:5] == (2026, 11, 30, 17, 0)


MONTH = Month(2026, 3)
START = MONTH.start


def put(tree: Tree, school: int, at: float, name: str) -> int:
    """An incident of the school's first device, told of at `at` on evidence of days before."""
    about = subject.device(tree.schools[school].devices[0].id)
    new = kept.NewIncident(name, 1, "high", about, at - 5 * 86400, at - 5 * 86400, True, {})
    with begin_write(tree.engine) as conn:
        opened = kept.open_incident(conn, new, at)
    assert opened is not None
    return opened.id


def do(tree: Tree, number: int, act: handling.Act, at: float) -> None:
    (outcome,) = handling.handle(tree.engine, LAN, [number], Wish(act), at)
    assert outcome.is_done


def grown(tree: Tree) -> None:
    """In March 2026: two of the first school, one of its neighbour, one an exercise, and one of April."""
    one, two, third, exercise, april = (
        put(tree, school, at, f"rule{n}")
        for n, (school, at) in enumerate(
            [
                (0, START + HOUR), (0, MONTH.end - HOUR), (1, START + 2 * HOUR), (1, START + HOUR),
                (0, MONTH.end + 1),
            ]
        )
    )  # fmt: skip
    do(tree, one, "acknowledge", START + HOUR + 60)
    do(tree, one, "resolve", START + 3 * HOUR)
    do(tree, two, "acknowledge", MONTH.end + HOUR)
    do(tree, third, "false_alarm", START + 2 * HOUR + 30)
    do(tree, april, "resolve", MONTH.end + 100)
    with begin_write(tree.engine) as conn:
        conn.execute(t.incident.update().where(t.incident.c.id == exercise).values(is_exercise=True))


def test_of_a_month_what_was_told_in_it_as_known_at_its_end(tree: Tree) -> None:
    grown(tree)
    with begin_read(tree.engine) as conn:
        found = courses.courses(conn, EVERYTHING, MONTH.start, MONTH.end, MONTH.end)
        of = figures(found)
        assert (of.opened, of.acknowledged, of.closed, of.open) == (3, 2, 2, 1)
        assert of.acknowledge_mean == pytest.approx((60 + 30) / 2)
        assert of.close_median == pytest.approx((2 * HOUR + 30) / 2)
        for scope in tree.scopes:
            inside = [school for school in tree.schools[:2] if scope == EVERYTHING or school.inside(scope)]
            own = courses.courses(conn, scope, MONTH.start, MONTH.end, MONTH.end)
            assert {one.school_id for one in own} == {school.id for school in inside}


def test_page_file_and_api_say_the_same(tree: Tree) -> None:
    grown(tree)
    with RunningSite(tree.config) as site:
        told = site.ask().get("/api/v1/response-times", params={"month": "2026-03"}).json()
        assert told["level"] == "province"
        assert told["whole"]["opened"] == 3
        by_code = {place["code"]: place for place in told["places"]}
        assert by_code["MarkC00X"]["opened"] == 3
        assert by_code["MarkC11X"] == {
            "code": "MarkC11X", "name": "Xã MarkC11X", "opened": 0, "acknowledged": 0, "untaken": 0,
            "acknowledge_mean": None, "acknowledge_median": None, "closed": 0, "close_mean": None,
            "close_median": None, "false_alarms": 0, "open": 0, "apart": 0,
        }  # fmt: skip
        commune = site.ask(Scope("commune", tree.schools[0].commune))
        schools = commune.get("/api/v1/response-times?month=2026-03").json()
        assert schools["level"] == "commune"
        assert [(place["code"], place["opened"], place["open"]) for place in schools["places"]] == [
            ("Mark000X", 2, 1), ("Mark001X", 1, 0)
        ]  # fmt: skip
        of_one = site.ask().get("/api/v1/response-times?month=2026-03&commune=MarkC00X").json()
        assert (of_one["level"], of_one["places"]) == ("commune", schools["places"])
        own = site.ask(Scope("school", tree.schools[0].id)).get("/api/v1/response-times?month=2026-03").json()
        assert (own["level"], own["whole"]["code"], own["whole"]["opened"], own["places"]) == (
            "school", "Mark000X", 2, []
        )  # fmt: skip
        answer = commune.get("/api/v1/response-times.csv?month=2026-03&lang=en")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        head = [name.rpartition("[")[2].rstrip("]") for name in rows[0]]
        assert [row[head.index("acknowledge_mean")] for row in rows[1:]] == ["45", "60", "30"]
        empty = list(csv.reader(io.StringIO(site.ask().get(
            "/api/v1/response-times.csv?month=2026-01&lang=en").content.decode("utf-8-sig"))))  # fmt: skip
        assert {row[head.index("close_mean")] for row in empty[1:]} == {"unknown"}
        page = site.somebody("so_admin", language="en").get("/response-times?month=2026-03&commune=MarkC00X")
        assert "45 seconds" in page.text
        quiet = site.somebody("so_admin", language="en").get("/response-times?month=2026-01").text
        assert quiet.count("data-place") == 1, "of places without incidents the names are enough"
        assert "Without incidents in the month" in quiet
        for wrong in ("2026-13", "9000-01", "x"):
            assert site.ask().get("/api/v1/response-times", params={"month": wrong}).status_code == 422
