"""Pages of the console lead the department's staff to their dashboards, and nobody else."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from schoolwatch_server.database import registry, tables
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.sections import Grafana
from tree import Tree
from website import RunningSite

GRAFANA = "https://grafana.example.gov.vn/truong"


def found(page: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'href="([^"]*)"', page) if "/d/schoolwatch-" in url]


@pytest.mark.parametrize(("language", "suffix"), [("vi", ""), ("en", "-en")])
def test_each_place_leads_to_its_own_dashboard(tree: Tree, language: str, suffix: str) -> None:
    settings = Grafana(url=f"{GRAFANA}/", language=language)  # type: ignore[arg-type]
    config = msgspec.structs.replace(tree.config, grafana=settings)
    school = tree.schools[0]
    with RunningSite(config) as site:
        staff = site.somebody("so_viewer")
        (url,) = found(staff.get(f"/schools/{school.code}").text)
        head = site.somebody("school_head", Scope("school", school.id))
        assert found(head.get(f"/schools/{school.code}").text) == []
        with begin_read(tree.engine) as conn:
            row = registry.school(conn, school.id, EVERYTHING)
            assert row is not None
            here = Scope("school", school.id)
            pages = [f"/communes/{registry.communes(conn, here)[0].code}"]
            pages += [f"/provinces/{registry.provinces(conn, here)[0].code}"]
            pages += [f"/devices/{registry.devices(conn, here)[0].device}"]
        others = [found(staff.get(page).text) for page in pages]
    assert url.startswith(f"{GRAFANA}/d/schoolwatch-school{suffix}?")
    chosen = parse_qs(urlsplit(url).query)
    assert chosen["var-school"] == [str(school.id)]
    assert chosen["var-commune"] == [str(row.commune_id)]
    by_uid = {one.uid + suffix: {variable.name for variable in one.variables} for one in DASHBOARDS}
    for (other,) in others:
        path, _, query = other.removeprefix(f"{GRAFANA}/d/").partition("?")
        assert {name.removeprefix("var-") for name in parse_qs(query)} <= by_uid[path]


def test_a_school_with_a_namesake_in_its_commune_leads_to_its_own(tree: Tree) -> None:
    config = msgspec.structs.replace(tree.config, grafana=Grafana(url=GRAFANA))
    first, second = tree.schools[:2]
    with begin_write(tree.engine) as conn:
        conn.execute(
            tables.school.update().where(tables.school.c.id == second.id).values(name=f"Trường {first.mark}")
        )
    with RunningSite(config) as site:
        staff = site.somebody("so_viewer")
        for page in (f"/schools/{second.code}", f"/devices/{second.devices[0].device}"):
            (url,) = found(staff.get(page).text)
            assert parse_qs(urlsplit(url).query)["var-school"] == [str(second.id)]


def test_without_an_address_there_is_no_link(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        page = site.somebody("so_admin").get(f"/schools/{tree.schools[0].code}").text
    assert "Grafana" not in page
