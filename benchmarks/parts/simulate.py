"""`./schoolwatch simulate DIR`: a folder with a simulated province, to see pages and dashboards filled.

Every number in it is drawn from a seeded generator; each page says that it is simulated, and so do the names
of its places, which dashboards of Grafana show.
"""

import argparse
import sys
from pathlib import Path

from sqlalchemy import Connection, String, cast, func, literal, select

from parts import raw_week
from parts.panel_world import SCHOOL, TOLD, made
from schoolwatch_server.config import of_data
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.roles import GATEWAY

MEASURED_DAYS = 2
"""Of single readings."""

COMMUNES = 8
"""In which two schools have some."""


def main() -> int:
    """Fills the folder, or says why not."""
    parser = argparse.ArgumentParser(prog="schoolwatch simulate", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that is not there yet, or empty")
    parser.add_argument("--schools", type=int, default=60, help="from 30 to 1500 (60)")
    parser.add_argument("--devices", type=int, default=20, help="of each school (20)")
    parser.add_argument("--days", type=int, default=30, help="of judged values up to now (30)")
    asked = parser.parse_args()
    if not 30 <= asked.schools <= 1500 or not 1 <= asked.devices <= 200 or not 1 <= asked.days <= 400:
        parser.error("--schools is 30 to 1500, --devices 1 to 200, --days 1 to 400")
    if asked.folder.exists() and not asked.folder.is_dir():
        print(f"{asked.folder} is no folder: choose another one", file=sys.stderr)
        return 2
    if asked.folder.exists() and any(asked.folder.iterdir()):
        print(f"{asked.folder} is not empty: nothing simulated is put among what is real", file=sys.stderr)
        return 2
    asked.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = of_data(asked.folder)
    world = made(config, asked.schools, asked.devices, asked.days, measured_days=MEASURED_DAYS)
    (asked.folder / TOLD).unlink()  # with other names it is no benchmark's
    engine = database.open_database(config.database_url)
    with database.begin_write(engine) as conn:
        _name(conn)
        first = select(func.min(t.membership.c.device_id)).group_by(t.membership.c.school_id)
        conn.execute(t.device.update().where(t.device.c.id.in_(first)).values(role=GATEWAY))
        measured = _measured(conn)
    for school in measured - {SCHOOL}:
        raw_week.fill(engine, school, world.end - 1, min(asked.days, MEASURED_DAYS), every=1800, most=2)
    engine.dispose()
    print(
        f"SIMULATED: {asked.schools} schools of {asked.devices} computers, {world.points:,} judged values\n"
        f"single readings: of schools {', '.join(map(str, sorted(measured | {SCHOOL})))}\n"
        f"now: ./schoolwatch up --no-agent --data {asked.folder}"
    )
    return 0


def _measured(conn: Connection) -> set[int]:
    """Schools of which a gateway and a computer tell what they measure: two of each of the first communes."""
    rows = conn.execute(select(t.school.c.commune_id, t.school.c.id).order_by(t.school.c.id)).all()
    by: dict[int, list[int]] = {}
    for commune, school in rows:
        by.setdefault(commune, []).append(school)
    return {school for its in list(by.values())[:COMMUNES] for school in its[:2]}


def _name(conn: Connection) -> None:
    """Names that say it wherever they are shown."""
    conn.execute(t.province.update().values(name="Tỉnh mô phỏng"))
    conn.execute(t.room.update().where(t.room.c.name == "lab").values(name="Phòng máy"))
    for table, column, text in (
        (t.commune, t.commune.c.name, "Xã mô phỏng "),
        (t.school, t.school.c.name, "Trường mô phỏng "),
        (t.device, t.device.c.label, "Máy mô phỏng "),
    ):
        conn.execute(table.update().values({column: literal(text) + cast(table.c.id, String)}))


if __name__ == "__main__":
    sys.exit(main())
