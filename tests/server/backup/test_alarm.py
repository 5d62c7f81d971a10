"""Whoever gets notifications is told that backups fail, each day on every channel; and when it is over."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from schoolwatch_server import texts
from schoolwatch_server.backup import alarm, status
from schoolwatch_server.backup.alarm import Alarm
from schoolwatch_server.backup.status import Done, Failed
from schoolwatch_server.config import of_data
from schoolwatch_server.sections import Backup
from webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # of apprise

NOW = 1_800_000_000.0
HOUR = 3600.0


@pytest.fixture
def hooks() -> Iterator[tuple[Webhook, Webhook]]:
    both = (Webhook(), Webhook())
    yield both
    for one in both:
        one.close()


def test_a_failure_is_told_on_every_channel_each_day_and_when_it_is_over(
    hooks: tuple[Webhook, Webhook], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = msgspec.structs.replace(of_data(tmp_path), backup=Backup(target="/mnt/copies"))
    addresses = {"a": hooks[0].url, "b": hooks[1].url}
    done = Done(NOW - 30 * HOUR, 1.0, "/mnt/copies", "abcd", 1, 1, {})

    def tell(now: float) -> int:
        monkeypatch.setattr(alarm.time, "time", lambda: now)
        return Alarm(config, texts.load()).tell(addresses, now)  # each time as after a restart

    assert tell(NOW) == 0, "there is no copy yet, and nothing failed"
    status.change(tmp_path, done=done)
    assert tell(NOW) == 0

    status.change(tmp_path, failed=Failed(NOW, "disk_full", {"target": "/mnt/copies", "detail": "full"}))
    hooks[1].status = 500
    assert tell(NOW) == 1
    (message,) = hooks[0].received
    assert "LẦN SAO LƯU CUỐI THẤT BẠI" in message["message"]
    assert "/mnt/copies: hết dung lượng đĩa (full)" in message["message"]
    assert "/system" in message["message"]
    assert tell(NOW + 5) == 0, "the other is tried again after a while"
    hooks[1].status = 200
    assert tell(NOW + 20) == 1
    assert tell(NOW + HOUR) == 0
    assert tell(NOW + 24.1 * HOUR) == 2, "it lasts"

    well = msgspec.structs.replace(done, at=NOW + 25 * HOUR)
    status.change(tmp_path, done=well)
    assert tell(NOW + 25.1 * HOUR) == 2
    assert tell(NOW + 25.2 * HOUR) == 0
    bad, good = (
        "[SchoolWatch] Sao lưu máy chủ cần xử lý",
        "[SchoolWatch] Sao lưu máy chủ đã trở lại bình thường",
    )
    assert hooks[0].titles == hooks[1].titles == [bad, bad, good]

    assert tell(NOW + 62 * HOUR) == 2, "37 hours later it is too old"
    assert "QUÁ CŨ" in hooks[1].received[-1]["message"]
    (tmp_path / "backup" / "status.json").write_text("{")
    assert tell(NOW + 87 * HOUR) == 2
    assert "CHƯA RÕ" in hooks[1].received[-1]["message"]


def test_what_was_told_and_cannot_be_read_is_told_again(tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text("{")
    assert alarm._read(tmp_path / "told.json") == alarm.Told()
