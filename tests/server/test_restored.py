"""`migrate --restored` begins a new epoch, so that agents send again what an older copy lacks."""

from pathlib import Path

import pytest

from schoolwatch_server.cli import main
from schoolwatch_server.config import of_data
from schoolwatch_server.database.engine import begin_read, epoch, open_database


def epoch_of(data: Path) -> str:
    engine = open_database(of_data(data).database_url)
    try:
        with begin_read(engine) as conn:
            return epoch(conn)
    finally:
        engine.dispose()


def test_only_a_restored_database_begins_a_new_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(["migrate", "--data", str(data)]) == 0
    first = epoch_of(data)
    assert main(["migrate", "--data", str(data)]) == 0
    assert epoch_of(data) == first
    assert main(["migrate", "--restored", "--data", str(data)]) == 0
    assert epoch_of(data) != first
    assert epoch_of(data) in capsys.readouterr().out
