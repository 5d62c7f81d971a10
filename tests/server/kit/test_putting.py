"""What the installer of a kit makes on Windows, as far as a folder shows it. Nothing here ran on Windows."""

import importlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from schoolwatch_server.kit import build


@pytest.fixture
def putting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The installer on a stick with a stand-in for Windows' Python, on a computer that says it is Windows."""
    inside = tmp_path / "stick" / build.INSIDE
    (inside / "wheels").mkdir(parents=True)
    (inside / "python-windows").mkdir()
    (inside / "python-windows/python.exe").write_bytes(b"MZ")
    build._copy_stick(tmp_path / "stick", inside)
    with zipfile.ZipFile(inside / "wheels/agent.whl", "w") as wheel:
        wheel.writestr("schoolwatch_agent/__init__.py", "")
    monkeypatch.syspath_prepend(build.STICK)
    module = importlib.import_module("putting")
    for module_name in ("putting", "placed"):
        monkeypatch.setattr(importlib.import_module(module_name), "IS_WINDOWS", True)
    monkeypatch.setattr(module, "HERE", inside)
    monkeypatch.setattr(module, "target", lambda: "windows-x86_64-3.13")
    return module


def test_the_program_on_windows_has_its_python_and_a_command(putting: Any, tmp_path: Path) -> None:
    kit = {"version": "1", "made": "now", "wheels": {"windows-x86_64-3.13": ["agent.whl"]}}
    folder, program = tmp_path / "SchoolWatch.new", tmp_path / "SchoolWatch"
    putting.unpack(kit, ["agent.whl"], folder, program)
    assert {path.name for path in folder.iterdir()} == {
        *("__main__.py", "__pycache__", "lib", "program.json", "python", "schoolwatch-agent.cmd")
    }
    shutil.move(folder, program)
    command = (program / "schoolwatch-agent.cmd").read_bytes()
    assert command.count(b"\r\n") == command.count(b"\n") > 3
    assert (program / "python/python.exe").exists()
    assert putting.typed(program) == f'"{program}/schoolwatch-agent.cmd"'


@pytest.mark.parametrize(
    ("files", "deleted"),
    [(("install_id", "lock"), True), (("lock",), True), (("theirs",), False), ((), False)],
)
def test_data_that_an_uninstallation_has_kept_is_deleted_afterwards_also_of_a_master_image(
    putting: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...], deleted: bool
) -> None:
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    monkeypatch.setenv("ProgramFiles", str(tmp_path / "programs"))
    data = tmp_path / "SchoolWatch" / "agent"
    data.mkdir(parents=True)
    for name in files:
        (data / name).write_text("")
    said: list[str] = []

    class Says:
        def __call__(self, key: str, **_: object) -> None:
            said.append(key)

        def stop(self, key: str, **_: object) -> None:
            said.append(key)
            raise SystemExit(2)

    if deleted:
        assert putting.uninstall(Says(), with_data=True) == 0
    else:
        with pytest.raises(SystemExit):
            putting.uninstall(Says(), with_data=True)
    assert data.exists() is not deleted
    assert said[0] == ("data_deleted" if deleted else "nothing")


def test_the_command_passes_words_and_exit_code() -> None:
    """A backslash before the closing quote would be taken into the word by the program that is started."""
    lines = (build.STICK / "schoolwatch-agent.cmd").read_text("ascii").splitlines()
    assert lines[-2] == r'"%~dp0python\python.exe" -I -X utf8 "%~dp0." %*'
    assert lines[-1] == "exit /b %ERRORLEVEL%"
