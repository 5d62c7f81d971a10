"""How this program is called, so that it can be called again."""

import sys
from pathlib import Path
from typing import Final

MARK: Final = "program.json"
"""In a folder that holds a whole program: a kit put it there, and it goes with the agent."""


def command() -> tuple[str, ...]:
    """The command line up to the agent's own words: of a kit's folder, or of the Python package."""
    for folder in Path(__file__).resolve().parents[1:3]:  # lib/schoolwatch_agent/program.py in the folder
        if (folder / MARK).is_file():
            return (sys.executable, "-I", str(folder))
    # -P: the folder that somebody happens to be in holds no program of ours
    return (sys.executable, "-P", "-m", "schoolwatch_agent")


def module(name: str) -> tuple[str, ...]:
    """The command line that runs a module of ours in a child process; its words follow."""
    if command()[1] == "-P":
        return (sys.executable, "-P", "-m", name)
    begin = f"import runpy, sys; sys.path[:] = {sys.path!r}"  # a kit's folder: what its __main__ found
    run = f"runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"
    return (sys.executable, "-I", "-c", f"{begin}; {run}")
