"""What the installer of a kit says about the token's last day, by the clock of the computer."""

import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolwatch_server.kit import build

KIT = {"made": "2026-09-05T01:00:00Z", "expires": "2026-10-05T01:00:00Z"}


class StopError(Exception):
    """The installer ends here."""


@pytest.fixture
def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(build.STICK)
    module = importlib.import_module("placed")
    monkeypatch.setattr(module, "settings_folder", lambda: tmp_path / "settings")
    monkeypatch.setattr(module, "data_folders", lambda: (tmp_path / "data",))
    return module


def said(now: str, *, ignore_clock: bool = False) -> str:
    """All that is said; the words come from the stick itself."""
    lines: list[str] = []
    words = importlib.import_module("cai_dat").Words("vi")

    class Say:
        def __call__(self, key: str, **values: object) -> None:
            lines.append(words._texts[key]["vi"].format(**values))

        def stop(self, key: str, **values: object) -> None:
            self(key, **values)
            raise StopError

    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    try:
        importlib.import_module("term").check(KIT, Say(), moment, ignore_clock=ignore_clock)
    except StopError:
        lines.append("stopped")
    return "\n".join(lines)


@pytest.mark.usefixtures("placed")
def test_in_its_time_nothing_is_said() -> None:
    for now in (
        "2026-09-05T01:00",
        "2026-09-04T12:00",
        "2026-10-05T00:59",
    ):  # within a time zone of its making
        assert said(now) == ""


@pytest.mark.usefixtures("placed")
def test_an_expired_token_stops_it_with_both_times_and_what_to_do() -> None:
    text = said("2026-11-28T02:30")
    assert "hết hạn lúc 08:00 05/10/2026" in text
    assert "đang chỉ 09:30 28/11/2026 (giờ Việt Nam)" in text
    assert "chỉnh lại ngày giờ" in text  # a wrong clock locks nobody out
    assert "bộ cài mới" in text
    assert text.endswith("stopped")


@pytest.mark.usefixtures("placed")
def test_a_person_may_say_that_the_clock_is_wrong() -> None:
    text = said("2035-01-01T00:00", ignore_clock=True)
    assert "Vẫn cài theo yêu cầu" in text
    assert "không đăng ký được" in text
    assert "stopped" not in text


@pytest.mark.usefixtures("placed")
def test_a_clock_that_stands_before_the_making_of_the_kit_is_wrong_and_stops_nothing() -> None:
    text = said("2009-01-01T00:00")
    assert "Đồng hồ của máy sai: đang chỉ 07:00 01/01/2009" in text
    assert "stopped" not in text


def test_who_is_enrolled_needs_no_token(placed: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/credential.json").write_text("{}")
    assert said("2026-11-28T02:30") == ""
    (tmp_path / "settings").mkdir()
    elsewhere = tmp_path / "thawed"
    (tmp_path / "settings/installed.json").write_text(f'{{"data": "{elsewhere}"}}')
    assert said("2026-11-28T02:30").endswith("stopped")
    elsewhere.mkdir()
    (elsewhere / "credential.json").write_text("{}")
    assert said("2026-11-28T02:30") == ""


def test_an_older_stick_does_not_take_the_place_of_a_newer_program(placed: Any, tmp_path: Path) -> None:
    (tmp_path / placed.MARK).write_text('{"version": "0.10.0", "kit": "2026-09-05T01:00:00Z"}')
    there = placed.version(tmp_path)
    assert there == "0.10.0"
    assert placed.is_newer(there, "0.9.1")
    assert not any(placed.is_newer(there, version) for version in ("0.10.0", "0.10.1", "1.0"))
    assert placed.version(tmp_path / "nowhere") == ""
    assert not placed.is_newer("", "0.1.0")
