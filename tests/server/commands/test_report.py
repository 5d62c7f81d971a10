"""`report`: freezes, lists and verifies on the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from databases import drop_trigger
from reports import World
from schoolwatch_server import cli
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.database import reports
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["report", *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_report_is_frozen_listed_and_verified_by_its_digest_or_its_file(
    world: World, call: Call, tmp_path: Path
) -> None:
    code, out, _ = call("freeze", "school", "S", "year")
    digest = out.strip()
    assert (code, len(digest)) == (0, 64)
    assert call("freeze", "school", "S", "year")[0] == FAILED, "once more needs a reason"
    assert call("freeze", "commune", "C", "year", "--period", "1999")[0] == FAILED
    assert call("list", "--code", "S")[1].startswith(f"{digest} year ")
    assert call("list", "--code", "T")[1] == ""
    assert call("verify")[:2] == (0, "1 of 1 reports are what was frozen\n")
    assert call("verify", digest.upper())[1].startswith(f"{digest}: kept, year ")
    file = tmp_path / "report.json"
    with begin_read(world.engine) as conn:
        file.write_bytes(reports.body(conn, 1))
    assert call("verify", str(file))[0] == 0
    file.write_bytes(file.read_bytes() + b" ")
    code, _, err = call("verify", str(file))
    assert (code, "no report" in err) == (FAILED, True)
    assert "no file" in call("verify", str(tmp_path / "nothing"))[2]
    with begin_write(world.engine) as conn:
        drop_trigger(conn, "report_no_change", "report")
        conn.execute(update(t.report).values(body=b"x"))
    code, out, err = call("verify")
    assert (code, out) == (FAILED, "0 of 1 reports are what was frozen\n")
    assert "restore a backup" in err
