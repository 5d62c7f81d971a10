"""The place that a page of a province, commune or school is about, when all of it may be seen."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.access import Place, Principal, covers
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.console.schools import commune_code_of, place_of
from schoolwatch_server.database import registry
from schoolwatch_server.indicators.indicator import Place as Level


@dataclass(frozen=True, slots=True)
class Here:
    """The place of a page."""

    level: Level
    id: int
    province_id: int
    code: str
    name: str
    crumbs: tuple[tuple[str, str], ...] = ()
    commune_id: int | None = None

    @property
    def tags(self) -> dict[str, str]:
        """How its series are tagged."""
        tags = {"level": self.level, "province": str(self.province_id), self.level: str(self.id)}
        return tags if self.commune_id is None else tags | {"commune": str(self.commune_id)}

    @property
    def href(self) -> str:
        """Where its page is."""
        return f"/{'communes' if self.level == 'commune' else f'{self.level}s'}/{self.code}"


def province_here(conn: Connection, who: Principal, code: str) -> Here:
    """Raises a 404 `Problem` for what does not lie in the scope as a whole."""
    row = next((p for p in registry.provinces(conn, who.scope) if p.code == code), None)
    if row is None or not covers(who.scope, Place(row.id)):
        raise not_found("province", code)
    return Here("province", row.id, row.id, row.code, row.name)


def commune_here(conn: Connection, who: Principal, code: str) -> Here:
    """Raises a 404 `Problem` for what does not lie in the scope as a whole."""
    row = next((c for c in registry.communes(conn, who.scope) if c.code == code), None)
    if row is None or not covers(who.scope, Place(row.province_id, row.id)):
        raise not_found("commune", code)
    return Here("commune", row.id, row.province_id, row.code, row.name)


def school_here(conn: Connection, who: Principal, code: str) -> Here:
    """Raises a 404 `Problem` for what does not lie in the scope."""
    row = registry.school_by_code(conn, code, who.scope)
    if row is None or not covers(who.scope, place_of(row)):
        raise not_found("school", code)
    above = (f"/communes/{commune_code_of(conn, who, row)}", row.commune)
    return Here("school", row.id, row.province_id, code, row.name, (above,), row.commune_id)
