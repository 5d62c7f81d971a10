"""The map of a province: who handed in its boundaries, from which source, and how each commune is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from schoolwatch_server.database.tables_boundaries import boundary_map, boundary_shape

_m, _s = boundary_map.c, boundary_shape.c


@dataclass(frozen=True, slots=True)
class MapRow:
    """A map and where it is from; `uploaded_at` is UTC seconds, sizes are units of its paths."""

    id: int
    province_id: int
    file: str
    sha256: str
    source: str
    licence: str
    width: int
    height: int
    uploaded_at: float
    uploaded_by: str


def of_province(conn: Connection, province_id: int) -> MapRow | None:
    """None where nobody handed one in."""
    row = conn.execute(select(boundary_map).where(_m.province_id == province_id)).first()
    return None if row is None else MapRow(*row)


def paths(conn: Connection, map_id: int) -> dict[int, str]:
    """How each commune is drawn (SVG 2, `d`), by its id."""
    query = select(_s.commune_id, _s.path).where(_s.map_id == map_id)
    return {row.commune_id: row.path for row in conn.execute(query)}


def replace(conn: Connection, row: MapRow, shapes: Mapping[int, str]) -> None:
    """The map of a province instead of the one before; the id of `row` is not looked at."""
    remove(conn, row.province_id)
    values = {name: getattr(row, name) for name in _m.keys() if name != "id"}  # noqa: SIM118  # no mapping
    key = conn.execute(insert(boundary_map).values(values)).inserted_primary_key
    assert key is not None
    rows = [{"commune_id": id_, "map_id": key[0], "path": path} for id_, path in shapes.items()]
    if rows:
        conn.execute(insert(boundary_shape), rows)


def remove(conn: Connection, province_id: int) -> bool:
    """Whether there was one."""
    row = of_province(conn, province_id)
    if row is None:
        return False
    conn.execute(delete(boundary_shape).where(_s.map_id == row.id))
    conn.execute(delete(boundary_map).where(_m.id == row.id))
    return True
