"""A scripted week of a commune: exactly the incidents that its script has, and nothing else.

Reports go through intake into the journal, rules read it, watches look; only the clock is the script's.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from sqlalchemy import insert, select

import scripted_week as week
from databases import settings_of
from reports import Device, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import incidents, packs, rules, watching
from schoolwatch_server.database import credentials, journal, registry, replaying
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.past import open_past
from schoolwatch_server.database.past_rows import Part
from schoolwatch_server.hearing import REMEMBERED
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.replays import reports
from schoolwatch_server.replays.histories import HISTORIES
from schoolwatch_server.replays.job import Job, Larger
from schoolwatch_server.replays.watched import Version, follow
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.school_time import day_number

LOOK_EVERY, LOOK_AT_NIGHT = 300.0, 3600.0
HOUR, DAY = 3600.0, 86_400.0
FOUND_WITHIN = {
    "line_down": HOUR,
    "outage_commune": HOUR / 2,
    "device_silent": 5 * DAY,  # three days on which its room was in use, and a weekend
    "malware_found": HOUR / 2,
    "antivirus_off": HOUR,
    "device_clone": HOUR / 2,
    "dhcp_server_new": HOUR / 2,
}
"""Seconds from what happens to the incident."""

CUT_OFF_WITHIN = DAY
"""The same of a school without a gateway, of which only a day's silence tells."""

RULES = tuple(
    msgspec.structs.replace(rule, learn=rule.learn and msgspec.structs.replace(rule.learn, seconds=18 * HOUR))
    for rule in rules.load()
)
"""Those that are shipped; what a network had before is learned in a night, for there is but a week."""

HEARD = frozenset(name for name, history in HISTORIES.items() if "hearing" in history.needs)
PART = Part(None, needs=frozenset({"hearing"}))


@dataclass
class Commune:
    """The script's schools in a database, and the names of what incidents are about."""

    world: World
    schools: tuple[week.School, ...]
    devices: dict[week.Name, Device] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sent: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        with begin_write(self.world.engine) as conn:
            journal.create_cursor(conn, incidents.CURSOR, week.START)
            commune = conn.scalar(select(t.school.c.commune_id).where(t.school.c.id == self.world.school))
            self.names[f"commune:{commune}"] = "commune"
            for school in self.schools:
                self._furnish(conn, school, commune)

    def _furnish(self, conn, school: week.School, commune: int) -> None:
        begin = week.START - 60 * 86_400
        id_ = registry.create_school(
            conn, commune, f"T{school.number:02}", f"Trường {school.number}", "THCS", begin
        )
        self.names[f"school:{id_}"] = f"school {school.number}"
        conn.execute(insert(t.line_contract).values(school_id=id_, isp=school.isp))
        rooms = {
            "lab": registry.create_room(conn, id_, "Phòng Tin học", "student_lab"),
            "office": registry.create_room(conn, id_, "Văn phòng", "office"),
            "trolley": registry.create_room(conn, id_, "Xe máy tính xách tay", "student_lab"),
        }
        for one in school.computers:
            role = "gateway" if one.kind == "gateway" else None
            row = registry.create_device(
                conn, id_, rooms.get(one.kind), f"{one.kind} {one.number}", begin, role
            )
            key = bytes.fromhex(row.device) * 2
            credentials.set_credential(conn, row.id, key, "$7$1$a$b", begin)
            self.devices[one.name] = Device(row.id, row.device, key)
            self.names[str(row.id)] = f"school {one.school} {one.kind} {one.number}"
            yesterday = day_number(week.START) - 1
            conn.execute(
                insert(t.hearing).values(device_id=row.id, newest=yesterday, days=_days(one, yesterday))
            )

    def messages(self, report: week.Report) -> Iterator[Message]:
        """The report as it arrives; and what a second machine says under the same name and number."""
        name, device = report.computer.name, self.devices[report.computer.name]
        self.sent[device.id] += 1
        told = [report.readings]
        if (name, report.taken_at) >= week.CLONED and name == week.CLONED[0]:
            told.append((*report.readings[:-1], Reading("uptime.seconds", 77.0)))
        for readings in told:
            yield device.message(
                self.sent[device.id],
                at=report.arrived,
                taken_at=report.taken_at,
                readings=readings,
                facts=report.facts,
                sightings=report.sightings,
            )


def _days(one: week.Computer, yesterday: int) -> int:
    """On which of the last weeks' school days it was heard; with a habit of half on every other."""
    step = 1 if one.habit == 1 else 2
    return sum(
        1 << back
        for back in range(0, REMEMBERED, step)
        if one.kind == "gateway" or (yesterday - back + 3) % 7 < 5
    )


@dataclass(frozen=True)
class Found:
    """An incident as it was found."""

    rule: str
    where: str
    since: float
    opened: float
    closed: float | None
    late: bool


def run(commune: Commune) -> tuple[Found, ...]:
    """Plays the week, and gives all incidents in the order in which they opened."""
    engine, shipped, in_force = commune.world.engine, RULES, packs.load()
    config, looked = settings_of(commune.world.folder), {}
    waiting = iter([*week.reports(commune.schools), None])
    report = next(waiting)
    for now in _looks():
        batch = []
        while report is not None and report.arrived <= now:
            batch += commune.messages(report)
            report = next(waiting)
        for start in range(0, len(batch), 200):
            take(engine, batch[start : start + 200], Rules())
        while incidents.judge_next(engine, shipped, ("duty",), now):
            pass
        watching.note(engine, now)
        watching.look(engine, config, shipped, in_force, ("duty",), looked, now)
    i = t.incident.c
    query = select(i.rule, i.subject, i.since, i.opened_at, i.closed_at, i.late).order_by(i.opened_at, i.id)
    with begin_read(engine) as conn:
        rows = conn.execute(query).all()
    return tuple(Found(row[0], commune.names[str(_whole(row[1]))], *row[2:]) for row in rows)


