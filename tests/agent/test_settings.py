"""What the server told the device is kept, and never in the way of measuring."""

from pathlib import Path

import pytest

from schoolwatch_agent import settings
from schoolwatch_agent.identity import IdentityError
from schoolwatch_contract.settings import DEFAULTS, Settings, encode


def test_what_was_said_is_read_in_the_next_cycle(tmp_path: Path) -> None:
    assert settings.read(tmp_path) == DEFAULTS
    assert settings.keep(tmp_path, encode(Settings(measures_use=True)))
    assert settings.read(tmp_path).measures_use
    assert not settings.keep(tmp_path, encode(Settings(measures_use=True))), "it is not news"


def test_nonsense_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings.keep(tmp_path, encode(Settings(measures_use=True)))
    assert not settings.keep(tmp_path, b"{")
    assert "ignored" in caplog.text
    assert settings.read(tmp_path).measures_use


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_bytes(b"\xff")
    assert settings.read(tmp_path) == DEFAULTS


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IdentityError, match="file"):
        settings.keep(tmp_path / "file", encode(Settings(measures_use=True)))
