"""Which version of a pack holds on a day, of those that are shipped, lie in files and were typed in."""

from datetime import date, timedelta
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.packs.load import SHIPPED
from schoolwatch_server.packs.sheet import Stored
from schoolwatch_server.saved import in_force

DAY = date(2026, 11, 29)


def network(version: int, target: float) -> str:
    data = yaml.safe_load((SHIPPED / "network.yaml").read_text(encoding="utf-8"))
    data["version"] = version
    data["indicators"]["ipv6_ladder"]["target"]["value"] = target
    return yaml.safe_dump(data, allow_unicode=True)


def plan(version: int, target: float, name: str = "so_2027") -> str:
    item = {"id": "av", "vi": "Diệt virus", "indicator": "antivirus_coverage", "target": target,
            "clause": "II.3", "confidence": "V-seed", "deadline": date(2027, 12, 31)}  # fmt: skip
    return yaml.safe_dump(
        {"kind": "plan", "id": name, "version": version, "vi": "Kế hoạch năm 2027", "number": "12/KH-SGDĐT",
         "date": date(2027, 1, 5), "issuer": "Sở GDĐT", "items": [item]}, allow_unicode=True
    )  # fmt: skip


def typed(text: str, version: int, since: date, pack: str = "network", is_end: bool = False) -> Stored:
    return Stored(pack, version, since, text, 0.0, "so-admin", is_end)


def target(loaded: packs.Packs) -> float | None:
    found = loaded.of("ipv6_ladder").indicators["ipv6_ladder"].target
    return None if found is None else found.value


def test_a_future_version_waits_for_its_day() -> None:
    stored = [typed(network(2, 0.5), 2, DAY), typed(network(3, 0.7), 3, DAY + timedelta(days=33))]
    assert target(packs.load(None, stored, DAY - timedelta(days=1))) == 0.9
    assert target(packs.load(None, stored, DAY)) == 0.5
    assert target(packs.load(None, stored, DAY + timedelta(days=33))) == 0.7


def test_the_version_that_holds_says_where_it_is_from_and_since_when() -> None:
    loaded = packs.load(None, [typed(network(2, 0.5), 2, DAY)], DAY)
    held = {one.sheet.id: one for one in loaded.held}
    assert (held["network"].origin, held["network"].since) == ("console", DAY)
    assert (held["security"].origin, held["security"].since) == ("shipped", None)
    assert len(held["network"].sha256) == 64


def test_a_file_holds_only_with_a_higher_version_than_what_was_typed_in(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(network(3, 0.3), encoding="utf-8")
    assert target(packs.load(tmp_path, [typed(network(2, 0.5), 2, DAY)], DAY)) == 0.3
    assert target(packs.load(tmp_path, [typed(network(3, 0.5), 3, DAY)], DAY)) == 0.5


def test_an_end_gives_way_to_what_is_shipped() -> None:
    stored = [typed(network(2, 0.5), 2, DAY), typed("", 3, DAY + timedelta(days=1), is_end=True)]
    assert target(packs.load(None, stored, DAY + timedelta(days=1))) == 0.9


def test_a_shipped_plan_is_in_force_nowhere_until_a_department_takes_it() -> None:
    assert packs.load().plans == ()
    loaded = packs.load(None, [typed(plan(1, 0.9), 1, DAY, "so_2027")], DAY)
    found = loaded.target_of("antivirus_coverage")
    assert found is not None
    assert (found.value, found.plan, found.deadline) == (0.9, "so_2027@1", date(2027, 12, 31))
    assert found.document == "12/KH-SGDĐT ngày 05/01/2027 của Sở GDĐT"


def test_a_text_that_can_not_be_used_stops_nothing_and_is_told() -> None:
    loaded = packs.load(None, [typed("id: network\nversion: x\n", 2, DAY)], DAY)
    assert target(loaded) == 0.9
    assert len(loaded.faults) == 1
    assert "network@2" in loaded.faults[0]


def test_an_indicator_that_an_old_text_does_not_know_keeps_its_shipped_definition() -> None:
    data = yaml.safe_load(network(2, 0.5))
    del data["indicators"]["wired_links_100"]
    loaded = packs.load(None, [typed(yaml.safe_dump(data, allow_unicode=True), 2, DAY)], DAY)
    assert loaded.faults == ()
    assert loaded.of("wired_links_100").name == "network@1"
    assert loaded.of("ipv6_ladder").name == "network@2"


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=8), st.integers(0, 40))
def test_what_holds_began_by_that_day_and_nothing_newer_did(
    saved: list[tuple[int, bool]], ahead: int
) -> None:
    stored = [
        typed("", number + 1, DAY + timedelta(days=days), "p", end)
        for number, (days, end) in enumerate(saved)
    ]
    day = DAY + timedelta(days=ahead)
    begun = sorted(
        (one for one in stored if one.valid_from <= day), key=lambda one: (one.valid_from, one.version)
    )
    holds = in_force(stored, day)
    if not begun or begun[-1].is_end:
        assert holds == {}
    else:
        assert holds == {"p": begun[-1]}
