"""A device's page says what its working order rests on; the list of the school has the same reasons."""

import httpx

from schoolwatch_contract.records import Reading
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.intake.batch import take
from tree import Tree


def test_the_facts_behind_the_working_order_are_on_the_devices_page(tree: Tree, head: httpx.Client) -> None:
    device, beside = tree.schools[0].devices
    failing = (Reading("disk_health.failure_predicted", 1.0, {"disk": "sda"}),)
    take(tree.engine, [device.message(9, at=tree.now, readings=failing)], Rules())
    page = head.get(f"/devices/{device.device}").text
    assert "Nhà trường không đánh dấu máy hỏng." in page
    assert "Được tính là đang hoạt động khi có báo cáo trong 30 ngày, tức là từ " in page
    assert "Đề xuất của SchoolWatch, chưa có văn bản quy định" in page, "where the 30 days come from"
    assert "Máy khác cùng phòng có báo cáo mới nhất lúc: " in page
    assert "Ổ đĩa sda tự báo sắp hỏng lúc " in page
    other = head.get(f"/devices/{beside.device}").text
    assert "Không ổ đĩa nào tự báo hỏng hoặc sắp hỏng." in other


def test_the_list_of_a_school_tells_a_failing_disk_as_the_page_does(tree: Tree, head: httpx.Client) -> None:
    device = tree.schools[0].devices[0]
    chip = "Ổ đĩa sắp hỏng: hãy sao lưu và thay"
    assert chip not in head.get(f"/schools/{tree.schools[0].code}").text
    failing = (Reading("disk_health.healthy", 0.0, {"disk": "sda"}),)
    take(tree.engine, [device.message(9, at=tree.now, readings=failing)], Rules())
    assert chip in head.get(f"/schools/{tree.schools[0].code}").text
    assert chip in head.get(f"/devices/{device.device}").text
