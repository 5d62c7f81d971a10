"""`./schoolwatch simulate DIR`: a folder with a simulated province, to see pages and dashboards filled.

Every number in it is drawn from a seeded generator; each page says that it is simulated, and so do the names
of its places, which dashboards of Grafana show.
"""

import argparse
import sys
from pathlib import Path

from sqlalchemy import Connection, String, cast, literal

from parts.panel_world import TOLD, made
from schoolwatch_server.config import of_data
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import tables as t


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
    if asked.folder.exists() and any(asked.folder.iterdir()):
        print(f"{asked.folder} is not empty: nothing simulated is put among what is real", file=sys.stderr)
        return 2
    asked.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = of_data(asked.folder)
    world = made(config, asked.schools, asked.devices, asked.days, measured_days=2)
    (asked.folder / TOLD).unlink()  # with other names it is no benchmark's
    engine = database.open_database(config.database_url)
    with database.begin_write(engine) as conn:
        _name(conn)
    engine.dispose()
    print(
        f"SIMULATED: {asked.schools} schools of {asked.devices} computers, {world.points:,} judged values\n"
        f"now: ./schoolwatch up --no-agent --data {asked.folder}"
    )
    return 0


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
