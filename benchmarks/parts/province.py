"""A simulated province in a database: 15 schools a commune, drawn from a seeded generator.

Lists, contracts and declarations of the schools come from `lists.py` beside it.
"""

import random

from sqlalchemy import Connection, insert

from parts import lists
from schoolwatch_server.database import simulated
from schoolwatch_server.database import tables as t
from schoolwatch_server.state import State, Text, Value, key, pack

LEVELS = ("TH", "THCS", "THPT", "TH&THCS", "MN")


def fill(conn: Connection, schools: int, devices: int, now: float) -> None:
    """The same province each time, its devices heard in the days before `now` (UTC seconds).

    Every eighth school is without declared numbers, every ninth without a position.
    """
    simulated.mark(conn)
    chance = random.Random(7)
    conn.execute(insert(t.province), [{"id": 1, "code": "P", "name": "simulated"}])
    communes = range(1, schools // 15 + 2)
    conn.execute(
        insert(t.commune), [{"id": c, "province_id": 1, "code": f"C{c}", "name": f"C{c}"} for c in communes]
    )
    conn.execute(
        insert(t.school),
        [
            {
                "id": s,
                "commune_id": s // 15 + 1,
                "name": f"S{s}",
                "level": LEVELS[s % len(LEVELS)],
                "created_at": 0.0,
                "position": _position(s),
            }
            for s in range(1, schools + 1)
        ],
    )
    conn.execute(
        insert(t.school_code),
        [{"school_id": s, "code": f"S{s}", "valid_from": 0.0} for s in range(1, schools + 1)],
    )
    conn.execute(
        insert(t.room),
        [{"id": s, "school_id": s, "name": "lab", "role": "student_lab"} for s in range(1, schools + 1)],
    )
    declared = {"students": 600.0, "devices": float(devices), "student_devices": float(devices)}
    conn.execute(
        insert(t.declaration),
        [
            {
                "school_id": s,
                "quantity": q,
                "value": v,
                "declared_at": now - 90 * 86400,
                "declared_by": "simulated",
            }
            for s in range(1, schools + 1)
            if s % 8
            for q, v in declared.items()
        ],
    )
    lists.fill(conn, schools, devices, now, chance, LEVELS)
    body = _body(now, chance)
    for school in range(1, schools + 1):
        ids = range((school - 1) * devices + 1, school * devices + 1)
        conn.execute(insert(t.device), [{"id": d, "device": f"{d:032x}", "created_at": 0.0} for d in ids])
        conn.execute(
            insert(t.membership),
            [{"device_id": d, "school_id": school, "room_id": school, "valid_from": 0.0} for d in ids],
        )
        conn.execute(
            insert(t.generation),
            [
                {"device_id": d, "spool": "s", "clock_offset": chance.gauss(0, 30), "heard_at": now}
                for d in ids
            ],
        )
        conn.execute(insert(t.state), [_state(d, now, chance) for d in ids])
        conn.execute(insert(t.state_body), [{"device_id": d, "body": body} for d in ids])
    lists.tester(conn, schools, devices)


def _position(school: int) -> str:
    """On a grid some 2 km wide; every ninth school's is not known."""
    return f"{20.2 + school % 50 / 50:.5f}, {105.5 + school // 50 / 50:.5f}" if school % 9 else ""


def _state(device: int, now: float, chance: random.Random) -> dict[str, object]:
    heard = now - chance.expovariate(1 / (4 * 86400))
    return {
        "device_id": device,
        "taken_at": heard,
        "seq": 1,
        "heard_at": heard,
        "agent": "simulated",
        "protected": chance.choice([True, True, True, False, None]),
        "ipv6_rung": chance.choice([-1, 0, 1, 2, 3, 4, 4, 4, None]),
        "link_speed": chance.choice([1e7, 1e8, 1e9, None]),
        "link_medium": chance.choice(["wired", "wired", "wireless", None]),
        "windows_activated": chance.choice([True, True, False, None]),
        "office_activated": chance.choice([True, False, None]),
        "antivirus": chance.choice(["defender windows defender", "kaspersky endpoint", "", None]),
        **{
            name: chance.choice([True, True, True, False, None])
            for name in ("realtime", "firewall", "autorun_off", "attachments_marked", "accounts_closed")
        },
        "signature_age": chance.expovariate(1 / (3 * 86400)),
        "patch_age": chance.expovariate(1 / (20 * 86400)),
        "least_length": chance.choice([0.0, 8.0, 14.0, None]),
        "lock_after": chance.choice([0.0, 600.0, 1800.0, None]),
        "bios_date": f"{chance.randint(2012, 2026)}-06-01",
        "memory": chance.choice([2e9, 4.2e9, 8.5e9]),
        "disk_failing": chance.random() < 0.03,
        "os": chance.choice(SYSTEMS),
        "is_server": chance.random() < 0.01,
        "backup_age": chance.choice([86400.0, None]),
        "ipv6_works": chance.choice([True, False, None]),
        "server_latency": chance.expovariate(1 / 0.04),
        "server_jitter": chance.expovariate(1 / 0.01),
        "server_loss": chance.choice([0.0, 0.0, 0.1]),
        "line_tests": lists.tests(now, chance) if device % 50 == 1 else None,
    }


SYSTEMS = ("Windows 10\t22H2\tProfessional", "Windows 11\t24H2\tProfessional", "Ubuntu\t22.04\t", None)


def _body(now: float, chance: random.Random) -> bytes:
    """A packed state of 40 readings and 30 facts."""
    readings = {key("link.speed", {"nic": f"eth{n}"}): Value(chance.random(), now) for n in range(40)}
    facts = {
        key("antivirus.name", {"product": f"p{n}"}): Text(chance.randbytes(20).hex(), "", now)
        for n in range(30)
    }
    return pack(State(readings, facts))
