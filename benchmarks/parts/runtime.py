"""A Python of the agent's own, as a kit carries it: it shares no memory page with other programs' Pythons."""

import compileall
import importlib.util
import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("schoolwatch_agent", "schoolwatch_contract", "msgspec", "paho", "psutil")
_LEFT_OUT = ("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "ensurepip", "config-*")


@dataclass(frozen=True)
class Runtime:
    """Where the interpreter is, and the environment in which it finds the agent's packages alone."""

    python: Path
    environment: dict[str, str]


def private_python(folder: Path) -> Runtime:
    """Copies this interpreter, its standard library and the agent's packages, compiled, into a folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / version
    python.parent.mkdir(parents=True)
    shutil.copy2(Path(getattr(sys, "_base_executable", sys.executable)).resolve(), python)
    skipped = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(sysconfig.get_path("stdlib"), folder / "lib" / version, ignore=skipped)
    packages = folder / "packages"
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.submodule_search_locations is not None
        shutil.copytree(found.submodule_search_locations[0], packages / name, ignore=skipped)
    compileall.compile_dir(packages, quiet=2)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return Runtime(python, kept | {"PYTHONPATH": str(packages), "LC_ALL": "C.UTF-8"})
