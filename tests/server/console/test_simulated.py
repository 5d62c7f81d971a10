"""Simulated data says so on every page and in every file, and nothing says so of real data."""

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from schoolwatch_server.api.headers import SIMULATED
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.database import simulated
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.sections import MalwareStatistics
from tree import Tree
from website import RunningSite

MARK = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}
NOT_PAGES = {
    "/ca.pem",
    "/healthz",
    "/readyz",
    "/metrics",
    "/metrics/indicators",
    "/docs",
    "/language/{language}",
    "/audit.csv",
    "/incidents.csv",
    "/malware.csv",
    "/malware.xml",
    "/imports/template.xlsx",
    "/progress",
    "/incidents/stream",
    "/wall/stream",
    "/influx/ping",
    "/influx/query",
}


@pytest.mark.parametrize("is_simulated", [True, False])
def test_every_page_says_that_its_data_are_simulated(tmp_path: Path, *, is_simulated: bool) -> None:
    tree = Tree(tmp_path)
    if is_simulated:
        with begin_write(tree.engine) as conn:
            simulated.mark(conn)
            simulated.mark(conn)  # twice is once
    school = tree.schools[0]
    filled = {
        "{number}": "1",
        "{account}": "1",
        "{pack}": "network",
        "{version}": "1",
        "{device}": school.devices[0].device,
        "/schools/{code}": f"/schools/{school.code}",
        "/communes/{code}": "/communes/MarkC00X",
        "/provinces/{code}": "/provinces/MarkP0X",
        "{digest}": "0" * 64,
        "/forms/{sha256}/{format}": f"/forms/{'0' * 64}/docx",
        "/reports/due": "/reports/due?kind=monthly&level=school&period=2026-11&province=MarkP0X",
    }
    paths = [
        route.path
        for route in ROUTES
        if route.method == "GET" and not route.path.startswith("/api/") and route.path not in NOT_PAGES
    ]
    paths = [path for path in paths if not path.endswith(("/now", ".{form}"))] + ["/nowhere"]
    assert len(paths) > 10
    html = {"accept": "text/html"}
    config = msgspec.structs.replace(tree.config, malware_statistics=MalwareStatistics("000.01.12.H28"))
    with RunningSite(config) as site:
        admin = site.somebody("so_admin")
        for language, mark in MARK.items():
            admin.get(f"/language/{language}")
            for path in paths:
                for place, value in filled.items():
                    path = path.replace(place, value)
                client = site.anyone() if path == "/login" and language == "vi" else admin
                answer = client.get(path, headers=html)
                assert answer.status_code in (200, 404), path
                assert answer.text.count(mark) == int(is_simulated), path
                assert answer.headers.get(SIMULATED) == ("yes" if is_simulated else None), path
        scraped = admin.get("/metrics/indicators").text
        assert f"schoolwatch_simulated {float(is_simulated)}" in scraped
        log = admin.get("/audit.csv")
        assert ('"simulated-' in log.headers["content-disposition"]) is is_simulated
        assert log.headers.get(SIMULATED) == ("yes" if is_simulated else None)
        statistics = admin.get("/malware.xml")
        assert ('"simulated-' in statistics.headers["content-disposition"]) is is_simulated
        assert statistics.headers.get(SIMULATED) == ("yes" if is_simulated else None)
        etree.fromstring(statistics.content)
        assert statistics.content.decode().count(MARK["vi"]) == int(is_simulated)
        for path in ("/incidents.csv", "/malware.csv"):
            answer = admin.get(path)
            head, *lines = answer.content.decode("utf-16").splitlines()
            assert lines, path
            assert ("simulated-" in answer.headers["content-disposition"]) is is_simulated
            assert head.endswith('[simulated]"') is is_simulated
            assert all(line.endswith('\t"yes"') for line in lines) is is_simulated
        for path in (f"/api/v1/schools/{school.code}/indicators.csv", "/api/v1/tables/devices.csv"):
            answer = admin.get(path)
            head, *lines = answer.text.splitlines()
            assert lines, path
            assert ("simulated-" in answer.headers["content-disposition"]) is is_simulated
            assert head.endswith('[simulated]"') is is_simulated
            assert all(line.endswith(',"có"') for line in lines) is is_simulated
