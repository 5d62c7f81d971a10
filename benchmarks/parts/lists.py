"""Rooms, classes, contracts, assets and declarations of a simulated province's schools."""

import random
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert

from schoolwatch_server.claims.questions import FEEDS, Question, of_school
from schoolwatch_server.database import tables as t
from schoolwatch_server.line_history import SpeedTest
from schoolwatch_server.use import newest_settled

CLASSROOMS, CLASSES, ASSETS = 15, 20, 40


def fill(
    conn: Connection, schools: int, devices: int, now: float, chance: random.Random, levels: Sequence[str]
) -> None:
    """The lab of a school has the school's own number as its id; schools have these levels in turn."""
    for school in range(1, schools + 1):
        _rooms(conn, school, schools, devices, now, chance)
        conn.execute(insert(t.school_class), [_class(school, number, chance) for number in range(CLASSES)])
        conn.execute(insert(t.line_contract), _contracts(school, chance))
        conn.execute(insert(t.asset), [_asset(school, number, chance) for number in range(ASSETS)])
        conn.execute(
            insert(t.claim),
            [_claim(school, question, now, chance) for question in _asked(levels[school % len(levels)])],
        )


def tester(conn: Connection, schools: int, devices: int) -> None:
    """The first device of each school tests its line."""
    rows = [{"school_id": s, "device_id": (s - 1) * devices + 1} for s in range(1, schools + 1)]
    conn.execute(insert(t.line_tester), rows)


def tests(now: float, chance: random.Random) -> bytes:
    """A month of two speed tests a day."""
    return msgspec.msgpack.encode(
        [SpeedTest(now - n * 43200.0, chance.uniform(2e7, 3e8), chance.uniform(1e7, 1e8)) for n in range(60)]
    )


def _rooms(
    conn: Connection, school: int, schools: int, devices: int, now: float, chance: random.Random
) -> None:
    first = schools + (school - 1) * CLASSROOMS + 1
    rows = [
        {
            "id": first + number,
            "school_id": school,
            "name": f"P{number}",
            "role": "classroom",
            "projection": chance.choice(["projector", "tv", "none", ""]),
            "projection_ok": chance.choice([True, True, False]),
            "internet_by_hand_at": now - chance.uniform(0, 200) * 86400,
        }
        for number in range(CLASSROOMS)
    ]
    conn.execute(insert(t.room), rows)
    conn.execute(
        insert(t.hand_check),
        [
            {"room_id": school, "computers_working": 5, "checked_at": now - 86400, "checked_by": "mô phỏng"},
        ],
    )
    use = {
        f"{quantity}_{part}": number
        for quantity, total in (("on", 9e5), ("active", 6e5), ("boots", devices * 6.0))
        for part, number in (("devices", devices), ("device_days", devices * 5), ("total", total))
    }
    conn.execute(insert(t.room_use), [{"room_id": school, "week": newest_settled(now), "days": 5, **use}])


def _class(school: int, number: int, chance: random.Random) -> dict[str, object]:
    return {
        "school_id": school,
        "school_year": "2026-2027",
        "year_ends": 2e9,
        "name": f"{number}A",
        "stage": ("TH", "THCS", "THPT", "TH" if number % 2 else "THCS", "MN")[school % 5],
        "grade": None,
        "students": chance.randint(20, 50),
        "group_students": None,
        "room_id": school,
    }


def _contracts(school: int, chance: random.Random) -> list[dict[str, object]]:
    row = {"school_id": school, "technology": "fibre", "download_mbps": 200.0, "upload_mbps": 100.0}
    providers = ("VNPT", "Viettel")[: chance.randint(1, 2)]
    return [{**row, "isp": isp, "subscriber": f"{isp.lower()}_{school:05}"} for isp in providers]


def _asset(school: int, number: int, chance: random.Random) -> dict[str, object]:
    return {
        "school_id": school,
        "tag": f"TS{number}",
        "name": "Máy tính mô phỏng",
        "kind": "computer",
        "room_id": school,
        "purpose": "dạy học",
        "status": chance.choice(["in_use", ""]),
        "has_serial": True,
        "support_ends": 2e9,
        "responsible": "nhân viên thiết bị",
        "device_id": None,
    }


def _asked(level: str) -> list[Question]:
    """All that a school of that level is asked and that an indicator reads."""
    return [question for question in of_school(level) if question.id in FEEDS]


def _claim(school: int, question: Question, now: float, chance: random.Random) -> dict[str, object]:
    return {
        "school_id": school,
        "question": question.id,
        "revision": 1,
        "value": _answer(question, chance),
        "text": "",
        "as_of": "2026-10-01",
        "state": "accepted",
        "created_at": now - 30 * 86400.0,
        "created_by": "mô phỏng",
        "changed_at": now - 20 * 86400.0,
    }


def _answer(question: Question, chance: random.Random) -> float | None:
    """What a question of its kind can be answered with; a file and a text have no number."""
    match question.kind:
        case "yes_no":
            return float(chance.random() < 0.7)
        case "choice":
            return float(chance.choice(question.choices))
        case "text" | "file":
            return None
        case _:
            return chance.random()
