"""The data source of Grafana: which engine holds the series, where it answers, and who asks there.

https://grafana.com/docs/grafana/latest/datasources/influxdb/configure/
https://grafana.com/docs/grafana/latest/datasources/prometheus/configure/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from schoolwatch_server.grafana.promql import PARAMETERS
from schoolwatch_server.grafana.spec import SOURCE_TYPES, Dialect
from schoolwatch_server.store_section import Kind

DIALECTS: Final[Mapping[Kind, Dialect]] = {
    "embedded": "influxql",
    "influxdb": "influxql",
    "victoriametrics": "promql",
}
"""What each is asked in; the first is this server itself."""

UID: Final = "schoolwatch"
NAME: Final = "SchoolWatch"
"""By its uid and its name: a Grafana may have other sources of its type."""

HEADER: Final = "httpHeaderName1"
"""The setting that names the header with the token; who asks with a password has none."""

MARK: Final = "schoolwatchToken"
"""The setting that tells one token from the next."""

_SCHEMES: Final[Mapping[Dialect, str]] = {"influxql": "Token", "promql": "Bearer"}
"""How a token is sent; VictoriaMetrics itself asks for none, what stands before it may."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of them: `user` is who asks with a password, empty where a token is enough."""

    engine: Kind
    url: str
    database: str = "schoolwatch"
    user: str = ""

    @property
    def dialect(self) -> Dialect:
        """What it is asked in."""
        return DIALECTS[self.engine]


def trouble(source: Source) -> str | None:
    """What is wrong with it and what to do; None when Grafana can ask there."""
    if not is_address(source.url):
        return f"{source.url[:80]!r} is no address of what Grafana reads: write http(s)://HOST[:PORT][/PATH]"
    for what, text in (("database", source.database), ("user", source.user)):
        if not text.isprintable() or (what == "database" and source.dialect == "influxql" and not text):
            return f"the name of the {what} can't be {text[:80]!r}"
    return None


def is_address(url: str) -> bool:
    """Whether it is http:// or https:// of a host, without a name, a password or a question in it."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return is_whole and plain and not (parts.query or parts.fragment or "@" in parts.netloc)


def body(source: Source) -> dict[str, Any]:
    """As Grafana's files and its API have it, without the secret."""
    made: dict[str, Any] = {
        "name": NAME,
        "uid": UID,
        "type": SOURCE_TYPES[source.dialect],
        "access": "proxy",
        "url": source.url,
        "jsonData": _of_promql() if source.dialect == "promql" else _of_influxql(source.database),
    }
    if source.dialect == "influxql":
        made["database"] = source.database  # where Grafana 9 looks; later ones in jsonData
    if not source.user:
        made["jsonData"][HEADER] = "Authorization"
        return made
    if source.dialect == "promql":
        return {**made, "basicAuth": True, "basicAuthUser": source.user}
    return {**made, "user": source.user}


def secret(source: Source, text: str) -> dict[str, str]:
    """What Grafana never shows again: the token, or the password of the user."""
    if not source.user:
        return {"httpHeaderValue1": f"{_SCHEMES[source.dialect]} {text}"}
    return {"basicAuthPassword" if source.dialect == "promql" else "password": text}


def _of_influxql(database: str) -> dict[str, Any]:
    return {"httpMode": "GET", "dbName": database}


def _of_promql() -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "customQueryParameters": PARAMETERS,
        # from this version on a list's values are asked for alone, not with all their series
        "prometheusType": "Prometheus",
        "prometheusVersion": "2.24.0",
        # rules are none of VictoriaMetrics' own
        "manageAlerts": False,
        "disableRecordingRules": True,
    }
