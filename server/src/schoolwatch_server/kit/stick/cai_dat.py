"""Runs on the computer that a kit is plugged into: checks the kit, puts the agent in place, or takes it away.

It is alone with Python's own library there, and reaches no network itself.
"""

import argparse
import compileall
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
STICK = HERE.parent
IS_WINDOWS = sys.platform == "win32"
SUMS = "SHA256SUMS"
TASK = "SchoolWatch Agent"
MARK = "program.json"
"""In the program's folder: says to `uninstall` that the whole folder is ours."""

MAIN = """\
import sys
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path[:1] = [str(here / f"lib-{sys.version_info[0]}.{sys.version_info[1]}"), str(here / "lib")]
from schoolwatch_agent.entry import run
run()
"""


def main() -> int:
    """Installs or uninstalls; the exit code is 0 only when all is well."""
    os.umask(0o022)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console may lack letters
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("install", "uninstall"))
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument("--delete-data", action="store_true")
    arguments = parser.parse_args()
    say = Words(arguments.lang)
    if arguments.action == "uninstall":
        return uninstall(say, with_data=arguments.delete_data)
    return install(say)


class Words:
    """The texts of words.toml in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = tomllib.loads((HERE / "words.toml").read_text("utf-8"))

    def __call__(self, key: str, **values: object) -> None:
        """Prints one line."""
        print(self._texts[key][self.language].format(**values), flush=True)

    def stop(self, key: str, **values: object) -> NoReturn:
        """Prints one line and ends."""
        self(key, **values)
        sys.exit(2)


def install(say: Words) -> int:
    """Checks the kit, copies the program, and lets the program install itself."""
    started = time.monotonic()
    damaged = list(broken_files())
    for problem, name in damaged:
        say(problem, name=name)
    if damaged:
        say.stop("broken")
    kit = json.loads((HERE / "kit.json").read_text("utf-8"))
    wheels = wheels_for(kit, say)
    say("checked")
    code = replace(kit, wheels, say)
    if code != 0:
        say("not_installed")
        return code
    say("installed", seconds=round(time.monotonic() - started))
    return 0


def replace(kit: dict[str, Any], wheels: list[str], say: Words) -> int:
    """Puts the program in the place of an earlier version, which comes back if that fails. The exit code."""
    program, older, code = program_folder(), program_folder().with_name(f"{program_folder().name}.old"), 1
    is_fresh = False
    try:
        if program.exists():
            set_aside(program, older)
        is_fresh = True
        unpack(kit, wheels, program)
        say("copied", path=program)
        words = [*command(program), "install", *options(kit, say, program)]
        code = subprocess.run(words, check=False).returncode
    except OSError as error:
        say("not_copied", problem=error)
    if code == 0:
        shutil.rmtree(older, ignore_errors=True)
    elif is_fresh:
        shutil.rmtree(program, ignore_errors=True)
        if older.exists():
            older.rename(program)
    return code


def set_aside(program: Path, older: Path) -> None:
    """Moves an earlier version out of the way. Raises OSError."""
    if IS_WINDOWS:  # which can't move a program that runs
        subprocess.run(["schtasks.exe", "/End", "/TN", TASK], check=False, capture_output=True)
    shutil.rmtree(older, ignore_errors=True)
    program.rename(older)


def uninstall(say: Words, *, with_data: bool) -> int:
    """Lets the program uninstall itself, then removes what of it was still in use."""
    program = program_folder()
    if not (program / "__main__.py").exists():
        say.stop("nothing", path=program)
    # the kit's own Python: Windows can't delete a program that runs
    python = [sys.executable, "-I", "-X", "utf8", str(program)]
    words = ["--delete-data"] if with_data else []
    code = subprocess.run([*python, "uninstall", "--lang", say.language, *words], check=False).returncode
    if code != 0:
        say("not_uninstalled")
        return code
    if (program / MARK).exists():
        shutil.rmtree(program)
    say("uninstalled")
    return 0


def broken_files() -> Iterator[tuple[str, str]]:
    """Files of the kit that are not as they were made: (`missing` or `changed`, name)."""
    for line in (HERE / SUMS).read_text("utf-8").splitlines():
        expected, name = line.split("  ", 1)
        try:
            with (STICK / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield "missing", name
        except OSError:
            yield "changed", name
        else:
            if found != expected:
                yield "changed", name


def target() -> str:
    """This machine as the kit names it: `linux-x86_64-3.11`."""
    # not platform.machine(): on Windows that asks WMI, which may hang
    system, _, machine = sysconfig.get_platform().partition("-")
    names = {"win": "windows", "amd64": "x86_64", "arm64": "aarch64"}
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{names.get(system, system)}-{names.get(machine, machine)}-{python}"


def wheels_for(kit: dict[str, Any], say: Words) -> list[str]:
    """The wheels for this machine and this Python."""
    wheels: dict[str, list[str]] = kit["wheels"]
    if sys.maxsize < 2**32:
        say.stop("only_64_bit")
    if target() not in wheels:
        say.stop("no_wheels", target=target(), known=", ".join(sorted(wheels)))
    return wheels[target()]


def program_folder() -> Path:
    """Where the program goes: only administrators may write there."""
    if IS_WINDOWS:
        return Path(os.environ.get("ProgramFiles", r"C:\Program Files")) / "SchoolWatch"  # noqa: SIM112  its real spelling
    return Path("/opt/schoolwatch-agent")


def unpack(kit: dict[str, Any], wheels: list[str], program: Path) -> None:
    """Wheels are zip files of what Python imports; what another Python can't use lies apart. Raises OSError.

    After an upgrade of the system to another Python, the same program goes on with that one's wheels.
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
            where = program / ("lib" if file in common else f"lib-{version}")
            if file in wheels or file not in common:
                with zipfile.ZipFile(HERE / "wheels" / file) as wheel:
                    wheel.extractall(where)
    if IS_WINDOWS:
        # copyfile: without the attributes that a stick gives its files, such as read-only
        shutil.copytree(HERE / "python-windows", program / "python", copy_function=shutil.copyfile)
    (program / "__main__.py").write_text(MAIN)
    (program / MARK).write_text(json.dumps({"version": kit["version"], "kit": kit["made"]}))
    compileall.compile_dir(program, quiet=2)  # the service can't write here, and must not compile each time


def command(program: Path) -> list[str]:
    """The installed program's own command line."""
    python = str(program / "python" / "python.exe") if IS_WINDOWS else sys.executable
    return [python, "-I", "-X", "utf8", str(program)]


def options(kit: dict[str, Any], say: Words, program: Path) -> list[str]:
    """What the program is told: the server, its authority, and the file with the token."""
    words = ["--program", str(program), "--url", kit["url"], "--lang", say.language]
    words += ["--token-file", str(STICK / kit["token_file"])]
    if kit["ca"]:
        words += ["--ca", str(HERE / kit["ca"])]
    return [*words, "--insecure-http"] if kit["insecure_http"] else words


if __name__ == "__main__":
    sys.exit(main())
