"""What commands do around the work: the lock, signals, the log, and words for errors."""

import contextlib
import re
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import msgspec

from schoolwatch_agent import identity, limits, lock, program, schedule
from schoolwatch_agent import tick as ticking
from schoolwatch_agent.chosen import probes_of
from schoolwatch_agent.config import PROXY, AgentConfig
from schoolwatch_agent.host import Host, Own
from schoolwatch_agent.identity import IdentityError
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_agent.texts import Texts

FINE, FAILED, UNUSABLE = 0, 1, 3

VIETNAM = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh has had no summer time since 1975, and Windows has no table of time zones for Python."""

TIME = "%Y-%m-%d %H:%M"


class Wish(msgspec.Struct, frozen=True):
    """How an enrolment was asked for on the command line."""

    url: str
    token: str | None
    token_file: Path | None
    insecure_http: bool
    again: bool
    room: str = ""
    proxy: str = ""

    def __repr__(self) -> str:  # the token must not get into a traceback
        return f"Wish(url={self.url!r})"


def tick(config: AgentConfig, texts: Texts) -> int:
    """One cycle; a second one at the same time does nothing and says so. The exit code."""

    def work() -> int:
        signal.signal(signal.SIGTERM, _end)
        host = own_host(config)
        with limits.kept(config.limits, config.data, host) as last:
            done = ticking.tick(config, host, probes_of(config), last)
        if not done.is_enrolled:
            _say(texts("not_enrolled"))
        if done.is_pending:
            _say(texts("pending"))
        if done.trouble:
            raise done.trouble
        return FINE

    return _locked(config, texts, work, locks=(lock.CYCLE,), otherwise=("already_running", FINE))


def own_host(config: AgentConfig) -> Host:
    """This machine, with the agent's own folder on it."""
    return Host(own=Own(config.data, config.ca))


def run(config: AgentConfig, texts: Texts, file: Path | None) -> int:
    """Becomes the sleeper that starts ticks with this settings file. The exit code."""

    def work() -> int:
        from schoolwatch_agent import sleeper

        credential = identity.read_credential(config.data)
        if credential is not None and credential.pending:
            _say(texts("pending"))
        device = credential.device if credential else identity.install_id(config.data)
        measure = config.schedule.measure
        tick = (*program.command(), "tick", "--lang", texts.language)
        which = () if file is None else ("--config", str(file.absolute()))
        phase = schedule.next_measure(0, measure, device)
        sleeper.become((*tick, *which), measure, phase, schedule.bound(measure))
        return FINE

    return _locked(config, texts, work, locks=(lock.RUN,), otherwise=("already_resident", FAILED))


def stay(config: AgentConfig, texts: Texts) -> int:
    """Measures and keeps its connection until SIGTERM or Ctrl-C. The exit code."""

    def work() -> int:
        from schoolwatch_agent.resident import Resident

        stop = threading.Event()
        host = own_host(config)
        with ticking.open_spool(config, host) as spool:
            resident = Resident(config, host, partial(probes_of, config), spool)

            def end(*_: object) -> None:
                stop.set()
                if resident.is_measuring:  # a cycle may take minutes: it is given up, as a tick's is
                    raise SystemExit(FINE)

            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, end)
            held = identity.read_credential(config.data)
            if held is None or held.pending:
                _say(texts("pending" if held else "not_enrolled"))
            resident.run(stop)
        return FINE

    locks = (lock.RUN, lock.CYCLE)
    return _locked(config, texts, work, locks=locks, otherwise=("already_resident", FAILED))


def enrol(config: AgentConfig, texts: Texts, wish: Wish) -> int:
    """Asks the server for a credential and keeps it. The exit code."""
    from schoolwatch_agent import admission
    from schoolwatch_agent.enrol import EnrolError, Office

    try:
        held = None if wish.again else identity.read_credential(config.data)
        if held is not None:
            _say(texts("enrolled_already", device=held.device))
            if held.pending:
                _say(texts("pending"))
            return FINE
        url = _url(wish, config)
        proxy = _proxy(wish, config)
        office = Office(url, _token(wish, texts), config.ca, wish.insecure_http, wish.room, proxy)
        enrolled = admission.admit(config, office, Host(), partial(_clock_is_wrong, texts))
    except EnrolError as error:
        _say(texts("enrol_failed", problem=error.told(texts)))
        _say(f"  → {texts(f'advice_{error.key}')}")
        return FAILED
    except IdentityError as error:
        return _unusable(texts, error)
    how = "enrolled_pending" if enrolled.credential.pending else "enrolled"
    sys.stdout.write(texts(how, device=enrolled.credential.device, label=enrolled.label) + "\n")
    if proxy != config.server.proxy:
        _say(texts("proxy_not_kept", proxy=proxy))
    return FINE


