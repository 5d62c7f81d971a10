"""Activation: one computer is its school's affair, above it there are counts, nobody calls it licensed."""

import pytest

from reports import Device
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server.access import Role
from schoolwatch_server.database import activation
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.batch import take
from schoolwatch_server.posture import posture
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.state import State, Value, key
from tree import Tree
from website import RunningSite


def tell(tree: Tree, device: Device, windows: float | None, office: float | None) -> None:
    labels = {"product": "windows", "edition": "Professional"}
    readings = (
        Reading("activation.activated", windows, labels),
        Reading("activation.activated", office, {"product": "office", "edition": "O365"}),
        Reading("probe.ok", 1.0, {"probe": "activation"}),
    )
    facts = (Fact("activation.state", "a state of one computer", labels),)
    take(tree.engine, [device.message(9, at=tree.now, readings=readings, facts=facts)], Rules())


def test_the_counts_of_a_place_are_of_what_is_known(tree: Tree) -> None:
    first, second = tree.schools[:2]
    tell(tree, first.devices[0], 1.0, 0.0)
    tell(tree, first.devices[1], 0.0, None)
    tell(tree, second.devices[0], 1.0, 1.0)
    with begin_read(tree.engine) as conn:
        of = {s: activation.counts(conn, s, 0.0) for s in (EVERYTHING, Scope("school", first.id))}
        assert activation.counts(conn, EVERYTHING, tree.now + 1)[0].yes == 0, "long silent ones do not count"
    assert of[EVERYTHING] == (
        activation.Activated("windows", 2, 1, untold=13),
        activation.Activated("office", 1, 1, untold=14),
    )
    assert of[Scope("school", first.id)][0] == activation.Activated("windows", 1, 1, untold=0)


@pytest.mark.parametrize(
    ("editions", "activated"),
    [({}, None), ({"a": 1.0, "b": 0.0}, True), ({"a": 0.0}, False), ({"a": 0.0, "b": None}, None)],
)
def test_one_edition_that_is_activated_is_enough(
    editions: dict[str, float | None], activated: bool | None
) -> None:
    readings = {
        key("activation.activated", {"product": "office", "edition": edition}): Value(number, 1.0)
        for edition, number in editions.items()
    }
    assert posture(State(readings)).office_activated is activated
    assert posture(State(readings)).windows_activated is None


def page(tree: Tree, site: RunningSite, scope: Scope, path: str) -> str:
    roles: dict[str, Role] = {"all": "so_admin", "commune": "commune", "school": "school_head"}
    client = site.somebody(roles[scope.level], scope)
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_one_computer_is_seen_by_its_school_and_counts_by_those_above(tree: Tree) -> None:
    school = tree.schools[0]
    device = school.devices[0].device
    tell(tree, school.devices[0], 0.0, None)
    with RunningSite(tree.config) as site:
        own = Scope("school", school.id)
        assert "a state of one computer" in page(tree, site, own, f"/devices/{device}")
        assert "a state of one computer" not in page(tree, site, EVERYTHING, f"/devices/{device}")
        above = page(tree, site, Scope("commune", school.commune), "/communes/MarkC00X")
        assert "0 máy đã kích hoạt, 1 máy chưa, 3 máy chưa rõ hoặc không có" in above
        assert "không có nghĩa là có bản quyền" in above
        for scope, seen in ((own, True), (EVERYTHING, False)):
            ask = site.ask(scope)
            assert ("activation." in ask.get("/api/v1/devices?limit=100").text) is seen
            assert ("activation." in ask.get(f"/api/v1/facts?device={device}").text) is seen
            series = ask.get(f"/api/v1/series?device={device}&metric=activation.activated")
            assert (series.status_code == 200) is seen
