"""A small server behind each broker, and a disk that can be filled up and made read-only."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokers import RunningBroker
from station import SmallServer

DISK_BYTES = 20 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 20 MB (tmpfs); mounting one needs root."""
    if os.geteuid() != 0:
        pytest.skip("not run: mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "schoolwatch-test", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def server(broker: RunningBroker) -> Iterator[SmallServer]:
    server = SmallServer(broker)
    yield server
    server.stop()


@pytest.fixture
def mosquitto_server(mosquitto: RunningBroker) -> Iterator[SmallServer]:
    server = SmallServer(mosquitto)
    yield server
    server.stop()