def _whole(text: str) -> Subject:
    """The place or computer itself, of whichever part of it."""
    return msgspec.structs.replace(subject.parse(text), part="")


def _looks() -> Iterator[float]:
    now = week.START
    while now < week.END:
        now += LOOK_EVERY if week.is_busy(now) else LOOK_AT_NIGHT
        yield now


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Commune, tuple[Found, ...]]]:
    """The week is played once."""
    commune = Commune(World(tmp_path_factory.mktemp("week")), week.schools())
    yield commune, run(commune)
    commune.world.engine.dispose()


Played = tuple[Commune, tuple[Found, ...]]


def test_the_incidents_of_the_week_are_those_of_its_script(played: Played) -> None:
    commune, found = played
    _are_the_scripts_and_no_others(found)
    _are_found_in_their_time_and_over_when_they_are(found)
    _are_precise(found)
    _leave_what_was_wrong_before_to_the_work_lists(commune)


def _are_the_scripts_and_no_others(found: Sequence[Found]) -> None:
    said = Counter((one.rule, one.where, one.late, one.closed is None) for one in found)
    assert said == Counter((one.rule, one.where, one.late, one.until is None) for one in week.TRUTHS)


def _are_found_in_their_time_and_over_when_they_are(found: Sequence[Found]) -> None:
    named = {(one.rule, one.where): one for one in found}
    for truth in week.TRUTHS:
        one = named[truth.rule, truth.where]
        within = CUT_OFF_WITHIN if one.where == "school 27" else FOUND_WITHIN[one.rule]
        assert truth.since - 2 * week.EVERY <= one.since <= one.opened <= truth.since + within, one
        if truth.until is not None and one.closed is not None:
            assert truth.until <= one.closed <= truth.until + HOUR, one


def _are_precise(found: Sequence[Found]) -> None:
    """Prints what the assertion above came to as shares."""
    said = {(one.rule, one.where) for one in found}
    attacks = {(one.rule, one.where) for one in week.TRUTHS if one.is_attack}
    of_attacks = {rule for rule, _ in attacks}
    for name, true, told in (
        ("all", {(one.rule, one.where) for one in week.TRUTHS}, said),
        ("attacks", attacks, {one for one in said if one[0] in of_attacks}),
    ):
        precision, recall = len(true & told) / len(told), len(true & told) / len(true)
        print(f"{name}: {len(told)} incidents, precision {precision:.2f}, recall {recall:.2f}")
        assert (precision, recall) == (1.0, 1.0)


def _leave_what_was_wrong_before_to_the_work_lists(commune: Commune) -> None:
    wrong = {one.name for school in commune.schools for one in school.computers if one.standing}
    heard = {name for name in wrong if commune.sent[commune.devices[name].id]}
    with begin_read(commune.world.engine) as conn:
        listed = Counter(conn.execute(select(t.standing_fault.c.rule)).scalars())
    assert len(heard) > 50
    assert listed == {"updates_old": len(heard), "autorun_on": len(heard)}


def test_a_replay_of_the_week_finds_what_was_found_while_it_went_on(played: Played) -> None:
    """All rules of reports, and of silence; of other watches see `replays/test_past.py`.

    Watches look at the instants of the week's looks, for what is seen depends on when one looks.
    """
    world = played[0].world
    engine, config = world.engine, settings_of(world.folder)
    incidents.judge_quiet(engine, RULES, (), week.END)
    i, f = t.incident.c, t.standing_fault.c
    with begin_read(engine) as conn:
        begin = journal.held_since(conn, week.END)
        opened = conn.execute(select(i.rule, i.subject, i.since, i.opened_at, i.closed_at, i.late)).all()
        listed = conn.execute(select(f.rule, f.device_id, f.since, f.listed_at)).all()
        devices = tuple(conn.scalars(select(t.device.c.id)))
        real = replaying.real(conn, [rule.id for rule in RULES], 0, week.END)
    of_reports = [rule for rule in RULES if rule.condition.watch is None]
    job = Job("", config, (), start=begin, end=week.END, devices=devices)
    found = {rule.id: [] for rule in of_reports}
    for _, _, lists in reports.steps(engine, of_reports, job):
        for rule, its in zip(of_reports, lists, strict=True):
            found[rule.id] += its
    heard = [rule for rule in RULES if rule.condition.watch in HEARD]
    versions, past = [Version(rule) for rule in heard], open_past(engine, PART, begin, week.END)
    larger = [Larger(one.rule, one.subject, one.opened_at, one.closed_at or week.END) for one in real]
    assert sum(1 for _ in follow(past, config, packs.load(), versions, _looks(), larger)) > 700
    past.close()
    found |= {version.rule.id: version.finds.found for version in versions}
    assert len(found) == len(of_reports) + 5
    for rule, its in found.items():
        said = Counter((x.subject, x.since, x.at, x.until, x.late) for x in its if not x.is_listed)
        assert said == Counter(tuple(row[1:]) for row in opened if row.rule == rule), rule
        on_list = Counter((x.subject, x.since, x.at) for x in its if x.is_listed)
        assert on_list == Counter((str(r[1]), *r[2:]) for r in listed if r.rule == rule), rule
