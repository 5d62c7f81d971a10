"""The map of a ranking: each commune in the shade of its value, with what a legend says of the shades."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.boundaries.classes import Classes, classes
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import boundaries
from schoolwatch_server.database.boundaries import MapRow
from schoolwatch_server.ranking import Ranking, Standing


@dataclass(frozen=True, slots=True)
class Drawn:
    """A commune on the map; `shade` 0 is "not enough data"."""

    path: str
    shade: int
    href: str
    title: str


@dataclass(frozen=True, slots=True)
class Map:
    """`not_drawn` are names of communes without a shape; `no_data` are shapes without a value."""

    row: MapRow
    places: tuple[Drawn, ...]
    classes: Classes | None
    no_data: int
    not_drawn: tuple[str, ...]


def read(conn: Connection, province_id: int, found: Ranking, words: Words) -> Map | None:
    """None where nobody handed boundaries in."""
    row = boundaries.of_province(conn, province_id)
    if row is None:
        return None
    paths = boundaries.paths(conn, row.id)
    made = classes(
        [each.value for each in found.ranked if each.value is not None and each.commune_id in paths],
        is_share=found.unit == "ratio",
    )
    communes = (*found.ranked, *found.apart)
    drawn = [_drawn(each, paths, made, found, words) for each in communes if each.commune_id in paths]
    missing = (each.name for each in communes if each.commune_id not in paths and each.reason != "no_schools")
    return Map(row, tuple(drawn), made, sum(not each.shade for each in drawn), tuple(missing))


def _drawn(
    of: Standing, paths: Mapping[int, str], made: Classes | None, found: Ranking, words: Words
) -> Drawn:
    href = f"/communes/{of.code}/progress?indicator={found.indicator}"
    if of.value is None or made is None:
        title = f"{of.name}: {words.text('map.no_data')}"
        if of.reason:
            title += f" ({words.text(f'reason.{of.reason}')})"
        return Drawn(paths[of.commune_id], 0, href, title)
    title = f"{of.name}: {words.amount(of.value, found.unit)}"
    return Drawn(paths[of.commune_id], made.shade(of.value), href, title)
