"""What an installation is asked to be, and what may stand in its way."""

import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from schoolwatch_agent.install.service import Mode, Role

Say = Callable[..., str]
"""Gives a text of texts/install.toml in the person's language."""

_UNSEEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # nosec B108 # noqa: S108  where a program must not be
_STATE: Final = "/var/lib/"


class InstallError(Exception):
    """Why nothing was installed; `key` is its text in texts/install.toml."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    def told(self, say: Say) -> str:
        """The reason and what to do, in the language of the texts."""
        return say(f"error_{self.key}", **self.values)


@dataclass(frozen=True, slots=True)
class Order:
    """How an installation was asked for.

    `root` is the machine's own root or the folder of an image; `program` a folder that a kit filled, or None
    for the Python package that runs now; `url`, `ca`, `token_file`, `room`, `proxy` and `passage` (where a
    gateway lets others pass) are empty when nothing was said.
    """

    root: Path
    program: Path | None
    config: str
    mode: Mode
    role: Role
    account: str
    url: str
    ca: Path | None
    token_file: Path | None
    insecure_http: bool
    room: str = ""
    proxy: str = ""
    passage: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether it is for a machine that doesn't run now."""
        return bool(self.root.name)

    @property
    def command(self) -> tuple[str, ...]:
        """The program's command line up to the agent's own words."""
        if self.program is None:
            return (sys.executable, "-I", "-m", "schoolwatch_agent")
        if sys.platform == "win32":
            return (str(self.program / "python" / "python.exe"), "-I", str(self.program))
        return (sys.executable, "-I", str(self.program))


def settings(asked: Order, ca: str, language: str) -> str:
    """A settings file that says what this installation knows."""
    lines = [
        "## Settings of the SchoolWatch agent; `schoolwatch-agent check-config` says whether they are right."
    ]
    lines += ["", "[agent]", f"language = {_toml(language)}", "", "[server]"]
    lines += [f"{key} = {_toml(value)}" for key, value in _server(asked, ca) if value]
    if asked.passage:
        lines += ["", "[passage]", f"listen = [{', '.join(map(_toml, asked.passage))}]"]
    return "\n".join(lines) + "\n"


def _server(asked: Order, ca: str) -> tuple[tuple[str, str], ...]:
    return (("url", asked.url), ("ca", ca), ("proxy", asked.proxy))


def check_places(command: tuple[str, ...], config: str) -> None:
    """Refuses a program or settings that the service can't see, or that others than root may change."""
    named = [Path(word).absolute() for word in command if word.startswith("/")]
    if "-m" in command:
        named.append(Path(__file__).parents[1])
    for path in (*named, Path(config)):
        for seen in (path, path.resolve()):
            if any(seen.is_relative_to(folder) for folder in _UNSEEN):
                raise InstallError("unseen", path=path)
            for part in (seen, *seen.parents):
                if part.exists() and _others_write(part.stat()):
                    raise InstallError("open", path=part)


def check_data(data: str) -> None:
    """Refuses a data folder that systemd can't hand to a user that exists only while the agent runs."""
    name = data.removeprefix(_STATE)
    if not data.startswith(_STATE) or not name or "/" in name or name in (".", ".."):
        raise InstallError("data_elsewhere", data=data)


def check_rights(root: Path) -> None:
    """Refuses who may not install."""
    if sys.platform == "win32":
        import ctypes

        if not ctypes.windll.shell32.IsUserAnAdmin():
            raise InstallError("not_admin")
    elif not root.name and os.geteuid() != 0:
        raise InstallError("not_root")


def _others_write(state: os.stat_result) -> bool:
    """Whether others than root may; group 50 is `staff`, whom Debian lets write to /usr/local."""
    group = state.st_mode & stat.S_IWGRP and state.st_gid not in (0, 50)
    return bool(state.st_uid != 0 or state.st_mode & stat.S_IWOTH or group)


def _toml(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def beside(config: str, name: str) -> str:
    """The path of another file in the settings file's folder."""
    return str(PurePath(config).with_name(name))
