"""Deletion and renewal of keys at the console: what is typed wrong, and what is done."""

import re

import httpx
import msgspec

from brokers import RunningBroker
from schoolwatch_server import renewal
from schoolwatch_server.config import Mqtt
from schoolwatch_server.database import audit, credentials, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING
from shared import shared_tree
from tree import Tree
from website import RunningSite, csrf, led

WHY = "công văn số 12"


tree = shared_tree


def test_keys_are_renewed_for_a_device_or_for_a_school_whose_code_was_typed(tree: Tree) -> None:
    school, other = tree.schools[:2]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")

        def order(**form: str) -> int:
            return admin.post("/renewals", data={"csrf": csrf(admin), **form}).status_code

        def waiting() -> set[str]:
            return {row.device for row in renewal.waiting(tree.engine, EVERYTHING)}

        assert [order(), order(school="nowhere"), order(device="f" * 32)] == [422, 404, 404]
        assert order(school=school.code, device=school.devices[0].device) == 422
        assert waiting() == set()
        assert order(device=other.devices[1].device) == 303
        assert order(school=school.code) == 303
        expected = {other.devices[1].device, *(one.device for one in school.devices)}
        assert waiting() == expected
        page = admin.get("/renewals").text
        assert all(f'href="/devices/{device}"' in page for device in expected)
        assert page.count("Máy chưa hỏi") == 3
        head = site.somebody("school_head")
        assert "/renewals" not in head.get(f"/devices/{school.devices[0].device}").text


def test_a_device_and_a_school_are_deleted_once_the_code_was_typed(tree: Tree, amqtt: RunningBroker) -> None:
    school, device = tree.schools[0], tree.schools[0].devices[0].device
    (tree.folder / "secrets").mkdir(exist_ok=True)
    (tree.folder / "secrets" / "broker-server").write_text(amqtt.password)
    mqtt = Mqtt(port=amqtt.port, user=amqtt.user)
    with RunningSite(msgspec.structs.replace(tree.config, mqtt=mqtt)) as site:
        admin = site.somebody("so_admin")

        def send(path: str, confirm: str, reason: str = WHY) -> httpx.Response:
            form = {"csrf": csrf(admin), "confirm": confirm, "reason": reason}
            return led(admin, admin.post(path, data=form))

        here = f"/devices/{device}/deletion"
        assert f'href="{here}"' in admin.get(f"/devices/{device}").text
        assert f"nhập lại mã {device[:8]}" in admin.get(here).text
        for confirm, reason, says in ((device[:7], WHY, "mã xác nhận"), (device[:8], " a  b ", "viết lý do")):
            wrong = send(here, confirm, reason)
            assert wrong.status_code == 422
            assert says in wrong.text
            assert f'value="{reason}"' in wrong.text, "what was written is there still"
        amqtt.stop()
        unheard = send(here, device[:8])
        assert unheard.status_code == 503
        assert "không liên lạc được với kênh thông điệp" in unheard.text
        with begin_read(tree.engine) as conn:
            assert registry.device(conn, device, EVERYTHING) is not None
            assert credentials.find(conn, [device])[device].revoked
        amqtt.start()
        done = send(here, f" {device[:8]} ")
        assert done.status_code == 200
        assert re.search(r"<code>journal</code></th><td class=.num.>3<", done.text)
        assert send(here, device[:8]).status_code == 404
        assert send(f"/schools/{school.code}/deletion", school.code).status_code == 200
        left = admin.get(f"/schools/{school.code}").text
        assert school.devices[1].device not in left
        assert "/deletion" not in left, "what is judged stays, found by the former code"
        with begin_read(tree.engine) as conn:
            lines = audit.newest(conn, 3)
        assert [line.action for line in lines] == ["school.delete", "device.delete", "device.delete"]
        assert {line.actor.partition("-")[0] for line in lines} == {"so_admin"}
        assert {line.detail["reason"] for line in lines} == {WHY}
