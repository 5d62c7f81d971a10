"""What places are called and where schools stand, and nothing else of them: each graph asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from schoolwatch_server.database import registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Called:
    """Names by level and id, and the positions of schools that have one, by id."""

    names: Mapping[tuple[str, int], str]
    positions: Mapping[int, str]


def called(conn: Connection, scope: Scope) -> Called:
    """Of all provinces, communes and schools that a scope sees."""
    names = {("province", row.id): row.name for row in registry.provinces(conn, scope)}
    names |= {("commune", row.id): row.name for row in registry.communes(conn, scope)}
    s, positions = t.school.c, {}
    schools = select(s.id, s.name, s.position).where(registry.within(scope), registry.has_code())
    for id_, name, position in conn.execute(schools).all():
        names["school", id_] = name
        if position:
            positions[id_] = position
    return Called(names, positions)
