"""Runs on the computer that a kit is plugged into: checks the kit, puts the agent in place, or takes it away.

It is alone with Python's own library there, and reaches no network itself. What lies beside it is imported
only when it has been found to be whole.
"""

import argparse
import hashlib
import io
import json
import os
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
STICK = HERE.parent
SUMS = "SHA256SUMS"


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
    parser.add_argument("--ignore-clock", action="store_true")
    parser.add_argument("--older", action="store_true")
    arguments = parser.parse_args()
    say = Words(arguments.lang)
    sys.path.insert(0, str(HERE))  # -I leaves it out
    if arguments.action == "uninstall":
        import putting

        return int(putting.uninstall(say, with_data=arguments.delete_data))
    return install(say, ignore_clock=arguments.ignore_clock, older=arguments.older)


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


def install(say: Words, *, ignore_clock: bool, older: bool) -> int:
    """Checks the kit, copies the program, and lets the program install itself."""
    started = time.monotonic()
    damaged = list(broken_files())
    for problem, name in damaged:
        say(problem, name=name)
    if damaged:
        say.stop("broken")
    import placed
    import putting
    import term

    kit = json.loads((HERE / "kit.json").read_text("utf-8"))
    wheels = putting.wheels_for(kit, say)
    say("checked")
    there = placed.version(placed.program_folder())
    if placed.is_newer(there, kit["version"]) and not older:
        say.stop("newer_is_there", there=there, version=kit["version"])
    now = datetime.now(UTC)
    term.check(kit, say, now, ignore_clock=ignore_clock)
    code = int(putting.replace(kit, wheels, say))
    if code != 0:
        say("not_installed")
        return code
    term.remind(kit, say, now)
    say("installed", seconds=round(time.monotonic() - started))
    say("check", command=putting.typed(placed.program_folder()))
    return 0


def broken_files() -> Iterator[tuple[str, str]]:
    """Files of the kit that are not as they were made: (`missing` or `changed`, name)."""
    try:
        lines = (HERE / SUMS).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    if not lines:
        yield "missing", f"{HERE.name}/{SUMS}"
    for line in lines:
        expected, _, name = line.partition("  ")
        try:
            with (STICK / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield "missing", name
        except (OSError, ValueError):  # a name with a NUL in it
            yield "changed", name
        else:
            if found != expected:
                yield "changed", name


if __name__ == "__main__":
    sys.exit(main())
