"""The files by which Grafana is set up without a hand: data source, folder of dashboards, dashboards.

https://grafana.com/docs/grafana/latest/administration/provisioning/ (the same from Grafana 9 to 13)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.grafana.promql import PARAMETERS
from schoolwatch_server.grafana.spec import SOURCE_TYPES, Dialect
from schoolwatch_server.texts import Language

FOLDER: Final = Path(__file__).with_name("json")

SOURCE_UID: Final = "schoolwatch"
TOKEN: Final = "SCHOOLWATCH_GRAFANA_TOKEN"  # nosec B105 # noqa: S105  the name of a variable
"""The environment variable of Grafana that holds the API token: no file has it."""

SCHEMES: Final[Mapping[Dialect, str]] = {"influxql": "Token", "promql": "Bearer"}
"""How the token is sent; VictoriaMetrics itself asks for none, what stands before it may."""


def files(dialect: Dialect, url: str, database: str, folder: str, language: Language) -> dict[str, str]:
    """Path below Grafana's `provisioning` folder → content.

    `url` is where the dialect is answered: by our own server, an InfluxDB, a VictoriaMetrics; `folder` where
    Grafana finds this folder.
    """
    sources = {"apiVersion": 1, "datasources": [source(dialect, url, database)]}
    found = {
        "datasources/schoolwatch.yaml": _written(sources),
        "dashboards/schoolwatch.yaml": _written(_provider(f"{folder.rstrip('/')}/schoolwatch")),
    }
    for one in DASHBOARDS:
        text = (FOLDER / dialect / language / f"{one.uid}.json").read_text(encoding="utf-8")
        found[f"schoolwatch/{one.uid}.json"] = text
    return found


def source(dialect: Dialect, url: str, database: str) -> dict[str, Any]:
    """The data source, with the token as a variable of Grafana's environment."""
    made = {
        "name": "SchoolWatch",
        "uid": SOURCE_UID,
        "type": SOURCE_TYPES[dialect],
        "access": "proxy",
        "url": url,
        "editable": False,
        "jsonData": {"httpHeaderName1": "Authorization", **_of_dialect(dialect, database)},
        "secureJsonData": {"httpHeaderValue1": f"{SCHEMES[dialect]} ${TOKEN}"},
    }
    if dialect == "influxql":
        made["database"] = database  # where Grafana 9 looks; later ones in jsonData
    return made


def _of_dialect(dialect: Dialect, database: str) -> dict[str, str]:
    if dialect == "promql":
        return {"httpMode": "POST", "customQueryParameters": PARAMETERS}
    return {"httpMode": "GET", "dbName": database}


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


def _written(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