def _clock_is_wrong(texts: Texts, shown: float, off: float) -> None:
    """The clock showed `shown` (UTC s), `off` seconds less than the server's."""
    mine, servers = (datetime.fromtimestamp(at, VIETNAM).strftime(TIME) for at in (shown, shown + off))
    _say(texts("clock_is_wrong", mine=mine, servers=servers))


def bundle(config: AgentConfig, texts: Texts, out: Path | None, *, everything: bool) -> int:
    """Writes what waits for the server into a file for a stick. The exit code."""
    from schoolwatch_agent import clocks
    from schoolwatch_agent.bundle import BundleError, write

    try:
        credential = identity.read_credential(config.data)
        if credential is None:
            _say(texts("not_enrolled"))
            return FAILED
        moment = clocks.look(Host())
        written = write(config.data / ticking.SPOOL, out, credential, moment, everything=everything)
    except BundleError as error:
        _say(texts(error.key, **error.values))
        return FAILED
    except IdentityError as error:
        return _unusable(texts, error)
    except SpoolError as error:
        return _no_spool(texts, error)
    if written is None:
        sys.stdout.write(texts("bundle_nothing") + "\n")
        return FINE
    first, last = (datetime.fromtimestamp(at, VIETNAM).strftime(TIME) for at in (written.first, written.last))
    told = {"file": written.file, "reports": written.reports, "size": f"{written.size / 1000:.0f}"}
    sys.stdout.write(texts("bundle_written", first=first, last=last, **told) + "\n")
    return FINE


def prepare_image(config: AgentConfig, texts: Texts) -> int:
    """Strips what makes this computer this computer from the data folder. The exit code."""
    from schoolwatch_agent import admission, image

    def work() -> int:
        try:
            gone = image.strip(config.data)
        except OSError as error:
            _say(texts("image_failed", problem=error))
            return FAILED
        sys.stdout.write(texts("image_ready", count=len(gone), data=config.data) + "\n")
        _say(f"  → {texts('image_token' if admission.waits(config) else 'image_no_token')}")
        return FINE

    return _locked(config, texts, work, locks=(lock.RUN, lock.CYCLE), otherwise=("already_resident", FAILED))


def _url(wish: Wish, config: AgentConfig) -> str:
    from schoolwatch_agent.enrol import EnrolError

    if not (wish.url or config.server.url):
        raise EnrolError("no_url")
    return wish.url or config.server.url


def _proxy(wish: Wish, config: AgentConfig) -> str:
    from schoolwatch_agent.enrol import EnrolError

    if not re.fullmatch(PROXY, wish.proxy):
        raise EnrolError("bad_proxy", wish.proxy)
    return wish.proxy or config.server.proxy


def _token(wish: Wish, texts: Texts) -> str:
    from schoolwatch_agent.admission import read_token

    if wish.token is not None:
        return wish.token.strip()
    if wish.token_file is not None:
        return read_token(wish.token_file)
    if sys.stdin.isatty():
        sys.stderr.write(texts("ask_token"))
        sys.stderr.flush()
    return sys.stdin.readline(1000).strip()


def _locked(
    config: AgentConfig,
    texts: Texts,
    work: Callable[[], int],
    *,
    locks: tuple[str, ...],
    otherwise: tuple[str, int],
) -> int:
    try:
        with contextlib.ExitStack() as stack:
            if all(stack.enter_context(lock.held(config.data, name)) for name in locks):
                return work()
    except IdentityError as error:
        return _unusable(texts, error)
    except SpoolError as error:
        return _no_spool(texts, error)
    key, code = otherwise
    _say(texts(key, data=config.data))
    return code


def _no_spool(texts: Texts, error: SpoolError) -> int:
    _say(texts(f"spool_{error.kind}", problem=error))
    if error.kind in ("readonly", "unusable"):
        _say(f"  → {texts('advice_data')}")
    return UNUSABLE


def _end(*_: object) -> None:
    """Ends a tick in good order: what it started ends with it, and what is half written is undone."""
    raise SystemExit(128 + signal.SIGTERM)


def _unusable(texts: Texts, error: IdentityError) -> int:
    if error.damaged:
        _say(texts("credential_damaged", file=error.damaged))
    else:
        _say(texts("data_unusable", problem=error))
        _say(f"  → {texts('advice_data')}")
    return UNUSABLE


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
