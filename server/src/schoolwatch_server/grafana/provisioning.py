"""The files by which Grafana is set up without a hand: data source, folder of dashboards, dashboards.

https://grafana.com/docs/grafana/latest/administration/provisioning/ (the same from Grafana 9 to 13)
"""

from collections.abc import Sequence
from typing import Final

import yaml

from schoolwatch_server.grafana import DASHBOARDS, alert, sources
from schoolwatch_server.grafana.alert import Rule
from schoolwatch_server.grafana.alerts import EVERY
from schoolwatch_server.grafana.console import text
from schoolwatch_server.grafana.sources import Source
from schoolwatch_server.texts import Language

TOKEN: Final = "SCHOOLWATCH_GRAFANA_TOKEN"  # nosec B105 # noqa: S105  the name of a variable
"""The environment variable of Grafana that holds the API token, or a user's password: no file has it."""


def files(
    source: Source, folder: str, language: Language, rules: Sequence[Rule], console: str
) -> dict[str, str]:
    """Path below Grafana's `provisioning` folder → content.

    `folder` is where Grafana finds this folder, `console` how people reach this server.
    """
    found = {
        "datasources/schoolwatch.yaml": _data_sources(source),
        "dashboards/schoolwatch.yaml": _written(_provider(f"{folder.rstrip('/')}/schoolwatch")),
    }
    if rules:
        found["alerting/schoolwatch.yaml"] = _written(_alerting(rules, source, language)).replace("$", "$$")
    for one in DASHBOARDS:
        found[f"schoolwatch/{one.uid}.json"] = text(one, source.dialect, language, console)
    return found


def _data_sources(source: Source) -> str:
    """In this file too `$$` is a `$`; one alone begins the name of a variable."""
    told = (one.replace("$", "$$") for one in (source.url, source.database, source.user))
    described = {**sources.body(Source(source.engine, *told)), "editable": False}
    described["secureJsonData"] = sources.secret(source, f"${TOKEN}")
    return _written({"apiVersion": 1, "datasources": [described]})


def _provider(path: str) -> dict[str, object]:
    provider = {
        "name": "schoolwatch",
        "folder": "SchoolWatch",
        "folderUid": "schoolwatch",
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": path},
    }
    return {"apiVersion": 1, "providers": [provider]}


def _alerting(rules: Sequence[Rule], source: Source, language: Language) -> dict[str, object]:
    """The rules in their groups. In these files `$` begins a variable of the environment: `$$` is itself."""
    groups = [
        {
            "orgId": 1,
            "name": name,
            "folder": "SchoolWatch",
            "interval": f"{EVERY}s",
            "rules": [
                {"uid": rule.uid_in(language), **alert.body(rule, source.dialect, language, sources.UID)}
                for rule in rules
                if rule.group_name == name
            ],
        }
        for name in sorted({rule.group_name for rule in rules})
    ]
    return {"apiVersion": 1, "groups": groups}


def _written(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
