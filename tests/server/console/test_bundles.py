"""A bundle handed in with a browser: as the command does it, for who may, and as far as they see."""

import io
from typing import get_args

import httpx
import pytest
from sqlalchemy import func, select

from reports import Device
from schoolwatch_contract import bundle, errors
from schoolwatch_server import texts
from schoolwatch_server.access import ROLES
from schoolwatch_server.api import bounds
from schoolwatch_server.bundles import BundleError
from schoolwatch_server.carried import refusal
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import Scope
from schoolwatch_server.texts import Language
from tree import Tree
from website import RunningSite, csrf, led


def written(device: Device, tree: Tree, count: int = 3) -> bytes:
    out = io.BytesIO()
    writer = bundle.Writer(out.write, bundle.Head(device.device, tree.now), device.key)
    for seq in range(1, count + 1):
        writer.add(device.frame(seq, at=tree.now, taken_at=tree.now - 7200 + seq, spool="b" * 16))
    writer.end()
    return out.getvalue()


def hand_in(
    client: httpx.Client, content: bytes, name: str = "usb.swbundle", token: str | None = None
) -> httpx.Response:
    form = {"csrf": csrf(client) if token is None else token}
    return led(client, client.post("/bundles/import", data=form, files={"file": (name, content)}))


def stored(tree: Tree) -> int:
    with begin_read(tree.engine) as conn:
        return conn.scalar(select(func.count()).select_from(t.journal).where(t.journal.c.carried)) or 0


def test_it_is_taken_in_once_and_what_came_of_it_is_said(tree: Tree) -> None:
    device = tree.schools[0].devices[0]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert "multipart/form-data" in admin.get("/bundles").text
        first = hand_in(admin, written(device, tree))
        assert first.status_code == 200
        assert "3 mới, 0 đã có" in first.text
        assert 'href="/language/en?next=/bundles"' in first.text
        again = hand_in(admin, written(device, tree), "<b>&.swbundle")
        assert "0 mới, 3 đã có" in again.text
        assert "<b>" not in again.text
        assert "Nhập báo cáo mang bằng USB" in admin.get("/system").text
    assert stored(tree) == 3


@pytest.mark.parametrize(("language", "says"), [("vi", "mang bằng USB ngày"), ("en", "carried by USB on")])
def test_the_page_of_the_device_says_what_came_by_usb(tree: Tree, language: Language, says: str) -> None:
    device, other = tree.schools[0].devices[:2]
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        admin.get(f"/language/{language}", params={"next": "/"})
        before = admin.get(f"/devices/{device.device}")
        assert before.status_code == 200
        assert says not in before.text
        assert hand_in(admin, written(device, tree)).status_code == 200
        words = Words(language, texts.load())
        with begin_read(tree.engine) as conn:
            received = conn.scalars(select(func.max(t.journal.c.received_at))).one()
        for page in (f"/devices/{device.device}", f"/devices/{device.device}/now"):
            shown = admin.get(page).text
            assert f"{says} {words.day(received)}" in shown
            assert words.day(tree.now - 7200 + 3) in shown
        assert says not in admin.get(f"/devices/{other.device}").text


@pytest.mark.parametrize(
    "reason", [*get_args(errors.Reason), "unknown_device", "revoked", "other_device", "changed"]
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_why_a_file_is_refused_is_said_in_one_language(reason: str, language: Language) -> None:
    """What the program knows of it in English goes to the log; only a device's number is said to people."""
    detail = "more bytes follow the bundle's end"
    said = refusal(
        "mang.swbundle", BundleError(reason, detail), texts.Voice(texts.load(), language, "bundle")
    )
    assert said.startswith("mang.swbundle: ")
    assert (detail in said) == (reason in {"unknown_device", "revoked"})


def test_what_is_no_bundle_is_refused_with_its_reason_and_changes_nothing(tree: Tree) -> None:
    good = written(tree.schools[0].devices[0], tree)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        for content, said in (
            (b"\x89PNG\r\n\x1a\n" + bytes(3000), "không phải là tệp do schoolwatch-agent bundle"),
            (good[:-1], "thiếu phần cuối"),
            (good[:-1] + bytes([good[-1] ^ 1]), "Chữ ký sai"),
        ):
            answer = hand_in(admin, content)
            assert answer.status_code == 422
            assert said in answer.text
        assert admin.post("/bundles/import", data={"csrf": csrf(admin)}).status_code == 422
    assert stored(tree) == 0


def test_without_the_forms_token_or_the_permission_nothing_is_taken_in(tree: Tree) -> None:
    content = written(tree.schools[0].devices[0], tree)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert hand_in(admin, content, token="").status_code == 403
        assert hand_in(admin, content, token=csrf(admin)[::-1]).status_code == 403
        others = [role for role, may in ROLES.items() if "enrol" not in may]
        assert {"so_viewer", "auditor"} <= set(others)
        for role in others:
            other = site.somebody(role)
            assert hand_in(other, content).status_code == 403
        assert hand_in(site.anyone(), content, token=csrf(admin)).status_code == 401
    assert stored(tree) == 0


def test_a_technician_hands_in_for_the_own_school_alone(tree: Tree) -> None:
    mine, other = tree.schools[0], tree.schools[1]
    with RunningSite(tree.config) as site:
        technician = site.somebody("technician", Scope("school", mine.id))
        refused = hand_in(technician, written(other.devices[0], tree))
        assert refused.status_code == 422
        assert other.mark not in refused.text
        assert hand_in(technician, written(mine.devices[0], tree)).status_code == 200
    assert stored(tree) == 3


def test_a_file_beyond_the_bound_is_refused_and_nobody_unknown_may_send_one(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bounds.LARGE, ("POST", "/bundles/import"), (200_000, 5.0))
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert hand_in(admin, bytes(300_000)).status_code == 413
        whole = written(tree.schools[0].devices[0], tree, 1000)
        assert bounds.BODY_MAX < len(whole) < 200_000
        assert hand_in(admin, whole).status_code == 200
        unread = site.raw(
            b"POST /bundles/import HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 150000\r\nConnection: close\r\n\r\n--b"
        )
        assert unread.startswith(b"HTTP/1.1 401 ")  # before the body was waited for
