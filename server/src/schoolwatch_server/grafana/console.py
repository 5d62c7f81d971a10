"""Dashboards with the address of the console that they lead back to."""

import json
from pathlib import Path
from typing import Any, Final

from schoolwatch_server.grafana.spec import CONSOLE, Dashboard, Dialect
from schoolwatch_server.texts import Language

FOLDER: Final = Path(__file__).with_name("json")


def model(one: Dashboard, dialect: Dialect, language: Language, console: str) -> dict[str, Any]:
    """A committed dashboard; `console` is how people reach this server, without a slash at its end."""
    path = FOLDER / dialect / language / f"{one.uid}.json"
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for variable in made["templating"]["list"]:
        if variable["name"] == CONSOLE:
            variable["query"] = console
            variable["current"] = {"selected": True, "text": console, "value": console}
    return made


def text(one: Dashboard, dialect: Dialect, language: Language, console: str) -> str:
    """The same as a file."""
    made = model(one, dialect, language, console)
    return json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
