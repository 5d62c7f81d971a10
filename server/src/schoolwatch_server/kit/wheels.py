"""The wheels of a kit: our own two, and what they need for each machine and Python, checked by hash."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from schoolwatch_server.child import run_once

OWN: Final = ("schoolwatch-contract", "schoolwatch-agent")
LOCK: Final = "agent.txt"
"""The agent's locked requirements: in the source's requirements/, or in the folder of wheels."""

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""Debian 12 and 13, Ubuntu 24.04 and later."""

_PLATFORMS: Final = {
    "linux-x86_64": ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
    "linux-aarch64": ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
    "windows-x86_64": ("win_amd64",),
}
_PATIENCE: Final = 300.0


class KitError(ValueError):
    """The kit can't be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of machine with one version of Python."""

    machine: str
    python: str

    def __str__(self) -> str:
        return f"{self.machine}-{self.python}"


def targets(*, windows_python: str, arm: bool) -> tuple[Target, ...]:
    """What a kit serves: Linux always; Windows with the Python that the kit carries ("" for none)."""
    machines = ("linux-x86_64", *(["linux-aarch64"] if arm else []))
    found = [Target(machine, python) for machine in machines for python in PYTHONS]
    return (*found, *([Target("windows-x86_64", windows_python)] if windows_python else []))


def collect(
    wanted: tuple[Target, ...], into: Path, *, given: Path | None, kept: Path
) -> dict[str, list[str]]:
    """Fills the folder `into` with wheels; says for each target which are its own. Raises `KitError`.

    They come from the folder `given`, and then from nowhere else; without it from the folder `kept` of what
    was got before, or from the package index that pip is set to. Each is checked against the locked hashes.
    """
    lock = _lock(given)
    own = _own_wheels(into, given)
    found = {}
    for target in wanted:
        with tempfile.TemporaryDirectory() as folder:
            _download(target, lock, Path(folder), given=given, kept=kept)
            names = sorted(path.name for path in Path(folder).glob("*.whl"))
            for name in names:
                shutil.copyfile(Path(folder) / name, into / name)
        found[str(target)] = sorted([*own, *names])
    return found


def _download(target: Target, lock: Path, folder: Path, *, given: Path | None, kept: Path) -> None:
    platforms = [word for name in _PLATFORMS[target.machine] for word in ("--platform", name)]
    pip = (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(lock)),
        *(*platforms, "--implementation", "cp", "--python-version", target.python, "--dest", str(folder)),
    )
    if given is not None:
        _run((*pip, "--no-index", "--find-links", str(given)), f"{given} lacks wheels for {target}")
        return
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    code, _ = run_once((*pip, "--no-index", "--find-links", str(kept)), text="", seconds=_PATIENCE)
    if code != 0:
        _run(pip, f"wheels for {target} could not be got; without a network give a folder with --wheels")
        for path in folder.glob("*.whl"):
            shutil.copyfile(path, kept / path.name)


def _own_wheels(into: Path, given: Path | None) -> list[str]:
    names = []
    for package in OWN:
        source = _source(package)
        if source is not None:
            uv = Path(sys.executable).with_name("uv")
            build = (str(uv), "build", "--quiet", "--offline", "--wheel", "--out-dir", str(into), str(source))
            _run(build, f"the wheel of {package} could not be built")
        name = _newest(into if source is not None else given, package)
        if source is None and given is not None:
            shutil.copyfile(given / name, into / name)
        names.append(name)
    (into / ".gitignore").unlink(missing_ok=True)  # uv puts it there
    return names


def _newest(folder: Path | None, package: str) -> str:
    pattern = f"{package.replace('-', '_')}-{metadata.version(package)}-*.whl"
    for path in sorted(folder.glob(pattern) if folder is not None else ()):
        return path.name
    raise KitError(
        f"this server does not run from its source: put {pattern} into a folder, and name it with --wheels"
    )


def _lock(given: Path | None) -> Path:
    source = _source(OWN[1])
    for path in _places(source, given):
        if path.is_file():
            return path
    raise KitError(f"put requirements/{LOCK} of the source beside the wheels that --wheels names")


def _places(source: Path | None, given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given / LOCK
    if source is not None:
        yield source.parent / "requirements" / LOCK


def _source(package: str) -> Path | None:
    """The folder that a package was installed from as it stands (PEP 610), if it was."""
    try:
        said = metadata.distribution(package).read_text("direct_url.json")
    except metadata.PackageNotFoundError as error:
        raise KitError(f"{package} is not installed beside this server") from error
    origin = json.loads(said) if said else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


def _run(command: tuple[str, ...], failure: str) -> None:
    code, said = run_once(command, text="", seconds=_PATIENCE)
    if code != 0:
        raise KitError(f"{failure}: {' '.join(said.split())[-300:]}")
