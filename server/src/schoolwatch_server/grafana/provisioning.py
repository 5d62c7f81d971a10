"""The files by which Grafana is set up without a hand: data source, folder, dashboards, alerting.

https://grafana.com/docs/grafana/latest/administration/provisioning/ and
https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
(the same from Grafana 9.4 to 13).

Where Grafana puts its environment in, `$` begins the name of a variable and `$$` is a `$`. Of alert rules it
leaves the queries (`model`) and the annotations as they are (grafana/grafana#54293, #54975), of everything
else in the files of data sources and alerting it does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from schoolwatch_server.grafana import DASHBOARDS, alert, policy, sources
from schoolwatch_server.grafana.alert import Rule
from schoolwatch_server.grafana.alerts import EVERY, without_rule
from schoolwatch_server.grafana.console import text
from schoolwatch_server.grafana.sources import Source
from schoolwatch_server.texts import Language


@dataclass(frozen=True, slots=True)
class Alerting:
    """The rules, and the address at which Grafana tells this server what they find.

    With `is_whole_tree` a file has the notification policies too: it takes the place of all that there are.
    """

    rules: Sequence[Rule]
    url: str
    is_whole_tree: bool = False


TOKEN: Final = "SCHOOLWATCH_GRAFANA_TOKEN"  # nosec B105 # noqa: S105  the name of a variable
"""The environment variable of Grafana that holds the API token, or a user's password: no file has it."""


ALERT_TOKEN: Final = "SCHOOLWATCH_ALERT_TOKEN"  # nosec B105 # noqa: S105  the name of a variable
"""The one that holds the API token by which Grafana may tell of alerts."""


RULES: Final = "alerting/schoolwatch.yaml"
"""The file of rules."""

SOURCES: Final = "datasources/schoolwatch.yaml"
PROVIDER: Final = "dashboards/schoolwatch.yaml"
FOLDER: Final = "schoolwatch"
"""Where the dashboards themselves are."""

CONTACT: Final = "alerting/schoolwatch-contact.yaml"

RULES_FOLDER: Final[Mapping[Language, str]] = {"vi": "SchoolWatch – cảnh báo", "en": "SchoolWatch alerts"}
"""Not the dashboards' folder: a file of rules names its folder by title alone, and comes before dashboards.

Grafana 10 to 11 then refuse a second folder of that title, and with it all dashboards
(grafana/grafana#87889); later ones show two of one name (#125079).
"""


def files(
    source: Source, folder: str, language: Language, console: str, alerting: Alerting | None = None
) -> dict[str, str]:
    """Path below Grafana's `provisioning` folder → content.

    `folder` is where Grafana finds this folder, `console` how people reach this server.
    """
    found = {
        SOURCES: _data_sources(source),
        PROVIDER: _written(_provider(f"{folder.rstrip('/')}/{FOLDER}")),
    }
    if alerting is not None:
        found[RULES] = _written(_rules(alerting.rules, source, language))
        found[CONTACT] = _written(_contact_point(alerting.url))
        if alerting.is_whole_tree:
            found["alerting/schoolwatch-policy.yaml"] = _written(_policies())
    for one in DASHBOARDS:
        found[f"{FOLDER}/{one.uid}.json"] = text(one, source.dialect, language, console)
    return found


def _data_sources(source: Source) -> str:
    told = (_literal(one) for one in (source.url, source.database, source.user))
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


def _rules(rules: Sequence[Rule], source: Source, language: Language) -> dict[str, object]:
    """The rules in their groups, and which rules are no more: Grafana keeps what a file only leaves out."""
    groups = [
        {
            "orgId": 1,
            "name": name,
            "folder": RULES_FOLDER[language],
            "interval": f"{EVERY}s",
            "rules": [_rule(rule, source, language) for rule in rules if rule.group_name == name],
        }
        for name in sorted({rule.group_name for rule in rules})
    ]
    return {"apiVersion": 1, **({"groups": groups} if groups else {}), "deleteRules": _gone(rules, language)}


def _gone(rules: Sequence[Rule], language: Language) -> list[dict[str, object]]:
    return [{"orgId": 1, "uid": uid} for uid in without_rule(rules, language)]


def no_rules() -> Mapping[str, str]:
    """The file that takes the place of that of rules which an earlier one made: none of them is left."""
    return {RULES: _written({"apiVersion": 1, "deleteRules": _gone((), "vi")})}


def withdrawn(found: Mapping[str, str]) -> dict[str, str | None]:
    """What becomes of files (path below Grafana's folder → content) of ours: a text, or None, it goes.

    At first they have Grafana delete what it has of them when it starts; once they say so, they go: at each
    start they would delete what was pushed since. Contact point and policies stay as they are: other policies
    of Grafana's may name the contact point, and it does not start where it can't delete one.
    """
    dashboards = [f"{FOLDER}/{one.uid}.json" for one in DASHBOARDS]
    said = {**no_rules(), SOURCES: _written({"apiVersion": 1, "deleteDatasources": [_NAMED]})}
    if all(found.get(name, text) == text for name, text in said.items()):
        return {name: None for name in (SOURCES, RULES, PROVIDER, *dashboards) if name in found}
    # the provider stays until then: without it 12.0 and 12.1 keep its dashboards (grafana/grafana#104504,
    # #115477), of one whose files are gone all delete them
    return {name: said.get(name) for name in (SOURCES, RULES, *dashboards) if name in found}


_NAMED: Final = {"name": sources.NAME, "orgId": 1}


def _rule(rule: Rule, source: Source, language: Language) -> dict[str, Any]:
    body = alert.body(rule, source.dialect, language, sources.UID)
    labels = {name: _literal(value) for name, value in body["labels"].items()}
    return {"uid": rule.uid_in(language), **body, "title": _literal(body["title"]), "labels": labels}


def _contact_point(url: str) -> dict[str, object]:
    settings = {**policy.webhook(_literal(url)), policy.CREDENTIALS: f"${ALERT_TOKEN}"}
    receiver = {"uid": policy.UID, "type": "webhook", "settings": settings, "disableResolveMessage": False}
    point = {"orgId": 1, "name": policy.RECEIVER, "receivers": [receiver]}
    return {"apiVersion": 1, "contactPoints": [point]}


def _policies() -> dict[str, object]:
    return {"apiVersion": 1, "policies": [{"orgId": 1, **policy.whole()}]}


def _literal(text: str) -> str:
    return text.replace("$", "$$")


def _written(document: Mapping[str, object]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
