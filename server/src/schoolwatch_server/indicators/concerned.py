"""Schools as the scopes of plans are held against them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from schoolwatch_server.database import registry
from schoolwatch_server.levels import stages
from schoolwatch_server.packs import About
from schoolwatch_server.scope import Scope


def abouts(conn: Connection, scope: Scope) -> Mapping[int, About]:
    """Every school that a scope sees, by its id."""
    codes = {one.id: one.code for one in registry.communes(conn, scope)}
    return {
        school.id: About(
            stages=stages(school.level),
            commune=codes.get(school.commune_id, ""),
            former_place=school.former_place,
            is_public=school.is_public,
        )
        for school in registry.schools(conn, scope)
    }
