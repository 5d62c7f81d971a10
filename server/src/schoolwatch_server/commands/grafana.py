"""`grafana provision`: the files that set Grafana up."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its action to the command line."""
    actions = command.group(commands, "grafana", "dashboards for Grafana")
    provision = command.add(
        actions, "provision", _provision, "write the files that set Grafana up: data source and dashboards"
    )
    provision.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    provision.add_argument(
        "--url",
        metavar="URL",
        help="where InfluxQL is answered: this server's …/influx (default), or an InfluxDB 1.8, 2 or 3",
    )
    provision.add_argument(
        "--database", default="schoolwatch", metavar="NAME", help="the database there (default: schoolwatch)"
    )
    provision.add_argument(
        "--folder",
        default="/etc/grafana/provisioning",
        metavar="DIR",
        help="where Grafana will find DIR (default: /etc/grafana/provisioning)",
    )
    provision.add_argument(
        "--language", choices=("vi", "en"), default="vi", help="language of the dashboards (default: vi)"
    )


def _provision(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.files import write_atomically
    from schoolwatch_server.grafana import provisioning

    config = command.config(arguments)
    own = config.http.public_url.rstrip("/") or f"http://{config.http.host}:{config.http.port}"
    url = arguments.url or f"{own}/influx"
    written = provisioning.files(url, arguments.database, arguments.folder, arguments.language)
    for name, text in written.items():
        path = arguments.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, 0o644)  # Grafana runs as a user of its own; no secret is in them
    command.say(f"{len(written)} files below {arguments.out}; Grafana reads {url}")
    command.say(
        f"Give Grafana an API token of the department's that may read, in {provisioning.TOKEN}, "
        f"and put the files into {arguments.folder}"
    )
    return 0
