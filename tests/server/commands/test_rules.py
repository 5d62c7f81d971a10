"""`rules`: what judges, and whether a file would be taken."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reports import World
from schoolwatch_server import cli, rule_versions
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.rules.load import SHIPPED

Call = Callable[..., tuple[int, str, str]]
TEXT = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")


@pytest.fixture
def call(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> Call:
    assert world

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["rules", *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_what_judges_and_what_waits_is_listed(call: Call, tmp_path: Path, world: World) -> None:
    (tmp_path / "rules").mkdir()
    own = TEXT.replace("id: antivirus_off", "id: own_one") + "enabled: false\n"
    (tmp_path / "rules" / "own.yaml").write_text(own, encoding="utf-8")
    rule_versions.save(
        world.engine, tmp_path / "rules", [], TEXT, None, base=1000, reason="thử", by="so", now=time.time()
    )
    code, out, _ = call("list")
    assert code == 0
    assert "antivirus_off@1\ton\thigh\tshipped\t" in out
    assert f"own_one@1\toff\thigh\t{tmp_path / 'rules' / 'own.yaml'}\t" in out
    assert "antivirus_off@1001\twaits for 20" in out


def test_a_file_is_checked_as_the_server_reads_it(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(TEXT, encoding="utf-8")
    code, out, _ = call("check", str(file))
    assert (code, out) == (0, f"{file}: is right: antivirus_off@1\n")
    file.write_text(TEXT.replace("severity: high", "severity: dire"), encoding="utf-8")
    code, _, err = call("check", str(file))
    assert code == FAILED
    assert "severity" in err
    assert call("check", str(tmp_path / "none.yaml"))[0] == FAILED
