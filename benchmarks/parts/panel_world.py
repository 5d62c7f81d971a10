"""The simulated province that panels are asked of, in a folder: made once, used again as it is."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sqlalchemy import Engine, text

from parts import judged_series, raw_week
from parts.province import fill
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database

SCHOOL, COMMUNE = 20, 2
"""Ids."""

TOLD = "made.json"
"""The file of the folder that says what was made."""


@dataclass(frozen=True)
class World:
    """What was made: when it ends, UTC seconds, for how many days; a device with a week of reports."""

    end: float
    days: int
    points: int
    device: str

    @property
    def chosen(self) -> dict[str, str]:
        """What is chosen in the dashboards' variables."""
        return {
            "province": "1", "commune": f"{COMMUNE}", "school": f"{SCHOOL}", "isp": "VNPT",
            "device": self.device, "gateway": self.device, "indicator": "telemetry_coverage",
        }  # fmt: skip


def made(config: ServerConfig, schools: int, devices: int, days: int, *, measured_days: float = 7) -> World:
    """The province of a folder. One that was made before gets the measurements that are new since.

    Of one school there is what its computers measured too, for so many days.
    """
    told = Path(config.data) / TOLD
    database.migrate(config.database_url)
    engine = database.open_database(config.database_url)
    world = (
        World(**json.loads(told.read_text()))
        if told.exists()
        else _begun(engine, schools, devices, days, measured_days)
    )
    world = replace(world, points=world.points + _judged(engine, world))
    engine.dispose()
    told.write_text(json.dumps(asdict(world)))
    return world


def _begun(engine: Engine, schools: int, devices: int, days: int, measured_days: float) -> World:
    now = time.time()
    end = now // judged_series.HOUR * judged_series.HOUR
    with database.begin_write(engine) as conn:
        fill(conn, schools, devices, now)
    began = time.perf_counter()
    measured = raw_week.fill(engine, SCHOOL, end, min(days, measured_days))
    print(f"what one school's computers measured in {time.perf_counter() - began:.0f} s", flush=True)
    return World(end + 1, days, 0, measured[0])


def _judged(engine: Engine, world: World) -> int:
    """Fills in those measurements that aren't there; gives how many points."""
    began = time.perf_counter()
    start = world.end - 1 - world.days * judged_series.DAY + judged_series.HOUR
    with database.begin_write(engine) as conn:
        there = frozenset(conn.scalars(text("SELECT DISTINCT measurement FROM judged_series")))
        if not there:
            conn.execute(text("DROP INDEX ix_judged_value"))
        parts = list(judged_series.fill(conn, start, world.days, there))
    points = 0
    for part in parts:
        with database.begin_write(engine) as conn:
            points += judged_series.fill_points(conn, part, start, world.days)
    if not there:
        with database.begin_write(engine) as conn:
            conn.execute(text("CREATE INDEX ix_judged_value ON judged (series_id, at, value)"))
    if points:
        print(f"{points:,} judged points in {time.perf_counter() - began:.0f} s", flush=True)
    return points
