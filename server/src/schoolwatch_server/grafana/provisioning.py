"""The files by which Grafana is set up without a hand: data source, folder of dashboards, dashboards.

https://grafana.com/docs/grafana/latest/administration/provisioning/ (the same from Grafana 9 to 13)
"""

from pathlib import Path
from typing import Final

import yaml

from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.texts import Language

FOLDER: Final = Path(__file__).with_name("json")

SOURCE_UID: Final = "schoolwatch"
TOKEN: Final = "SCHOOLWATCH_GRAFANA_TOKEN"  # nosec B105 # noqa: S105  the name of a variable
"""The environment variable of Grafana that holds the API token: no file has it."""


def files(url: str, database: str, folder: str, language: Language) -> dict[str, str]:
    """Path below Grafana's `provisioning` folder → content.

    `url` is where InfluxQL is answered, of our own server or of an InfluxDB, `folder` where Grafana finds
    this folder.
    """
    found = {
        "datasources/schoolwatch.yaml": _written(_source(url, database)),
        "dashboards/schoolwatch.yaml": _written(_provider(f"{folder.rstrip('/')}/schoolwatch")),
    }
    for one in DASHBOARDS:
        text = (FOLDER / "influxql" / language / f"{one.uid}.json").read_text(encoding="utf-8")
        found[f"schoolwatch/{one.uid}.json"] = text
    return found


def _source(url: str, database: str) -> dict[str, object]:
    source = {
        "name": "SchoolWatch",
        "uid": SOURCE_UID,
        "type": "influxdb",
        "access": "proxy",
        "url": url,
        "editable": False,
        # where Grafana 9 looks, and where later ones do
        "database": database,
        "jsonData": {"dbName": database, "httpMode": "GET", "httpHeaderName1": "Authorization"},
        "secureJsonData": {"httpHeaderValue1": f"Token ${TOKEN}"},
    }
    return {"apiVersion": 1, "datasources": [source]}


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
