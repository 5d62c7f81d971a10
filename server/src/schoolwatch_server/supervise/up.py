"""`up`: prepares the data folder, starts the parts in order, watches them, and stops them in order."""

import contextlib
import functools
import logging
import signal
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from schoolwatch_server import people, texts, transport
from schoolwatch_server.address import Address, reachable
from schoolwatch_server.authority import own
from schoolwatch_server.authority.certificates import fingerprint
from schoolwatch_server.authority.folder import AuthorityError
from schoolwatch_server.backup import again_words, since
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.upgrade import upgrade
from schoolwatch_server.broker.limits import DEVICES_MAX
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.config import ConfigError, ServerConfig, render
from schoolwatch_server.database import awaited, sealed
from schoolwatch_server.database.engine import DatabaseError, check_url, open_database
from schoolwatch_server.files import write_atomically
from schoolwatch_server.intake.mqtt import Login
from schoolwatch_server.supervise import agent, logs, plan, prepare, sample, seat, status
from schoolwatch_server.supervise.accounts import Accounts
from schoolwatch_server.supervise.certificates import Certificates
from schoolwatch_server.supervise.hurdle import Hurdle
from schoolwatch_server.supervise.keeper import Keeper
from schoolwatch_server.supervise.prepare import Say, UpError

_LOOK = 0.1
_ENROL_AGAIN = 10.0
_TRIES = 3
"""Deaths of a part that never ran, after which starting is given up."""

_GRACE = {"serve": 4.0, "broker": 4.0}


def run(
    config: ServerConfig,
    *,
    http: Address | None,
    mqtt: Address | None,
    broker: str | None,
    wants_agent: bool,
    language: str,
) -> int:
    """Runs until Ctrl-C or SIGTERM. Raises before it starts: `UpError`, `DatabaseError`, `SealError`."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that lacks Vietnamese letters
    logging.getLogger("alembic").setLevel(logging.WARNING)
    say = functools.partial(texts.load().get, "en" if language == "en" else "vi")
    config = _with_options(config, http=http, mqtt=mqtt, broker=broker)
    prepare.check_folder(config.folder, say)
    check_url(config.database_url)
    with ExitStack() as held:
        was_here = (config.folder / "run").is_dir()
        if was_here:  # first of all: whoever runs on it holds the ports too
            held.enter_context(prepare.lock(config.folder, say))
        prepare.ports(config, say)
        program = prepare.broker(config, say)
        prepare.folder(config.folder, say)  # not before all this: a refused start leaves nothing
        if not was_here:
            held.enter_context(prepare.lock(config.folder, say))
        certificates = Certificates(config)
        _prepare_certificates(certificates, say)
        config = prepare.with_socket(config, program)
        if not _reached(config, say):
            return 0
        engine = _database(config, say)
        held.callback(engine.dispose)
        sealed.check(engine)
        # whatever way an older copy got here
        for line in again_words.lines(since.look(config, engine), say, config.folder):
            print(line, flush=True)  # noqa: T201  it is a command's output
        sample.ensure(engine, wants_agent=wants_agent)
        up = Up(config, engine, program, say, certificates, wants_agent=wants_agent, language=language)
        return up.run()


def _prepare_certificates(certificates: Certificates, say: Say) -> None:
    try:
        certificates.start()
    except (AuthorityError, ConfigError, OSError) as error:
        raise UpError(say("up.error.certificate", why=error)) from error


def _reached(config: ServerConfig, say: Say) -> bool:
    """Whether the database's server answers; it is waited for, until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())

    def tell(error: DatabaseError) -> None:
        minutes = round(awaited.SECONDS / 60)
        print(say("up.waiting_database", why=error, minutes=minutes), flush=True)  # noqa: T201  as above

    try:
        return awaited.reached(config.database_url, stop, tell)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _database(config: ServerConfig, say: Say) -> Engine:
    """The database, made or brought to this program's version; of an older one a copy is kept."""
    url, keys = config.database_url, config.master_key
    try:
        return open_database(url, keys)
    except DatabaseError as error:
        if error.trouble not in {"missing", "older"}:
            raise
    try:
        copy = upgrade(config)
    except BackupError as error:
        raise UpError(say(f"backup.error.{error.trouble}", **error.values)) from error
    if copy is not None:
        print(say("backup.upgraded", copy=copy), flush=True)  # noqa: T201  it is a command's output
    return open_database(url, keys)


def _with_options(
    config: ServerConfig, *, http: Address | None, mqtt: Address | None, broker: str | None
) -> ServerConfig:
    replace = msgspec.structs.replace
    if http is not None:
        config = replace(config, http=replace(config.http, host=http.host, port=http.port))
    if mqtt is not None:
        config = replace(config, mqtt=replace(config.mqtt, host=mqtt.host, port=mqtt.port))
    if broker is not None:
        config = replace(config, broker=replace(config.broker, kind=broker))
    return config


