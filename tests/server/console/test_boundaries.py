"""A map of communes: handed in, looked through, drawn with its source, taken away; and no map before."""

import json
import time

import httpx

from schoolwatch_server import packs
from schoolwatch_server.database import audit, boundaries
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import series
from tree import Tree
from website import RunningSite, csrf


def square(west: float, **properties: object) -> dict[str, object]:
    ring = [[west, 20], [west + 1, 20], [west + 1, 21], [west, 21], [west, 20]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def file(*features: dict[str, object]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


TWO = file(
    square(105, ma="MarkC00X"),
    square(106, ma="MarkC01X"),
    square(107, ma="MarkC10X", ten="<script>của tỉnh khác"),
)


def look(person: httpx.Client, data: bytes, province: str = "MarkP0X") -> httpx.Response:
    return person.post(
        "/boundaries/look",
        data={"csrf": csrf(person), "province": province},
        files={"file": ("xa.geojson", data)},
    )


def save(person: httpx.Client, page: str, source: str, licence: str = "") -> httpx.Response:
    kept = page.split('name="kept" value="')[1][:64]
    form = {"province": "MarkP0X", "kept": kept, "name": "xa.geojson", "source": source, "licence": licence}
    return person.post("/boundaries/save", data={"csrf": csrf(person), **form})


def test_a_map_is_looked_through_kept_with_its_source_drawn_and_taken_away(tree: Tree) -> None:
    series.write(tree.engine, packs.load(), time.time(), 1.0, {})
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        ranking = "/provinces/MarkP0X/ranking?indicator=telemetry_coverage"
        before = admin.get(ranking).text
        assert "Chưa có bản đồ" in before
        assert "/provinces/MarkP0X/boundaries" in before
        assert "Quản trị của Sở" in site.somebody("so_viewer").get(ranking).text

        seen = look(admin, TWO).text
        assert "Ghép được 2 trong 2 xã" in seen
        assert "thuộc tính ma" in seen
        assert "MarkC10X (3)" in seen, "a commune of another province is named as not matched"
        assert "<script>" not in seen
        refused = save(admin, seen, "")
        assert refused.status_code == 422
        assert "Hãy ghi nguồn" in refused.text
        with begin_read(tree.engine) as conn:
            assert boundaries.of_province(conn, tree.schools[0].province) is None
        assert save(admin, seen, "Sở X, công văn 1", "CC BY 4.0").status_code == 303

        text = admin.get(ranking).text
        drawn = text[text.index('<svg class="map"') :]
        assert drawn.count("<title>Xã MarkC") == 2
        assert 'href="/communes/MarkC01X/progress?indicator=telemetry_coverage"' in drawn
        assert "Xã MarkC00X: 100" in drawn
        assert "Sở X, công văn 1" in text
        assert "CC BY 4.0" in text
        assert "style=" not in drawn
        apart = admin.get("/provinces/MarkP0X/ranking?indicator=studio").text
        assert apart.count('class="no-data"') == 3, "two communes and the legend"

        other = look(admin, file(square(105, ma="MarkC00X"))).text
        assert "Xã MarkC01X (MarkC01X)" in other, "a commune without a shape is named before it is kept"
        assert save(admin, other, "Sở Y, công văn 2").status_code == 303
        text = admin.get(ranking).text
        assert "Không có trên bản đồ, chỉ có trong bảng: Xã MarkC01X." in text
        assert "Giấy phép: chưa rõ" in text

        gone = admin.post("/boundaries/remove", data={"csrf": csrf(admin), "province": "MarkP0X"})
        assert gone.status_code == 303
        assert "Chưa có bản đồ" in admin.get(ranking).text
        with begin_read(tree.engine) as conn:
            actions = [entry.action for entry in audit.entries(conn)]
        assert [each for each in actions if each.startswith("boundaries")] == [
            "boundaries.save", "boundaries.save", "boundaries.remove",
        ]  # fmt: skip


def test_a_file_that_is_wrong_is_told_so_and_nothing_is_kept(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        answer = look(admin, file(square(105, ma="nowhere", loai="xã")))
        assert answer.status_code == 422
        assert "Không đối tượng nào ứng với" in answer.text
        assert "loai, ma" in answer.text, "the properties that are there"
        metres = {
            **square(105, ten="Xã A"),
            "geometry": {"type": "Polygon", "coordinates": [[[1e6, 2e6]] * 4]},
        }
        answer = look(admin, file(metres))
        assert "1 (Xã A)" in answer.text
        assert "VN-2000" in answer.text
        assert look(admin, b"").status_code == 422
        assert look(admin, b"x" * (18 << 20)).status_code == 413
        assert not list((tree.folder / "run" / "imports").glob("*"))
