"""A day on which thousands of computers come in, most with something wrong already: work, and no alarm.

CI takes some hundred of them; `SCHOOLWATCH_ENROLLED=75000` takes a whole province's.
"""

import os
import random
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from reports import NOW, Device, World
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import incidents, rules, work_list
from schoolwatch_server.database import credentials, faults, journal, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING

COMPUTERS = int(os.environ.get("SCHOOLWATCH_ENROLLED", "300"))
PER_SCHOOL = 50
SHARE = 0.6
"""Of the computers, how many have something wrong."""

DAY, LOOKS = 86_400.0, (0, 900)
"""Seconds after its start at which a computer sends its first reports."""

FINE: dict[str, Reading] = {
    reading.metric + str(sorted(reading.labels.items())): reading
    for reading in (
        Reading("antivirus.products", 1.0),
        Reading("antivirus.running", 1.0, {"product": "defender"}),
        Reading("antivirus.realtime", 1.0, {"product": "defender"}),
        Reading("antivirus.signature_age", 3600.0, {"product": "defender"}),
        Reading("antivirus.detections", 0.0, {"product": "defender"}),
        Reading("firewall.enabled", 1.0, {"source": "active", "profile": "private"}),
        Reading("autorun.enabled", 0.0, {"drive": "removable"}),
        Reading("updates.last_installed_age", 5 * DAY),
        Reading("disk_health.failure_predicted", 0.0, {"disk": "0"}),
        Reading("uptime.seconds", 3 * 3600.0),
    )
}
WRONG = {
    "antivirus_off": (
        Reading("antivirus.running", 0.0, {"product": "defender"}),
        Reading("antivirus.realtime", 0.0, {"product": "defender"}),
    ),
    "firewall_off": (Reading("firewall.enabled", 0.0, {"source": "active", "profile": "private"}),),
    "autorun_on": (Reading("autorun.enabled", 1.0, {"drive": "removable"}),),
    "updates_old": (Reading("updates.last_installed_age", 400 * DAY),),
    "signatures_old": (Reading("antivirus.signature_age", 90 * DAY, {"product": "defender"}),),
}


def told(wrong: tuple[str, ...]) -> tuple[Reading, ...]:
    """What a computer with these faults reports."""
    bad = {one.metric + str(sorted(one.labels.items())): one for rule in wrong for one in WRONG[rule]}
    return tuple((FINE | bad).values())


def enrolled(world: World) -> dict[int, list[Device]]:
    """Schools with fifty computers each, by school."""
    schools: dict[int, list[Device]] = {}
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)
        commune = conn.scalar(select(t.school.c.commune_id).where(t.school.c.id == world.school)) or 0
        for number in range(COMPUTERS // PER_SCHOOL):
            school = registry.create_school(conn, commune, f"s{number}", f"Trường {number}", "THCS", NOW)
            schools[school] = []
            for n in range(PER_SCHOOL):
                row = registry.create_device(conn, school, None, f"máy {n}", NOW)
                key = bytes.fromhex(row.device) * 2
                credentials.set_credential(conn, row.id, key, "$7$1$a$b", NOW)
                schools[school].append(Device(row.id, row.device, key))
    return schools


def test_what_was_wrong_when_computers_came_is_one_work_list_a_school(tmp_path: Path) -> None:
    world, chance = World(tmp_path), random.Random(75_000)
    schools = enrolled(world)
    wrong = {
        device.id: tuple(chance.sample(sorted(WRONG), chance.randint(1, 3)))
        for devices in schools.values()
        for device in chance.sample(devices, round(PER_SCHOOL * SHARE))
    }
    facts = (Fact("os.kind", "client"),)
    for devices in schools.values():
        started = NOW + chance.uniform(0, DAY / 2)
        for seq, after in enumerate(LOOKS, 1):
            messages = [
                device.message(seq, at=started + after, readings=told(wrong.get(device.id, ())), facts=facts)
                for device in devices
            ]
            take(world.engine, messages, Rules())
    shipped = rules.load()
    read = 0
    while step := incidents.judge_next(world.engine, shipped, ("mail",), NOW + DAY):
        read += step
    assert read == len(LOOKS) * PER_SCHOOL * len(schools)
    week = work_list.this_week(NOW + DAY / 2)
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(t.incident)) == 0
        assert conn.scalar(select(func.count()).select_from(t.notification)) == 0
        for school, devices in schools.items():
            lists = faults.of_school(conn, EVERYTHING, school, week.start, week.end)
            expected = Counter((rule, one.device) for one in devices for rule in wrong.get(one.id, ()))
            listed = Counter((one.rule, one.device) for one in lists)
            assert listed == expected
            named = {task.id for task in work_list.tasks(lists, {rule.id: rule for rule in shipped}, week)}
            assert named == {rule for rule, _ in expected}
    world.engine.dispose()
