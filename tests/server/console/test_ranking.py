"""The page of communes in order: sorted without a script, and as a file."""

import csv
import io
import time

from schoolwatch_server import packs
from schoolwatch_server.database import declarations
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.indicators import series
from tree import Tree
from website import RunningSite


def test_communes_are_sorted_by_the_column_that_is_asked_for_and_those_without_data_stand_apart(
    tree: Tree,
) -> None:
    with begin_write(tree.engine) as conn:
        declarations.declare(conn, tree.schools[0].id, "devices", 20, tree.now, "test")
    series.write(tree.engine, packs.load(), time.time(), 1.0, {})
    with RunningSite(tree.config) as site:
        person = site.somebody("so_viewer")
        page = "/provinces/MarkP0X/ranking?indicator=telemetry_coverage"
        text = person.get(page).text
        assert text.index("Xã MarkC00X") < text.index("Xã MarkC01X"), "the worse one first"
        assert 'aria-sort="descending"' in text
        assert "chỉ 2 trường" in text
        other = person.get(f"{page}&sort=value&down=true").text
        assert other.index("Xã MarkC01X") < other.index("Xã MarkC00X")
        below = person.get("/provinces/MarkP0X/ranking?indicator=antivirus_coverage").text
        table, apart = below.split('id="apart"')
        assert "Xã MarkC00X" not in table
        assert "Xã MarkC00X" in apart
        assert "dưới độ phủ tối thiểu" in apart
        assert person.get(f"{page}&sort=height").status_code == 422
        assert person.get("/provinces/MarkP0X/ranking?indicator=nothing_such").status_code == 404

        token = site.ask()
        file = token.get("/api/v1/provinces/MarkP0X/ranking.csv?indicator=antivirus_coverage&lang=vi")
        head, *rows = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
        names = [name[name.rindex("[") + 1 : -1] for name in head]
        first, last = (dict(zip(names, row, strict=True)) for row in rows)
        assert (first["commune_code"], first["rank"], first["value"]) == ("MarkC01X", "1", "0.5")
        assert (first["schools_reached"], first["schools_known"], first["schools_asked"]) == ("0", "2", "2")
        assert (last["commune_code"], last["rank"], last["value"]) == ("MarkC00X", "", "chưa rõ")
        assert "dưới độ phủ tối thiểu" in last["reason"]
        told = token.get("/api/v1/provinces/MarkP0X/ranking?indicator=antivirus_coverage").json()
        assert [each["commune"]["code"] for each in told["ranked"]] == ["MarkC01X"]
        assert told["not_enough_data"][0]["reason"] == "coverage_below_floor"
        assert told["not_enough_data"][0]["value"] is None
