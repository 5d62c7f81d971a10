"""When a backup is due, and what is said of how backups stand."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from schoolwatch_server.backup import schedule, status
from schoolwatch_server.backup.status import Done, Failed, Status
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.sections import Backup

CONFIG = ServerConfig(backup=Backup(target="/copies", hour=1))
SLOT = datetime(2026, 11, 28, 18, tzinfo=UTC).timestamp()
"""One o'clock of the 29th in Vietnam."""
HOUR = 3600.0


def done(at: float) -> Done:
    return Done(at, 1, "/copies", "abcd", 1, 1, {})


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        (Status(), SLOT + 5, True),
        (Status(SLOT - 23 * HOUR, done(SLOT - 23 * HOUR)), SLOT - 1, False),
        (Status(SLOT - 23 * HOUR, done(SLOT - 23 * HOUR)), SLOT, True),
        (Status(SLOT + 5, done(SLOT + 5)), SLOT + 23 * HOUR, False),
        (Status(SLOT + 5, done(SLOT - 24 * HOUR), Failed(SLOT + 9, "unreachable")), SLOT + 0.5 * HOUR, False),
        (Status(SLOT + 5, done(SLOT - 24 * HOUR), Failed(SLOT + 9, "unreachable")), SLOT + 1.1 * HOUR, True),
        (Status(SLOT + 900 * HOUR, done(SLOT + 900 * HOUR)), SLOT + 5, True),  # by a clock that was ahead
    ],
)
def test_a_backup_is_due_once_a_day_and_each_hour_while_it_fails(
    known: Status, now: float, expected: bool
) -> None:
    assert schedule.is_due(CONFIG, known, now) is expected
    assert schedule.is_due(ServerConfig(), known, now) is False


def test_what_was_deleted_is_known_to_a_copy_within_the_hour() -> None:
    known = Status(SLOT + 5, done(SLOT + 5))
    deleted_at = SLOT + 60
    assert schedule.is_due(CONFIG, known, SLOT + 0.9 * HOUR, deleted_at) is False
    assert schedule.is_due(CONFIG, known, SLOT + 1.1 * HOUR, deleted_at) is True
    assert schedule.is_due(CONFIG, known, SLOT + 1.1 * HOUR, SLOT - 1) is False
    failing = Status(SLOT + 1.1 * HOUR, known.done, Failed(SLOT + 1.1 * HOUR, "unreachable"))
    assert schedule.is_due(CONFIG, failing, SLOT + 2 * HOUR, deleted_at) is False
    assert schedule.is_due(CONFIG, failing, SLOT + 2.2 * HOUR, deleted_at) is True


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        (None, SLOT, "unknown"),
        (Status(), SLOT, "never"),
        (Status(SLOT, done(SLOT)), SLOT + 35 * HOUR, "good"),
        (Status(SLOT, done(SLOT)), SLOT + 37 * HOUR, "too_old"),
        (Status(SLOT, done(SLOT), Failed(SLOT - 1, "gone")), SLOT + HOUR, "good"),
        (Status(SLOT, done(SLOT), Failed(SLOT + 1, "gone")), SLOT + HOUR, "failed"),
    ],
)
def test_how_backups_stand(known: Status | None, now: float, expected: str) -> None:
    assert status.judge(CONFIG, known, now) == expected


def test_without_a_target_only_a_copy_that_a_timer_made_is_good_and_no_longer_than_others() -> None:
    assert status.judge(ServerConfig(), Status(), SLOT) == "off"
    assert status.judge(ServerConfig(), Status(SLOT, done(SLOT)), SLOT + HOUR) == "good"
    assert status.judge(ServerConfig(), Status(SLOT, done(SLOT)), SLOT + 37 * HOUR) == "too_old"


def test_a_backup_that_cannot_say_why_it_ended_is_a_failure(tmp_path: Path) -> None:
    config = msgspec.structs.replace(CONFIG, data=str(tmp_path))
    one = schedule.Scheduled(config)
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "stage").mkdir()
    one._began = SLOT
    one._ended(-9, SLOT + 60)
    known = status.read(tmp_path)
    assert known is not None
    assert known.failed == Failed(SLOT + 60, "died", {"code": "-9"})
    assert not (tmp_path / "backup" / "stage").exists()
    assert schedule.is_due(config, known, SLOT + 61) is False
