"""What happened to a machine is told on its page: another disk, a new name, a copy, an earlier life."""

import re

import httpx

from schoolwatch_contract.records import Fact
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.intake.batch import take
from tree import Tree

MINE = {"system": "a1", "board": "b1", "disk": "c1", "mac": "d1", "name": "n1"}
OTHERS = {"system": "a2", "board": "b2", "disk": "c2", "mac": "d2", "name": "n2"}


def changes(tree: Tree, head: httpx.Client, place: int, *told: dict[str, str], again: int = 0) -> list[str]:
    """What the page says after these hints, one a report; `again` repeats that number with other content."""
    device = tree.schools[0].devices[place]
    for seq, hints in enumerate(told, 10):
        facts = tuple(Fact("identity.hint", digest, labels={"kind": kind}) for kind, digest in hints.items())
        at = tree.now - 60 + seq
        take(tree.engine, [device.message(seq, at=at, facts=facts)], Rules())
    if again:
        take(tree.engine, [device.message(again, at=tree.now - 30, facts=(Fact("os.name", "x"),))], Rules())
    page = head.get(f"/devices/{device.device}")
    assert page.status_code == 200
    section = page.text.partition('<section id="changes">')[2].partition("</section>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", item).split())
        for item in re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
    ]


def test_a_new_disk_and_a_new_name_are_told(tree: Tree, head: httpx.Client) -> None:
    found = changes(tree, head, 0, MINE, {**MINE, "disk": "c9", "name": "n9"})
    assert len(found) == 2
    assert any(said.startswith("Máy đã thay ổ đĩa") for said in found)
    assert any(said.startswith("Máy đã đổi tên") for said in found)


def test_two_machines_under_one_identity_are_told(tree: Tree, head: httpx.Client) -> None:
    found = changes(tree, head, 0, MINE, OTHERS, MINE)
    assert any("phần cứng đổi qua đổi lại" in said for said in found)
    assert any("trên một máy khác hẳn" in said for said in found)
    school = head.get(f"/schools/{tree.schools[0].code}").text
    row = school.partition(f'href="/devices/{tree.schools[0].devices[0].device}"')[2].partition("</th>")[0]
    assert "Hai máy dùng chung một danh tính" in row
    assert school.count("Hai máy dùng chung một danh tính") == 1


def test_two_reports_under_one_number_are_told(tree: Tree, head: httpx.Client) -> None:
    (said,) = changes(tree, head, 0, MINE, again=10)
    assert "hai báo cáo khác nhau mang cùng một số" in said


def test_a_machine_that_was_another_device_leads_to_it(tree: Tree, head: httpx.Client) -> None:
    assert changes(tree, head, 0, MINE) == []
    (said,) = changes(tree, head, 1, MINE)
    assert said.startswith("Máy này trước đây là một thiết bị khác của trường")
    page = head.get(f"/devices/{tree.schools[0].devices[1].device}").text
    assert f'<a href="/devices/{tree.schools[0].devices[0].device}">thiết bị trước đây</a>' in page
