"""Places of which a calendar is shown or changed, by what a form, a program or an address calls them."""

from typing import Literal

from sqlalchemy import Connection

from schoolwatch_server.access import Principal, covers, may
from schoolwatch_server.database import registry, scopes
from schoolwatch_server.database.scopes import Where
from schoolwatch_server.scope import Scope

Level = Literal["school", "commune", "province"]


class UnseenError(Exception):
    """There is nothing of that name that who asks may see, or may change."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} {name}")
        self.what, self.name = what, name


def place(conn: Connection, who: Principal, level: Level, code: str) -> Where:
    """The place of that code, which may be changed; `UnseenError` for any other."""
    where = where_of(conn, who, level, code.strip())
    if not may(who, "calendar", where.place):
        raise UnseenError(level, code)
    return where


def where_of(conn: Connection, who: Principal, level: Level, code: str) -> Where:
    """The place of that code, which may be seen; `UnseenError` for any other."""
    scope = Scope(level, _id_of(conn, who, level, code))
    where = scopes.where(conn, [scope]).get(scope)
    if where is None or not covers(who.scope, where.place):
        raise UnseenError(level, code)
    return where


def _id_of(conn: Connection, who: Principal, level: Level, code: str) -> int:
    if level == "school":
        school = registry.school_by_code(conn, code, who.scope)
        found = [] if school is None or not school.code else [school.id]
    elif level == "commune":
        found = [row.id for row in registry.communes(conn, who.scope) if row.code == code]
    else:
        found = [row.id for row in registry.provinces(conn, who.scope) if row.code == code]
    if not found:
        raise UnseenError(level, code)
    return found[0]


def set_at(conn: Connection, who: Principal, level: str, place_id: int) -> Where | None:
    """Where something was set, if that may be changed."""
    where = next((one for one in named(conn, {(level, place_id)}).values()), None)
    return where if where is not None and may(who, "calendar", where.place) else None


def asked(conn: Connection, who: Principal, level: Level | None, code: str) -> Where | None:
    """The place of that code, or without one who's own. Raises `UnseenError`."""
    return where_of(conn, who, level, code) if level and code else own(conn, who)


def own(conn: Connection, who: Principal) -> Where | None:
    """The one place of who asks; none of who sees everything."""
    return None if who.scope.level == "all" else scopes.where(conn, [who.scope]).get(who.scope)


def named(conn: Connection, places: set[tuple[str, int]]) -> dict[tuple[str, int], Where]:
    """Level and id → the place, of those that there are."""
    levels: dict[str, Level] = {"school": "school", "commune": "commune", "province": "province"}
    asked = [Scope(levels[level], id_) for level, id_ in places if level in levels]
    return {(scope.level, scope.id or 0): where for scope, where in scopes.where(conn, asked).items()}
