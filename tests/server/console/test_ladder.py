"""The IPv6 ladder on a device's page and a school's: rung, standing, time, words, and what to do first."""

import re

import httpx

import machines
from schoolwatch_contract import ladder
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.intake.batch import take
from tree import Tree


def report(tree: Tree, place: int, machine: str) -> str:
    """What the probe tells on a recorded machine, from a device of the first school; its id."""
    looked = machines.look("ipv6", machine)
    device = tree.schools[0].devices[place]
    message = device.message(100, at=tree.now, readings=looked.readings, facts=looked.facts)
    take(tree.engine, [message], Rules())
    return device.device


def rungs(page: str) -> list[str]:
    items = re.findall(r'<li data-rung="\d+">(.*?)</li>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


def test_a_devices_page_shows_every_rung_and_what_to_do_first(tree: Tree, head: httpx.Client) -> None:
    page = head.get(f"/devices/{report(tree, 0, 'linux/ipv6-black-hole')}").text
    found = rungs(page)
    assert len(found) == len(ladder.RUNGS)
    assert found[4].startswith("đạt 4. Tuyến mặc định")
    assert found[7].startswith("chưa đạt 7. Gói tin lớn")
    assert "a.vidu.vn: không hồi đáp" in found[7]
    assert "DNS qua IPv6: được" in found[5]
    assert found[9].startswith("không bắt buộc 9. NAT64")
    assert re.search(r"đạt 6\. Kết nối TCP và TLS qua IPv6 \d+ ms", found[6])
    assert "Việc đầu tiên cần xử lý: bậc 7" in page
    assert "ICMPv6 loại 2 (Packet Too Big)" in page


def test_a_school_counts_the_first_failing_rungs_of_its_computers(tree: Tree, head: httpx.Client) -> None:
    report(tree, 0, "linux/ipv6-black-hole")
    report(tree, 1, "linux/ipv6-dns-broken")
    page = head.get(f"/schools/{tree.schools[0].code}").text
    section = page.partition('<section id="ipv6">')[2].partition("</section>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert text.index("5. DNS trả lời") < text.index("7. Gói tin lớn")
    assert text.count("số máy: 1") == 2
    assert "Chưa cấu hình máy đích IPv6" in text


def test_every_reason_and_outcome_of_the_recorded_machines_has_words() -> None:
    facts = [fact for name in machines.NAMES for fact in machines.look("ipv6", name).facts]
    reasons = {part for f in facts if f.name == "ipv6.rung.reason" for part in (f.value or "").split("+")}
    outcomes = {fact.value for fact in facts if fact.name == "ipv6.target.outcome"}
    assert len(reasons) > 20
    assert reasons - set(ladder.REASONS) == set()
    assert outcomes - set(ladder.OUTCOMES) == set()


def test_no_remedy_is_to_switch_ipv6_off() -> None:
    said = [reason.remedy for reason in ladder.REASONS.values() if reason.remedy] + [ladder.SLOW]
    assert len(said) > 20
    for words in said:
        assert not re.search(r"tắt IPv6|vô hiệu hóa IPv6", words.vi)
        assert not re.search(r"(disable|switch(ing)? off) IPv6|IPv6 off", words.en)
        assert words.vi != words.en
