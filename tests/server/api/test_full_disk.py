"""A disk that is really full: a server that takes nothing in says so wherever it is asked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import make_database
from schoolwatch_server import disk
from schoolwatch_server.config import ServerConfig
from website import RunningSite

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root to mount a small disk")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(file: Path) -> None:
    said = subprocess.run(
        ["dd", "if=/dev/zero", f"of={file}", "bs=64K", "count=1000"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "No space left" in said


@needs_root
@pytest.mark.database("sqlite")  # it lies on that disk
def test_a_server_on_a_full_disk_is_not_ready_and_says_why(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_KEPT", 0.0)
    make_database(small)
    with RunningSite(ServerConfig(data=str(small))) as site:
        client, asks = site.anyone(), site.ask()
        page = site.somebody("so_admin", language="en")
        assert client.get("/readyz").status_code == 200
        assert "disk is full" not in page.get("/system").text
        _fill(small / "film.mp4")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "disk is full" in answer.json()["detail"]
        assert str(small) not in answer.text  # anybody may ask
        assert "schoolwatch_disk_writable 0" in asks.get("/metrics").text
        assert "The disk is full" in page.get("/system").text
        (small / "film.mp4").unlink()
        assert client.get("/readyz").status_code == 200
        assert "schoolwatch_disk_writable 1" in asks.get("/metrics").text


def test_a_quota_is_a_full_disk_too(tmp_path: Path) -> None:
    """The system names gigabytes that are free, and takes none of them."""
    program = (
        "import resource, sys; from pathlib import Path; from schoolwatch_server import disk;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
        "print(disk.look(Path(sys.argv[1])).refusal)"
    )
    argv = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() == "full"
    assert disk.look(tmp_path).refusal == ""
    assert disk.look(tmp_path / "gone").refusal == "broken"