class Up:
    """The parts of one running server."""

    def __init__(
        self,
        config: ServerConfig,
        engine: Engine,
        program: Path | None,
        say: Say,
        certificates: Certificates,
        *,
        wants_agent: bool,
        language: str,
    ) -> None:
        self._config = config
        self._engine = engine
        self._program = program
        self._say = say
        self._certificates = certificates
        self._wants_agent = wants_agent
        self._language = language
        self._stop = threading.Event()
        self._keepers: dict[str, Keeper] = {}
        self._enrol_at = 0.0
        own = {config.mqtt.user: hash_password(prepare.server_password(config))}
        self._accounts = Accounts(engine, config.folder / "broker", own, config.mqtt.user)
        self._ready = self._changed = False
        self._hurdle = Hurdle(self._tell)

    def run(self) -> int:
        """Starts, watches, and stops again; the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: stay when the terminal goes
                signal.signal(number, lambda *_: self._stop.set())
        self._tell("up.starting", data=self._config.folder)
        try:
            self._start()
            while not self._stop.wait(_LOOK):
                self._look()
        finally:
            self._end()
        return 0

    def _start(self) -> None:
        self._accounts.write()
        seat.keep(self._config, self._program)
        settings = self._config.folder / "run" / "server.toml"
        write_atomically(settings, render(self._config))
        kind = "amqtt" if self._program is None else "mosquitto"
        self._tell("up.broker", kind=kind, address=Address(self._config.mqtt.host, self._config.mqtt.port))
        if self._program is None:
            self._tell("up.amqtt", devices=DEVICES_MAX)
        now = time.time()
        parts = (plan.broker_part(self._config, self._program), *plan.server_parts(self._config, settings))
        for part in parts:
            keeper = self._keepers[part.name] = Keeper(part, now)
            keeper.start(now)
            if part.name == "broker" and self._program is not None:
                seat.take(Login.of(self._config), seat.HOLD)
        if self._wants_agent:
            self._keepers["agent"] = Keeper(plan.agent_part(self._config), now)
        self._write_status()

    def _look(self) -> None:
        now = time.time()
        for name, keeper in self._keepers.items():
            before = keeper.status.state
            if keeper.look(now):
                self._changed = True
                self._report(name, keeper, before)
        self._hurdle.attempt(lambda: self._tend(now))

    def _tend(self, now: float) -> None:
        """What writes; where a full disk lets nothing be written, it is tried again at the next look."""
        for keeper in self._keepers.values():
            logs.rotate(keeper.part.log)
        self._accounts.refresh(time.monotonic(), self._reload_broker)
        self._certificates.look(time.monotonic(), self._reload_broker)
        if self._keepers["serve"].is_running and not self._ready:
            self._welcome()
            self._ready = True
        if self._ready and self._agent_waits():
            self._changed = self._start_agent(now) or self._changed
        if self._changed:
            self._write_status()
            self._changed = False

    def _report(self, name: str, keeper: Keeper, before: str) -> None:
        why = keeper.status.why[-2:]
        why = why[-1:] if why and why[-1].startswith("signal") else why  # what it wrote before is not why
        if keeper.status.state == "restarting":
            if not self._ready and name != "agent" and keeper.status.restarts >= _TRIES:
                raise UpError(self._say("up.error.part", part=name, why=" · ".join(why), log=keeper.part.log))
            self._tell("up.died", part=name, why=" · ".join(why))
        elif keeper.is_running and keeper.status.restarts and before == "starting":
            self._tell("up.back", part=name)

    def _welcome(self) -> None:
        password = people.first_admin(self._engine)
        host = reachable(self._config.http.host)
        tls = transport.http(self._config)
        scheme = "http" if tls is None else "https"
        url = self._config.http.public_url or f"{scheme}://{Address(host, self._config.http.port)}/"
        self._tell("up.ready", url=url)
        if not self._config.http.public_url and self._config.http.host in own.ANYWHERE:
            others = (f"{scheme}://{Address(one, self._config.http.port)}/" for one in own.addresses())
            self._tell("up.others", urls=" ".join(others))
        if transport.uses_own(self._config):
            root = own.authority(self._config).root
            self._tell("up.own_certificate", file=transport.own_ca(self._config), pin=fingerprint(root))
        if password is not None:
            self._tell("up.password", password=password, data=self._config.folder)
        self._tell("up.stop")

    # --- this machine's agent -------------------------------------------------------------------------

    def _agent_waits(self) -> bool:
        keeper = self._keepers.get("agent")
        return keeper is not None and keeper.status.state == "waiting" and self._keepers["broker"].is_running

    def _start_agent(self, now: float) -> bool:
        if not agent.is_enrolled(self._config):
            if time.monotonic() < self._enrol_at:
                return False
            self._enrol_at = time.monotonic() + _ENROL_AGAIN
            why = agent.enrol(self._config, self._engine, self._language)
            if why:
                self._tell("up.agent_failed", why=why)
                return False
            self._accounts.write()
            self._reload_broker()
        self._keepers["agent"].start(now)
        self._tell("up.agent")
        return True

    def _reload_broker(self) -> None:
        self._keepers["broker"].send(signal.SIGHUP)

    def _write_status(self) -> None:
        status.write(self._config.folder / "run" / "parts.json", tuple(self._keepers.values()))

    def _tell(self, key: str, **values: object) -> None:
        with contextlib.suppress(OSError):  # into a file on a full disk
            print(self._say(key, **values), flush=True)  # noqa: T201  it is a command's output

    def _end(self) -> None:
        """Everything off, in order; who does not go within its time is killed."""
        self._tell("up.stopping")
        for name in plan.STOP_ORDER:
            keeper = self._keepers.get(name)
            if keeper is not None:
                keeper.send(signal.SIGTERM)
                keeper.wait_ended(_GRACE.get(name, 3.0), time.time())
                self._hurdle.attempt(self._write_status)
        self._tell("up.stopped", data=self._config.folder)
