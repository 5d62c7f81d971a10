"""Watches over a real database: what they find becomes the right incidents, and no other."""

from datetime import datetime

import pytest
from sqlalchemy import select

from reports import World
from schoolwatch_server import packs, rules, watching
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import calendars, hearings, maintenances, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.school_time import day_number
from schoolwatch_server.watches import server
from schoolwatch_server.watches.sight import Sight

RULES = rules.load()
PACKS = packs.load()
MINUTE = 60.0
DEAF = next(rule.condition.parameters for rule in RULES if rule.id == "server_deaf")


def at(text: str) -> float:
    """On Monday 30 November 2026 unless a day is said."""
    day, _, time = text.rpartition(" ")
    return datetime.fromisoformat(f"{day or '2026-11-30'}T{time}+07:00").timestamp()


class Province:
    """Schools of one commune with a gateway, an office and a lab each; a clock that is turned by hand."""

    def __init__(self, world: World, schools: int) -> None:
        self.world, self.looked = world, {}
        self.schools: list[int] = []
        self.devices: dict[int, list[int]] = {}
        with begin_write(world.engine) as conn:
            self.commune = conn.scalar(select(t.school.c.commune_id))
            for n in range(schools):
                school = registry.create_school(conn, self.commune, f"S{n}", f"Trường {n}", "THCS", 0.0)
                self.schools.append(school)
                office = registry.create_room(conn, school, "Văn phòng", "office")
                lab = registry.create_room(conn, school, "Phòng máy", "student_lab")
                rows = [registry.create_device(conn, school, lab, f"máy {i}", 0.0) for i in range(6)]
                rows.append(registry.create_device(conn, school, office, "cổng", 0.0))
                conn.execute(t.device.update().where(t.device.c.id == rows[-1].id).values(role="gateway"))
                self.devices[school] = [row.id for row in rows]
                conn.execute(
                    t.line_contract.insert(), {"school_id": school, "isp": "VNPT" if n % 2 else "vnpt "}
                )

    def hear(self, when: float, *schools: int, but: tuple[int, ...] = ()) -> None:
        """All devices of these schools (or of all of them) are heard."""
        devices = [d for s in schools or self.schools for d in self.devices[s] if d not in but]
        row = {"taken_at": when, "seq": 1, "heard_at": when, "agent": "t"}
        with begin_write(self.world.engine) as conn:
            upsert(conn, t.state, [{"device_id": device, **row} for device in devices])
            hearings.note(conn, when)

    def look(self, when: float) -> None:
        self.looked.clear()
        watching.look(self.world.engine, ServerConfig(), RULES, PACKS, (), self.looked, when)

    def run(self, start: float, end: float, *silent: int) -> None:
        """Every five minutes all but the silent schools are heard, and the watches look."""
        heard = [school for school in self.schools if school not in silent]
        when = start
        while when <= end:
            if heard:
                self.hear(when, *heard)
            self.look(when)
            when += 5 * MINUTE

    def incidents(self, *, is_open: bool | None = None) -> list[tuple[str, str]]:
        i = t.incident.c
        with begin_read(self.world.engine) as conn:
            rows = conn.execute(select(i.rule, i.subject, i.closed_at).order_by(i.id)).all()
        return [(r.rule, r.subject) for r in rows if is_open is None or (r.closed_at is None) == is_open]

    def events(self, rule: str) -> list[str]:
        with begin_read(self.world.engine) as conn:
            query = select(t.incident_event.c.kind).join(
                t.incident, t.incident.c.id == t.incident_event.c.incident_id
            )
            return list(conn.scalars(query.where(t.incident.c.rule == rule).order_by(t.incident_event.c.id)))


@pytest.fixture
def province(world: World) -> Province:
    return Province(world, 10)


def test_one_school_that_goes_is_one_incident_and_is_over_when_it_is_heard(province: Province) -> None:
    gone = province.schools[0]
    province.run(at("08:00"), at("09:00"))
    province.run(at("09:05"), at("09:25"), gone)
    assert province.incidents() == []
    province.run(at("09:30"), at("11:00"), gone)
    assert province.incidents() == [("line_down", f"school:{gone}")]
    province.run(at("11:05"), at("11:20"))
    assert province.incidents(is_open=True) == []
    with begin_read(province.world.engine) as conn:
        row = conn.execute(select(t.incident)).one()
    assert row.since == at("09:00"), "it began when the school was last heard"
    assert row.evidence["first"]["facts"] == {"finding.line_witness": "gateway"}


def test_many_at_once_are_one_incident_of_the_commune(province: Province) -> None:
    gone = province.schools[:6]
    province.run(at("08:00"), at("09:00"))
    province.run(at("09:05"), at("12:30"), *gone)
    assert province.incidents() == [("outage_commune", f"commune:{province.commune}:vnpt")]
    province.run(at("13:30"), at("14:30"))
    assert province.incidents() == [("outage_commune", f"commune:{province.commune}:vnpt")]
    assert province.incidents(is_open=True) == []


