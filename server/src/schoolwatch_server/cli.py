"""`schoolwatch-server`: one command for each part of the server, and the few things that only it can do."""

import argparse
import errno
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from schoolwatch_server import __version__, address
from schoolwatch_server.commands import (
    account,
    audit,
    backup,
    broker,
    bundle,
    ca,
    command,
    device,
    dossier,
    erasure,
    grafana,
    kit,
    line,
    lists,
    master_key,
    notify,
    pack,
    quarantine,
    report,
    room,
    rules,
    school,
    store,
    upgrade,
)
from schoolwatch_server.config import ConfigError, ServerConfig

_PLAIN = {
    "DatabaseError",
    "KeyUnusableError",
    "KeyUnknownError",
    "AlteredError",
    "CheckpointsError",
    "ErasureError",
    "AccountError",
    "RegistryError",
    "EnrolmentError",
    "SheetError",
    "ChannelError",
    "UpError",
    "AuthorityError",
    "GrafanaError",
}
_BROKER = "broker-amqtt"
_FULL = "the disk is full: make room (df -h says where), then run this again"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code. What a person can put right is one line on stderr."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [_BROKER]:
        arguments = _broker_parser().parse_args(words[1:])
    else:
        arguments = _parser().parse_args(words)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole URLs
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 128 + signal.SIGPIPE
    except (ConfigError, command.Refused) as error:
        return command.complain(str(error))
    except Exception as error:
        if _is_plain(error):
            return command.complain(str(error))
        if _is_full(error):
            return command.complain(f"{_FULL} ({getattr(error, 'orig', None) or error})")
        raise


def _run(arguments: argparse.Namespace) -> int:
    run: command.Run = arguments.run
    code = run(arguments)
    sys.stdout.flush()
    return code


def _is_plain(error: Exception) -> bool:
    """Whether the error is one that its part already worded for people (found without importing the part)."""
    return type(error).__module__.startswith("schoolwatch_server.") and type(error).__name__ in _PLAIN


def _is_full(error: Exception) -> bool:
    """Whether the disk has no room, as the system or SQLite says it."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorname", None)
    return code == "SQLITE_FULL" or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}


# --- the command line ---------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="schoolwatch-server", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = command.add(commands, "up", _up, "start everything on this machine, and watch over it")
    up.add_argument("--http", type=_address, metavar="HOST:PORT", help="console and API (127.0.0.1:18080)")
    up.add_argument("--mqtt", type=_address, metavar="HOST:PORT", help="broker (127.0.0.1:18830)")
    up.add_argument("--broker", choices=("auto", "mosquitto", "amqtt"), help="which broker (auto)")
    up.add_argument("--no-agent", action="store_true", help="don't measure this machine")
    up.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")

    command.add(commands, "intake", _intake, "take reports from the broker into the database")
    command.add(commands, "serve", _serve, "console and API")
    command.add(commands, "evaluate", _evaluate, "series, indicators, rules and incidents")
    command.add(commands, "store-writer", _store_writer, "writes to the store of series beside the database")
    command.add(commands, "speedtest", _speedtest, "the speed test that schools' gateways run (NDT7)")
    command.add(commands, "check-config", _check_config, "say whether the settings are right")

    version = commands.add_parser("version", help="print the version", description="Print the version.")
    version.set_defaults(run=_version)
    for module in (
        lists,
        room,
        school,
        device,
        line,
        pack,
        rules,
        grafana,
        kit,
        ca,
        broker,
        account,
        bundle,
        quarantine,
        store,
        notify,
        audit,
        erasure,
        master_key,
        backup,
        upgrade,
        dossier,
        report,
    ):
        module.add_to(commands)
    return parser


def _broker_parser() -> argparse.ArgumentParser:
    """The embedded broker's own command line: `up` starts it, people don't."""
    broker = argparse.ArgumentParser(prog=f"schoolwatch-server {_BROKER}")
    broker.add_argument("--folder", type=Path, required=True)
    broker.add_argument("--mqtt", type=_address, required=True)
    broker.add_argument("--user", required=True)
    broker.add_argument("--queued-bytes", type=int, required=True)
    broker.add_argument("--certificate", type=Path)
    broker.add_argument("--key", type=Path)
    broker.set_defaults(run=_broker_amqtt)
    return broker


def _address(text: str) -> address.Address:
    try:
        return address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# --- the parts; each is imported only when it runs ----------------------------------------------------


def _up(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.supervise import up

    return up.run(
        command.config(arguments),
        http=arguments.http,
        mqtt=arguments.mqtt,
        broker=arguments.broker,
        wants_agent=not arguments.no_agent,
        language=arguments.lang or command.language(),
    )


def _with_database(arguments: argparse.Namespace) -> ServerConfig:
    """The settings, when their database has been waited for."""
    from schoolwatch_server.database import awaited

    config = command.config(arguments)
    awaited.reached(config.database_url, threading.Event())
    return config


def _intake(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.intake import service

    service.run(_with_database(arguments))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.api import service

    service.run(_with_database(arguments))
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import evaluate

    evaluate.run(_with_database(arguments))
    return 0


def _store_writer(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import store_writer

    store_writer.run(_with_database(arguments))
    return 0


def _speedtest(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.speedtest import service

    service.run(_with_database(arguments))
    return 0


def _broker_amqtt(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.broker import embedded
    from schoolwatch_server.transport import Tls

    at = arguments.mqtt
    embedded.run(
        arguments.folder,
        host=at.host,
        port=at.port,
        server_user=arguments.user,
        queued_bytes=arguments.queued_bytes,
        tls=Tls(arguments.certificate, arguments.key, "") if arguments.certificate else None,
    )
    return 0


def _version(_arguments: argparse.Namespace) -> int:
    print(f"schoolwatch-server {__version__}")
    return 0


def _check_config(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import channels
    from schoolwatch_server.config import check_paths
    from schoolwatch_server.database.engine import DatabaseError, check_url
    from schoolwatch_server.sheets import lifecycle_in_force, packs_in_force, rules_in_force

    config = command.config(arguments)
    check_paths(config)
    try:
        check_url(config.database_url)
    except DatabaseError as error:
        raise command.Refused(f"database.url: {error}") from error
    packs_in_force(config)
    rules_in_force(config)
    lifecycle_in_force(config)
    channels.read(Path(config.notify.urls_file) if config.notify.urls_file else None)
    print(f"the settings are right, with packs, rules and addresses; data folder {config.folder}")
    return 0
