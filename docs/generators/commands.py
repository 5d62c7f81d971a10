"""docs/cli.md: the help of the two commands and of everything below them."""

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence

import schoolwatch_agent.cli
import schoolwatch_server.cli
from generators.markdown import fenced
from generators.markdown import page as whole

Main = Callable[[Sequence[str]], int]
_ENGLISH = {"COLUMNS": "100", "LC_ALL": "en_US.UTF-8"}


def page() -> str:
    """`--help` of each command and subcommand."""
    return whole(
        "Commands",
        "`./schoolwatch agent …` and `./schoolwatch server …` run them in the environment that it makes.",
        *_program("schoolwatch-agent", schoolwatch_agent.cli.main),
        *_program("schoolwatch-server", schoolwatch_server.cli.main),
    )


def _program(name: str, main: Main, *command: str) -> Iterator[str]:
    text = _help(main, *command)
    yield f"{'#' * (2 + len(command))} {' '.join((name, *command))}"
    yield fenced(text)
    for below in re.findall(r"^    ([a-z][a-z-]*)(?:\s{2,}|$)", text, re.MULTILINE):
        yield from _program(name, main, *command, below)


def _help(main: Main, *command: str) -> str:
    """What `--help` prints on a terminal of 100 columns in English."""
    out = io.StringIO()
    with (
        _environment(_ENGLISH),
        contextlib.redirect_stdout(out),
        contextlib.suppress(SystemExit),  # argparse ends the program after its help
    ):
        main([*command, "--help"])
    return out.getvalue()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
