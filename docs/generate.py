# ruff: noqa: INP001  a script, not a package
"""Writes every generated page of docs/ from the code, or with --check says which of them are stale.

A page is one function that gives its text, and one line in `PAGES`.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # also when it is run as `python docs/generate.py` from anywhere else

from generators import (  # noqa: E402
    asyncapi,
    catalogue,
    commands,
    configuration,
    dashboards,
    ladder,
    law,
    privacy,
    refusals,
    rules,
    schemas,
)

PAGES: dict[str, Callable[[], str]] = {
    "metrics.md": catalogue.page,
    "privacy.md": privacy.page,
    "refusals.md": refusals.page,
    "configuration.md": configuration.page,
    "cli.md": commands.page,
    "rules.md": rules.page,
    "vi/quy-tac.md": rules.vietnamese,
    "vi/ipv6.md": ladder.page,
    "vi/ho-so-cap-do-3.md": law.level3,
    "vi/thong-bao-du-lieu.md": law.notice,
    "vi/ho-so-xu-ly-du-lieu.md": law.record,
    "schema/envelope.json": schemas.envelope,
    "schema/ack.json": schemas.ack,
    "schema/settings.json": schemas.settings,
    "schema/incident-form.json": schemas.incident_form,
    "asyncapi.yaml": asyncapi.document,
    **{f"../{path}": (lambda text=text: text) for path, text in dashboards.documents().items()},
}
"""File under docs/ to the function that gives its text."""


def stale(folder: Path) -> list[str]:
    """The pages of a folder that are missing or not what the code says today."""
    return [name for name, text in PAGES.items() if _read(folder / name) != text()]


def write(folder: Path) -> None:
    """Writes every page below a folder."""
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Exit code 1 when a page was stale under --check."""
    parser = argparse.ArgumentParser(prog="docs/generate.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name what is stale")
    if not parser.parse_args(arguments).check:
        write(FOLDER)
        return 0
    found = stale(FOLDER)
    for name in found:
        sys.stderr.write(f"docs/{name} is stale: run .venv/bin/python docs/generate.py\n")
    return 1 if found else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
