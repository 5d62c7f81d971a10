"""Where Grafana reads the series from, and where it reaches this server: as a command was told."""

import argparse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.grafana.sources import Source


def add_source(parser: argparse.ArgumentParser, url: str, user: str) -> None:
    """Adds what says where the series are; `url` and `user` are the names of these options."""
    parser.add_argument(
        "--engine",
        choices=("embedded", "influxdb", "victoriametrics"),
        default="embedded",
        help="what holds the series that Grafana reads: this server (default), an InfluxDB 1.8, 2 or 3, "
        "or a VictoriaMetrics",
    )
    parser.add_argument(
        url,
        dest="source_url",
        metavar="URL",
        help="where that answers, as Grafana reaches it (embedded: this server's …/influx)",
    )
    parser.add_argument(
        "--database", default="schoolwatch", metavar="NAME", help="the database of an InfluxDB (schoolwatch)"
    )
    parser.add_argument(
        user,
        dest="source_user",
        default="",
        metavar="NAME",
        help="who reads an InfluxDB or VictoriaMetrics with a password, instead of a token",
    )


def add_alert_url(parser: argparse.ArgumentParser) -> None:
    """Adds where Grafana tells of alerts."""
    parser.add_argument(
        "--alert-url", metavar="URL", help="where Grafana reaches this server (this server's address)"
    )


def source(arguments: argparse.Namespace) -> "Source":
    """Where Grafana reads. Raises `command.Refused`."""
    from schoolwatch_server.grafana import sources
    from schoolwatch_server.grafana.sources import Source

    engine, url, user = arguments.engine, arguments.source_url, arguments.source_user
    if engine == "embedded" and user:
        raise command.Refused("this server is read with an API token, not by a user with a password")
    if engine != "embedded" and not url:
        raise command.Refused(f"say where {engine} answers: give its address as well")
    found = Source(engine, url or f"{_own(arguments)}/influx", arguments.database, user)
    if wrong := sources.trouble(found):
        raise command.Refused(wrong)
    if engine == "embedded" and not found.url.rstrip("/").endswith("/influx"):
        command.note(f"this server answers Grafana at …/influx: is {found.url} passed on to that?")
    return found


def _own(arguments: argparse.Namespace) -> str:
    """Where this server is: as its settings say, else where Grafana reads it or tells it of alerts."""
    from schoolwatch_server.messages import public_url

    config = command.config(arguments)
    read_at = (arguments.source_url or "").rstrip("/")
    if config.http.public_url:
        return public_url(config)
    if arguments.engine == "embedded" and read_at.endswith("/influx"):
        return read_at.removesuffix("/influx")
    if arguments.alert_url:
        return str(arguments.alert_url).rstrip("/")
    return public_url(config)


def console(arguments: argparse.Namespace) -> str:
    """Where links in dashboards lead."""
    own = _own(arguments)
    if urlsplit(own).hostname in ("127.0.0.1", "::1", "localhost"):
        command.note(f"links to the console lead to {own}: if people reach it otherwise, set http.public_url")
    return own


def alert_url(arguments: argparse.Namespace) -> str:
    """Where Grafana tells of alerts. Raises `command.Refused`."""
    from schoolwatch_server.grafana import policy, sources

    url = arguments.alert_url or _own(arguments)
    if not sources.is_address(url):
        raise command.Refused(f"--alert-url: {url[:80]!r} is no address of this server: write https://HOST")
    return str(url).rstrip("/") + policy.PATH
