"""`pack`: what holds, what it says, and whether a file would be taken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports import World
from schoolwatch_server import cli
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.database import packs as versions
from schoolwatch_server.database.engine import begin_read

Call = Callable[..., tuple[int, str, str]]
PLAN = "kind: plan\nid: so\nvi: Kế hoạch\nissuer: Sở\nitems:\n- {id: a, vi: A, clause: I, confidence: P}\n"


@pytest.fixture
def call(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> Call:
    assert world

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["pack", *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_what_holds_is_listed_and_shown(call: Call, tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "own.yaml").write_text(PLAN + "version: 4\n", encoding="utf-8")
    code, out, _ = call("list")
    assert code == 0
    assert "qd4725@1\tcriteria\tshipped\t" in out
    assert f"so@4\tplan\t{tmp_path / 'packs' / 'own.yaml'}\tKế hoạch" in out
    assert "ninh_binh_2025@1\texample, in force nowhere" in out
    assert call("show", "so")[1].startswith("kind: plan\n")
    assert call("show", "qd3276@1")[1].startswith("# Only number, day and title")
    assert call("show", "nothing")[0] == FAILED


def test_a_file_is_checked_and_nothing_is_saved(call: Call, tmp_path: Path, world: World) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(PLAN, encoding="utf-8")
    assert call("check", str(file)) == (0, f"{file}: is right; saved today it would be so@1\n", "")
    file.write_text(PLAN.replace("confidence: P", "confidence: sure"), encoding="utf-8")
    code, _, told = call("check", str(file))
    assert code == FAILED
    assert f"{file}: $.items[0].confidence: Invalid enum value 'sure'" in told
    file.write_text(PLAN.replace("confidence: P", "confidence: P, indicator: nothing"), encoding="utf-8")
    assert "nothing" in call("check", str(file))[2]
    with begin_read(world.engine) as conn:
        assert versions.stored(conn) == ()
