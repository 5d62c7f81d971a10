"""A school's page tells of its line: who tests it, what the last test found, and what held it back."""

import httpx
import pytest

import machines
from schoolwatch_agent.probes import bandwidth_ledger
from schoolwatch_contract.settings import Bandwidth, Settings
from schoolwatch_server.database import told
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.batch import take
from tree import School, Tree
from website import csrf


def choose(head: httpx.Client, school: School, device: str) -> int:
    form = {"device": device, "csrf": csrf(head)}
    return head.post(f"/schools/{school.code}/line", data=form).status_code


def chosen(tree: Tree, school: School) -> int | None:
    with begin_read(tree.engine) as conn:
        return told.line_tester(conn, school.id)


def report(tree: Tree, seq: int, machine: str) -> None:
    """What the speed test's probes tell on a recorded machine, from the first school's first device."""
    host = machines.machine(machine)
    readings = machines.look("bandwidth", machine).readings
    ledger = bandwidth_ledger.read(host, Settings(bandwidth=Bandwidth("https://so.example")))
    facts = tuple(one for one in ledger if hasattr(one, "reason"))
    device = tree.schools[0].devices[0]
    take(tree.engine, [device.message(seq, at=tree.now, readings=readings, facts=facts)], Rules())


def test_one_device_of_the_school_is_chosen_and_only_of_the_school(tree: Tree, head: httpx.Client) -> None:
    school, other = tree.schools[:2]
    first, second = school.devices
    assert "Chưa chọn máy nào" in head.get(f"/schools/{school.code}").text
    for device in (first, second):
        assert choose(head, school, device.device) == 303
        assert chosen(tree, school) == device.id
    assert choose(head, school, other.devices[0].device) == 422
    assert choose(head, other, other.devices[0].device) in (403, 404)
    assert chosen(tree, school) == second.id
    assert choose(head, school, "") == 303
    assert chosen(tree, school) is None


def test_the_last_result_is_shown_in_words(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    choose(head, school, school.devices[0].device)
    assert "chưa gửi kết quả" in head.get(f"/schools/{school.code}").text
    report(tree, 4, "linux/bandwidth-measured-v4")
    page = head.get(f"/schools/{school.code}").text
    assert 'data-metric="bandwidth.download"' in page
    assert "Mbit/s" in page
    assert "tải xuống" in page
    assert "do máy chủ giới hạn" not in page
    assert "do máy đo giới hạn" not in page


@pytest.mark.parametrize(
    ("who", "words"), [("server", "do máy chủ giới hạn"), ("client", "do máy đo giới hạn")]
)
def test_what_held_a_result_back_is_said(tree: Tree, head: httpx.Client, who: str, words: str) -> None:
    school = tree.schools[0]
    choose(head, school, school.devices[0].device)
    report(tree, 4, f"linux/bandwidth-limited-by-{who}")
    for address in (f"/schools/{school.code}", f"/devices/{school.devices[0].device}"):
        page = head.get(address).text
        assert words in page
        assert 'data-metric="bandwidth.download"' not in page


def test_a_skipped_test_says_why(tree: Tree, head: httpx.Client) -> None:
    school = tree.schools[0]
    choose(head, school, school.devices[0].device)
    report(tree, 4, "linux/bandwidth-line-busy")  # its ledger tells of an earlier part that was slept through
    assert "máy không hoạt động vào lúc cần đo" in head.get(f"/schools/{school.code}").text
