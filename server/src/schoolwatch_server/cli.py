"""`schoolwatch-server`: one command for each part of the server, and the few things that only it can do."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server import address
from schoolwatch_server.config import ConfigError, ServerConfig, load, of_data

if TYPE_CHECKING:
    from sqlalchemy import Engine

Run = Callable[[argparse.Namespace], int]
_PLAIN = {
    "DatabaseError",
    "AccountError",
    "RegistryError",
    "EnrolmentError",
    "SheetError",
    "ChannelError",
    "UpError",
}
FAILED = 2
"""Exit code of everything that a person has to put right."""


class Refused(Exception):  # noqa: N818  it is an answer, not a fault
    """What was asked for can't be done; the text is the one line that says why and what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code. What a person can put right is one line on stderr."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole URLs
    try:
        run: Run = arguments.run
        return run(arguments)
    except KeyboardInterrupt:
        return 130
    except (ConfigError, Refused) as error:
        return _fail(str(error))
    except Exception as error:
        if not _is_plain(error):
            raise
        return _fail(str(error))


def _fail(message: str) -> int:
    print(f"schoolwatch-server: {' '.join(message.split())}", file=sys.stderr)
    return FAILED


def _is_plain(error: Exception) -> bool:
    """Whether the error is one that its part already worded for people (found without importing the part)."""
    return type(error).__module__.startswith("schoolwatch_server.") and type(error).__name__ in _PLAIN


# --- the command line ---------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="schoolwatch-server", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = _command(commands, "up", _up, "start everything on this machine, and watch over it")
    up.add_argument("--http", type=_address, metavar="HOST:PORT", help="console and API (127.0.0.1:18080)")
    up.add_argument("--mqtt", type=_address, metavar="HOST:PORT", help="broker (127.0.0.1:18830)")
    up.add_argument("--broker", choices=("auto", "mosquitto", "amqtt"), help="which broker (auto)")
    up.add_argument("--no-agent", action="store_true", help="don't measure this machine")
    up.add_argument("--lang", choices=("vi", "en"), help="language of the messages (from LANG)")

    _command(commands, "intake", _intake, "take reports from the broker into the database")
    _command(commands, "serve", _serve, "console and API")
    _command(commands, "evaluate", _evaluate, "series, indicators, rules and incidents")
    new = _command(commands, "migrate", _migrate, "make the database, or bring it to this program's version")
    new.add_argument(
        "--restored", action="store_true", help="it is an older copy: let agents send again what it lacks"
    )
    _command(commands, "check-config", _check_config, "say whether the settings are right")

    token = _command(commands, "token", _token, "print a new API token; it is shown once")
    token.add_argument("--scope", default="read", metavar="PERMISSION", help="what it may do (read)")
    token.add_argument("--school", default="", metavar="CODE", help="only this school (everything)")
    token.add_argument("--name", default="", help="what it is for, shown in the list of tokens")
    token.add_argument("--days", type=float, default=365.0, help="how long it is valid (365)")

    reset = _command(
        commands, "reset-password", _reset_password, "give an account a new password and print it"
    )
    reset.add_argument("name", nargs="?", default="admin", help="the account (admin)")

    quarantine = commands.add_parser("quarantine", help="frames that could not be taken in")
    actions = quarantine.add_subparsers(required=True, metavar="ACTION")
    rows = _command(actions, "list", _quarantine_list, "the newest ones and why")
    rows.add_argument("--limit", type=int, default=50, help="how many (50)")
    one = _command(actions, "show", _quarantine_show, "one of them, byte for byte")
    one.add_argument("id", type=int)
    again = _command(actions, "replay", _quarantine_replay, "try again, after a fix")
    again.add_argument("id", type=int, nargs="*", help="which (all that haven't been replayed)")

    broker = commands.add_parser("broker-amqtt")
    broker.add_argument("--folder", type=Path, required=True)
    broker.add_argument("--mqtt", type=_address, required=True)
    broker.add_argument("--user", required=True)
    broker.add_argument("--queued-bytes", type=int, required=True)
    broker.set_defaults(run=_broker_amqtt)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Run, help_: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", type=Path, metavar="DIR", help="the data folder (./data)")
    where.add_argument(
        "--config", type=Path, metavar="FILE", help="a settings file, which names the data folder"
    )
    parser.set_defaults(run=run)
    return parser


