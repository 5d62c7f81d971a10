"""`line`: the device that tests a school's line, chosen and taken back on the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports import World
from schoolwatch_server import cli
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.database import audit as audit_log
from schoolwatch_server.database import registry, told
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["line", *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def tester(world: World) -> int | None:
    with begin_read(world.engine) as conn:
        return told.line_tester(conn, world.school)


def test_a_device_is_chosen_by_id_beginning_or_label_and_is_told(world: World, call: Call) -> None:
    first, second = world.enrol(2)
    for device, wanted in ((first, first.device), (second, second.device[:12].upper()), (first, "máy 0")):
        code, out, _ = call("choose", "S", wanted)
        assert (code, tester(world)) == (0, device.id)
        assert out.startswith(device.device)
        with begin_read(world.engine) as conn:
            due = {row.device for row in told.due(conn, 10) if row.tests_line}
        assert due == {device.device}, "it is to hear of it"
    assert call("list")[1] == f"S  speed not declared  {first.device} (máy 0)\n"
    assert call("clear", "S")[:2] == (0, "now nobody tests the line of S\n")
    assert call("clear", "S")[:2] == (0, "already nobody tests the line of S\n")
    assert call("list")[1] == "S  speed not declared  nobody tests its line\n"
    with begin_read(world.engine) as conn:
        audit = [(row.actor, row.action, row.subject) for row in audit_log.newest(conn, 9)]
    assert audit == [("command line", "line.tester", "S")] * 4


def test_without_an_address_in_the_settings_it_says_that_nothing_is_tested(
    world: World, call: Call, tmp_path: Path
) -> None:
    (device,) = world.enrol()
    assert "[bandwidth] url" in call("choose", "S", device.device)[1]
    (tmp_path / "server.toml").write_text('[bandwidth]\nurl = "https://so.example"\n', encoding="utf-8")
    assert "[bandwidth]" not in call("choose", "S", device.device)[1]


def test_what_cannot_be_chosen_is_refused_in_one_line_that_says_what_can(world: World, call: Call) -> None:
    assert "has no device yet" in refused(call, "choose", "S", "máy 0")
    devices = world.enrol(10)
    assert "no school with the code 'T'" in refused(call, "choose", "T", devices[0].device)
    assert "no school with the code 'T'" in refused(call, "clear", "T")
    said = refused(call, "choose", "S", "máy 77")
    assert "'máy 77' is no device of school S" in said
    assert sum(device.device in said for device in devices) == 8
    assert "and others" in said
    assert "is no device" in refused(call, "choose", "S", "")
    with begin_write(world.engine) as conn:
        registry.set_device(conn, devices[1].id, label="máy 0", role=None, broken=False)
        (commune,) = registry.communes(conn, EVERYTHING)
        other = registry.create_school(conn, commune.id, "O", "Trường khác", "TH", 1.0)
        stranger = registry.create_device(conn, other, None, "máy lạ", 1.0)
    assert "fits 2 devices" in refused(call, "choose", "S", "máy 0")
    assert "is no device of school S" in refused(call, "choose", "S", stranger.device)
    assert tester(world) is None


def refused(call: Call, *words: str) -> str:
    code, out, said = call(*words)
    assert (code, out, said.count("\n")) == (FAILED, "", 1)
    return said