def test_one_that_stays_away_after_an_outage_is_its_own_incident_again(province: Province) -> None:
    gone = province.schools[:6]
    province.run(at("08:00"), at("08:30"))
    province.run(at("08:35"), at("09:30"), *gone)
    province.run(at("09:35"), at("10:40"), gone[0])
    assert province.incidents(is_open=True) == [("line_down", f"school:{gone[0]}")]


def test_schools_that_go_one_by_one_become_part_of_the_outage(province: Province) -> None:
    """Two are incidents already when the others follow within the window."""
    first, rest = province.schools[:2], province.schools[2:7]
    province.run(at("08:00"), at("08:30"))
    province.run(at("08:35"), at("08:55"), *first)
    province.run(at("09:00"), at("10:00"), *first, *rest)
    assert province.incidents(is_open=True) == [("outage_commune", f"commune:{province.commune}:vnpt")]
    assert province.events("line_down") == ["opened", "opened", "merged", "merged"]


def test_during_planned_work_nothing_opens(province: Province) -> None:
    gone = province.schools[0]
    with begin_write(province.world.engine) as conn:
        work = {
            "level": "school", "place_id": gone, "rule": "", "reason": "thay dây",
            "starts": at("08:30"), "ends": at("10:30"),
        }  # fmt: skip
        maintenances.put(conn, work, at("08:00"), "so")
    province.run(at("08:00"), at("09:00"))
    province.run(at("09:05"), at("10:25"), gone)
    assert province.incidents() == []
    province.run(at("10:30"), at("10:45"), gone)
    assert province.incidents() == [("line_down", f"school:{gone}")], "the work is over and it is still away"


def test_a_day_off_that_is_set_closes_what_it_explains(province: Province) -> None:
    gone = province.schools[0]
    province.run(at("08:00"), at("08:30"))
    province.run(at("08:35"), at("09:30"), gone)
    assert province.incidents(is_open=True) == [("line_down", f"school:{gone}")]
    days = {
        "level": "school", "place_id": gone, "first": "2026-11-30", "last": "2026-11-30",
        "is_held": False, "reason": "mưa lũ",
    }  # fmt: skip
    with begin_write(province.world.engine) as conn:
        calendars.put_days(conn, days, at("09:30"), "hieu-truong")
    province.run(at("09:35"), at("09:50"), gone)
    assert province.incidents(is_open=True) == []


def test_a_server_that_heard_nobody_blames_no_school(province: Province) -> None:
    province.run(at("08:00"), at("08:30"))
    province.run(at("08:35"), at("09:30"), *province.schools)
    assert province.incidents() == [], "ten schools are too few to blame the server as well"
    province.run(at("09:35"), at("09:40"), *province.schools[:6])  # the others are back at once
    assert province.incidents() == []
    province.run(at("09:45"), at("09:50"), *province.schools[:6])
    assert province.incidents(is_open=True) == [("outage_commune", f"commune:{province.commune}:vnpt")]


def test_a_computer_missing_from_its_room_is_found_by_days(province: Province) -> None:
    gone = province.devices[province.schools[0]][0]
    monday = day_number(at("08:00"))
    for back in range(28, 0, -1):
        if (monday - back + 3) % 7 < 5:
            province.hear(at("08:00") - back * 86400, but=(gone,) if back < 4 else ())
    province.hear(at("08:00"), but=(gone,))
    province.look(at("08:10"))
    assert province.incidents() == [], "Friday and Monday are two days"
    province.hear(at("2026-12-01 08:00"), but=(gone,))
    province.look(at("2026-12-01 08:05"))
    assert province.incidents() == [("device_silent", str(gone))]
    province.look(at("2026-12-01 22:00"))
    assert province.incidents(is_open=True) == [("device_silent", str(gone))]
    province.hear(at("2026-12-02 08:00"))
    province.look(at("2026-12-02 08:05"))
    assert province.incidents(is_open=True) == []


def test_a_server_is_deaf_by_the_school_time_in_which_nobody_spoke(world: World) -> None:
    province = Province(world, 20)
    province.hear(at("11:35"))

    def said(when: str) -> list[bool | None]:
        with begin_read(world.engine) as conn:
            return [one.value for one in server.deaf(Sight(conn, ServerConfig(), at(when), PACKS), DEAF)]

    assert said("11:40") == []
    assert said("12:00") == [None]
    assert said("13:31") == [None], "nobody speaks at the first bell"
    assert said("13:41") == [True]
    assert said("17:30") == [None]


def test_the_days_of_eight_weeks_are_remembered(province: Province) -> None:
    (school, *_), today = province.schools, day_number(at("08:00"))
    days = [back for back in range(60, -1, -1) if back % 3]
    for back in days:
        province.hear(at("08:00") - back * 86400, school)
    with begin_read(province.world.engine) as conn:
        (first, *_) = hearings.of_schools(conn, [school])[school]
    assert [back for back in range(60, -1, -1) if first.days >> back & 1] == [
        back - 1 for back in days if back <= 56
    ], "the newest is yesterday"
    assert first.newest == today - 1