def _address(text: str) -> address.Address:
    try:
        return address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _config(arguments: argparse.Namespace) -> ServerConfig:
    if arguments.config is not None:
        return load(arguments.config)
    return of_data(arguments.data or Path("data"))


def _database(config: ServerConfig) -> "Engine":
    from schoolwatch_server.database.engine import open_database

    return open_database(config.database_url)


# --- the parts; each is imported only when it runs ----------------------------------------------------


def _up(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.supervise import up

    return up.run(
        _config(arguments),
        http=arguments.http,
        mqtt=arguments.mqtt,
        broker=arguments.broker,
        wants_agent=not arguments.no_agent,
        language=arguments.lang or language(os.environ),
    )


def language(environment: "os._Environ[str] | dict[str, str]") -> str:
    """The language that LANG asks for; Vietnamese unless it is English."""
    value = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "en" if value.startswith("en") else "vi"


def _intake(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.intake import service

    service.run(_config(arguments))
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.api import service

    service.run(_config(arguments))
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import evaluate

    evaluate.run(_config(arguments))
    return 0


def _broker_amqtt(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.broker import embedded

    at = arguments.mqtt
    embedded.run(
        arguments.folder,
        host=at.host,
        port=at.port,
        server_user=arguments.user,
        queued_bytes=arguments.queued_bytes,
    )
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database.engine import migrate, renew_epoch
    from schoolwatch_server.files import private_folder

    config = _config(arguments)
    try:
        private_folder(config.folder)
    except OSError as error:
        raise Refused(f"{config.folder}: {error.strerror}: choose a folder you own with --data") from error
    migrate(config.database_url)
    if arguments.restored:
        print(f"a new epoch, {renew_epoch(_database(config))}: agents send again what the database lacks")
    print("the database is ready")
    return 0


def _check_config(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import channels
    from schoolwatch_server.sheets import packs_in_force, rules_in_force

    config = _config(arguments)
    packs_in_force(config)
    rules_in_force(config)
    channels.read(Path(config.notify.urls_file) if config.notify.urls_file else None)
    print(f"the settings are right, with packs, rules and addresses; data folder {config.folder}")
    return 0


def _token(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.database.registry import school_by_code
    from schoolwatch_server.scope import EVERYTHING, Scope
    from schoolwatch_server.tokens import issue_token

    engine = _database(_config(arguments))
    scope = EVERYTHING
    if arguments.school:
        with begin_read(engine) as conn:
            school = school_by_code(conn, arguments.school, EVERYTHING)
        if school is None:
            raise Refused(f"there is no school with the code {arguments.school!r}: see the console for codes")
        scope = Scope("school", school.id)
    try:
        token = issue_token(engine, arguments.name or "command line", arguments.scope, scope, arguments.days)
    except ValueError as error:
        raise Refused(str(error)) from error
    print(token)
    return 0


def _reset_password(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.people import reset_password

    print(reset_password(_database(_config(arguments)), arguments.name))
    return 0


def _quarantine_list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import quarantined

    print(quarantined.listing(_database(_config(arguments)), arguments.limit))
    return 0


def _quarantine_show(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import quarantined

    text = quarantined.one(_database(_config(arguments)), arguments.id)
    if text is None:
        raise Refused(f"nothing in quarantine has the number {arguments.id}: see `quarantine list`")
    print(text)
    return 0


def _quarantine_replay(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import quarantined

    config = _config(arguments)
    print(quarantined.again(_database(config), arguments.id, config.evaluation.delivery_period))
    return 0
