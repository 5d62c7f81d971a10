"""Where a row or a line leads to: the dashboard of the place that it is of, and back to the console."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from schoolwatch_server.grafana.spec import CONSOLE, SOURCE, SUFFIX, Dashboard
from schoolwatch_server.store.names import NAMED
from schoolwatch_server.texts import Language

LEADS: Final[Mapping[str, tuple[str, str]]] = {
    "commune_name": ("schoolwatch-commune", "commune"),
    "school_name": ("schoolwatch-school", "school"),
    "device": ("schoolwatch-device", "device"),
    "isp": ("schoolwatch-lines", "isp"),
}
"""Tag → the dashboard that one of its values has, and the variable there that takes it, or its place's id."""

PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "device": ("/devices/{}", "device"),
    "title": ("/incidents?rule={}", "rule"),
    "title_en": ("/incidents?rule={}", "rule"),
}
"""Tag → its page of the console, and the tag that says which."""

Of = Literal["fields", "labels"]
"""How Grafana tells the tags of what is clicked: of a table's row, or of a series."""


def drill(tag: str, tags: Sequence[str], at: Dashboard, to: Dashboard, language: Language, of: Of) -> str:
    """The address of a dashboard for the place that was clicked.

    What the place's tags don't say, the variables of the dashboard `at` do; source and time stay.
    """
    known = {LEADS[one][1]: NAMED.get(one, one) for one in tags if one in LEADS}
    held = {variable.name for variable in at.variables}
    asked = [f"${{{SOURCE}:queryparam}}"]
    for variable in to.variables:
        if variable.is_hidden:
            continue
        if variable.name in known:
            asked.append(f"var-{variable.name}={clicked(known[variable.name], of)}")
        elif variable.name in held:
            asked.append(f"${{{variable.name}:queryparam}}")
    return f"/d/{LEADS[tag][0]}{SUFFIX[language]}?{'&'.join(asked)}&${{__url_time_range}}"


def of_console(path: str) -> str:
    """A page of the console."""
    return f"${{{CONSOLE}}}{path}"


def progress(at: Dashboard, indicator: str) -> str:
    """An indicator's page of the console for the place of a dashboard; empty: there is none."""
    is_of_place = at.console and not at.console.startswith("/devices/")
    return of_console(f"{at.console}/progress?indicator={indicator}") if is_of_place else ""


def page(tag: str, of: Of) -> str:
    """The page of the console of what was clicked."""
    path, key = PAGES[tag]
    return of_console(path.format(clicked(key, of)))


def clicked(tag: str, of: Of) -> str:
    """The tag's value, as an address has it."""
    return (
        f"${{__data.fields.{tag}:percentencode}}"
        if of == "fields"
        else (f"${{__field.labels.{tag}:percentencode}}")
    )
