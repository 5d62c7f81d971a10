"""Puts the program of a kit in its place on a computer, and takes it away."""

import compileall
import contextlib
import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import placed
from placed import IS_WINDOWS

if TYPE_CHECKING:
    from cai_dat import Words

HERE = Path(__file__).resolve().parent
STICK = HERE.parent
LAUNCHER = "schoolwatch-agent.cmd"
"""In the program's folder on Windows: the agent's commands as a person types them."""

MAIN = """\
import sys
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path[:1] = [str(here / f"lib-{sys.version_info[0]}.{sys.version_info[1]}"), str(here / "lib")]
from schoolwatch_agent.entry import run
run()
"""


def replace(kit: dict[str, Any], wheels: list[str], say: "Words") -> int:
    """Puts the program in the place of an earlier version, which comes back if that fails. The exit code."""
    program, code = placed.program_folder(), 1
    fresh, older = placed.beside(program)
    try:
        recover(program, say)
        unpack(kit, wheels, fresh, program)
        placed.swap(program)
        say("copied", path=program)
        words = [*command(program), "install", *options(kit, say, program)]
        code = subprocess.run(words, check=False).returncode
        if code == 0:
            placed.drop(older)
        elif older.exists():
            recover(program, say)
        else:
            placed.take_away(program)
    except OSError as error:
        say("not_copied", problem=error)
        with contextlib.suppress(OSError):  # what can't be put right now is at the next start
            recover(program, say)
    return code


def recover(program: Path, say: "Words") -> None:
    """Puts right what was broken off, now or at an earlier time. Raises OSError."""
    if placed.recover(program):
        say("recovered")


def uninstall(say: "Words", *, with_data: bool) -> int:
    """Lets the program uninstall itself, then removes what of it was still in use."""
    program = placed.program_folder()
    try:
        recover(program, say)
        if not program.exists():
            return _uninstalled_already(program, say, with_data=with_data)
        code = _uninstall(program, say, with_data=with_data)
    except OSError as error:
        say("not_deleted", problem=error)
        code = 1
    say("not_uninstalled" if code else "uninstalled")
    return code


def _uninstalled_already(program: Path, say: "Words", *, with_data: bool) -> int:
    """Only data may be left, from an earlier uninstallation. Raises OSError."""
    if (placed.settings_folder() / placed.RECORD).exists():  # somebody or an antivirus has deleted it
        say.stop("program_missing", path=program)
    left = placed.left_data()
    if not left:
        say.stop("nothing", path=program)
    if not with_data:
        say.stop("only_data", path=left[0])
    for folder in left:
        placed.delete_data(folder)
        say("data_deleted", path=folder)
    _drop_empty_settings()
    say("uninstalled")
    return 0


def _uninstall(program: Path, say: "Words", *, with_data: bool) -> int:
    """The exit code. Raises OSError."""
    if (placed.settings_folder() / placed.RECORD).exists():
        # the kit's own Python: Windows can't delete a program that runs
        python = [sys.executable, "-I", "-X", "utf8", str(program)]
        words = ["--delete-data"] if with_data else []
        code = subprocess.run([*python, "uninstall", "--lang", say.language, *words], check=False).returncode
        if code != 0:
            return code
    else:  # an installation that was broken off before it had one
        _drop_empty_settings()
    if (program / placed.MARK).exists():
        placed.take_away(program)
    return 0


def _drop_empty_settings() -> None:
    with contextlib.suppress(OSError):  # it is not there, or something of somebody's is in it
        placed.settings_folder().rmdir()


def target() -> str:
    """This machine as the kit names it: `linux-x86_64-3.11`."""
    # not platform.machine(): on Windows that asks WMI, which may hang
    system, _, machine = sysconfig.get_platform().partition("-")
    names = {"win": "windows", "amd64": "x86_64", "arm64": "aarch64"}
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{names.get(system, system)}-{names.get(machine, machine)}-{python}"


def wheels_for(kit: dict[str, Any], say: "Words") -> list[str]:
    """The wheels for this machine and this Python."""
    wheels: dict[str, list[str]] = kit["wheels"]
    if sys.maxsize < 2**32:
        say.stop("only_64_bit")
    if target() not in wheels:
        say.stop("no_wheels", target=target(), known=", ".join(sorted(wheels)))
    return wheels[target()]


def unpack(kit: dict[str, Any], wheels: list[str], folder: Path, program: Path) -> None:
    """Fills the folder that will be the program's. Raises OSError.

    Wheels are zip files of what Python imports; what another Python can't use lies apart: after an upgrade of
    the system to another Python, the same program goes on with that one's wheels.
    """
    system = target().rpartition("-")[0]
    every = {
        name.rpartition("-")[2]: set(files)
        for name, files in kit["wheels"].items()
        if name.startswith(f"{system}-")
    }
    common = set.intersection(*every.values())
    for version, files in every.items():
        for file in sorted(files):
            where = folder / ("lib" if file in common else f"lib-{version}")
            if file in wheels or file not in common:
                with zipfile.ZipFile(HERE / "wheels" / file) as wheel:
                    wheel.extractall(where)
    if IS_WINDOWS:
        # copyfile: without the attributes that a stick gives its files, such as read-only
        shutil.copytree(HERE / "python-windows", folder / "python", copy_function=shutil.copyfile)
        shutil.copyfile(
            HERE / LAUNCHER, folder / LAUNCHER
        )  # Linux has one in /usr/local/bin, made by `install`
    (folder / "__main__.py").write_text(MAIN)
    # the service can't write here, and must not compile each time
    compileall.compile_dir(folder, quiet=2, stripdir=folder, prependdir=program)
    placed.finish(folder, json.dumps({"version": kit["version"], "kit": kit["made"]}))


def command(program: Path) -> list[str]:
    """The installed program's own command line."""
    python = str(program / "python" / "python.exe") if IS_WINDOWS else sys.executable
    return [python, "-I", "-X", "utf8", str(program)]


def typed(program: Path) -> str:
    """What a person types to call the installed program."""
    return f'"{program / LAUNCHER}"' if IS_WINDOWS else "sudo schoolwatch-agent"


def options(kit: dict[str, Any], say: "Words", program: Path) -> list[str]:
    """What the program is told: the server, its authority, and the file with the token."""
    words = ["--program", str(program), "--url", kit["url"], "--lang", say.language]
    words += ["--token-file", str(STICK / kit["token_file"])]
    if kit.get("proxy"):
        words += ["--proxy", kit["proxy"]]
    if kit["ca"]:
        words += ["--ca", str(HERE / kit["ca"])]
    return [*words, "--insecure-http"] if kit["insecure_http"] else words
