"""`store status` and `store rewind`: how the store beside the database stands, and writing to it again."""

from datetime import datetime

import msgspec
import pytest

from databases import settings_of
from reports import NOW, RULES, World
from schoolwatch_server import cli
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import SeriesStore, render
from schoolwatch_server.database import journal, store_writer
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.vietnam import VIETNAM

SECTION = SeriesStore("victoriametrics", "http://127.0.0.1:8428")


@pytest.fixture
def data(world: World) -> str:
    """A data folder with two reports, of which its store was told the first."""
    (world.folder / "server.toml").write_text(render(settings_of(world.folder, store=SECTION)))
    (device,) = world.enrol()
    take(world.engine, [device.message(1), device.message(2, at=NOW + 60)], RULES)
    with begin_write(world.engine) as conn:
        held = store_writer.begin(conn, SECTION.place)
        reached = msgspec.structs.replace(held.progress.reached, journal=1)
        done = msgspec.structs.replace(held.progress, reached=reached, settled=reached, written=1)
        assert store_writer.save(conn, held.turn, done)
    return str(world.folder)


def test_it_says_how_the_store_stands(data: str, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["store", "status", "--data", data]) == 0
    said = capsys.readouterr().out
    assert "behind\t1 reports" in said
    assert "whole from\tthe beginning on" in said
    assert "written\t1 points" in said
    with begin_write(world.engine) as conn:
        held = store_writer.load(conn)
        assert held is not None
        store_writer.save(conn, held.turn, msgspec.structs.replace(held.progress, error="ConnectError"))
    assert cli.main(["store", "status", "--data", data]) == FAILED
    assert "error\tConnectError" in capsys.readouterr().out


def test_set_back_it_is_written_again(data: str, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["store", "rewind", "--from", "2026-01-01T07:00", "--data", data]) == 0
    done = capsys.readouterr()
    assert done.out.startswith("2 reports")
    assert done.err == ""
    with begin_write(world.engine) as conn:
        assert (standing := store_writer.standing(conn, NOW)) is not None
        assert standing.reports == 2
        journal.set_pruned_before(conn, NOW)
    assert cli.main(["store", "rewind", "--from", "2026-01-01", "--data", data]) == 0
    assert "have left the journal and can't be written again" in capsys.readouterr().err
    assert cli.main(["store", "status", "--data", data]) == 0
    assert f"whole from\t{datetime.fromtimestamp(NOW, VIETNAM).isoformat()} on" in capsys.readouterr().out


def test_an_instant_that_cannot_be_is_refused(
    data: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["store", "rewind", "--from", "2999-01-01", "--data", data]) == FAILED
    assert "--from lies ahead" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["store", "rewind", "--from", "gestern", "--data", data])
    assert "is no time: write 2026-11-20T07:00" in capsys.readouterr().err
    with begin_read(world.engine) as conn:
        assert (standing := store_writer.standing(conn, NOW)) is not None
    assert standing.reports == 1


def test_without_such_a_store_there_is_nothing_to_say(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["status"], ["rewind", "--from", "2026-01-01"]):
        assert cli.main(["store", *words, "--data", str(world.folder)]) == FAILED
        assert "there is no store of series beside the database" in capsys.readouterr().err
    assert cli.main(["store-writer", "--data", str(world.folder)]) == FAILED
    assert "store.kind" in capsys.readouterr().err
