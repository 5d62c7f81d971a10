"""How backups stand is on the server's own page and among its metrics, and never better than it is."""

import time
from collections.abc import Iterator

import msgspec
import pytest

from schoolwatch_server.backup import status
from schoolwatch_server.backup.status import Done, Failed
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.sections import Backup
from tree import Tree
from website import RunningSite


@pytest.fixture
def site(tree: Tree) -> Iterator[RunningSite]:
    config: ServerConfig = msgspec.structs.replace(tree.config, backup=Backup(target="/mnt/copies"))
    with RunningSite(config) as site:
        yield site


def test_the_page_says_how_backups_stand(site: RunningSite, tree: Tree) -> None:
    admin, data, now = site.somebody("so_admin"), tree.config.folder, time.time()
    assert "CHƯA CÓ bản sao nào" in admin.get("/system").text

    done = Done(
        now - 7200, 4.0, "/mnt/copies", "abcd1234", 1_500_000, 90_000_000, {"device": 7, "journal": 4321}
    )
    status.change(data, tried_at=done.at, done=done)
    page = admin.get("/system").text
    assert "Bản sao mới nhất còn trong thời hạn" in page
    for shown in ("/mnt/copies", "abcd1234", "2 giờ trước", "4.321 báo cáo", "1,5 / 90 MB"):
        assert shown in page, shown

    failed = Failed(now, "disk_full", {"target": "/mnt/copies", "detail": "no space <left>"})
    status.change(data, tried_at=now, failed=failed)
    page = admin.get("/system").text
    assert "LẦN SAO LƯU CUỐI THẤT BẠI" in page
    assert "/mnt/copies: hết dung lượng đĩa (no space &lt;left&gt;)" in page

    status.change(data, done=msgspec.structs.replace(done, at=now - 40 * 3600), failed=None)
    assert "BẢN SAO MỚI NHẤT ĐÃ QUÁ CŨ" in admin.get("/system").text
    (data / "backup" / "status.json").write_text("{")
    page = admin.get("/system").text
    assert "CHƯA RÕ: không đọc được kết quả sao lưu" in page
    assert "chưa rõ" in page


def test_metrics_hold_an_age_only_when_it_is_known(site: RunningSite, tree: Tree) -> None:
    asks = site.ask()
    before = asks.get("/metrics").text
    assert 'schoolwatch_backup_state{state="never"} 1' in before
    assert "\nschoolwatch_backup_age_seconds " not in before
    done = Done(time.time() - 7200, 4.0, "/mnt/copies", "abcd1234", 1, 1, {})
    status.change(tree.config.folder, tried_at=done.at, done=done)
    after = asks.get("/metrics").text
    assert 'schoolwatch_backup_state{state="good"} 1' in after
    assert 'schoolwatch_backup_state{state="never"} 0' in after
    assert "\nschoolwatch_backup_age_seconds 72" in after
