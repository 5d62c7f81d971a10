"""Asks for a computer's credential and keeps it, now or when the server can be reached.

It says who it is by digests of its hardware numbers: so the server tells copies of one disk apart, and finds
again the device that a frozen computer was, which forgets at each start that it enrolled. What is needed to
ask stays in the data folder, or in the token file of the settings, until it has served; on a frozen computer
for good.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from schoolwatch_agent import enrol, identity
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.enrol import Digests, EnrolError, Enrolled, Office, Told
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.log import log
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import listed
from schoolwatch_agent.probes.identity import freezing, hints_of
from schoolwatch_contract.pin import split

NO_FREEZING = "none"
ENOUGH = 2
"""Kinds of hardware numbers without which one frozen computer cannot be told from the next."""

ABOUT = ("os.name", "os.version", "hardware.vendor", "hardware.model", "hardware.chassis")
"""Facts that go with the request; they are told in reports too."""

REFUSED_WAIT = 3600.0
"""Seconds after a refusal before a computer asks again by itself: a wrong token of a whole lab must not
lock the school's address out."""


def _log_clock(shown: float, off: float) -> None:
    log(__name__).warning(
        "this computer's clock (%.0f) is %.0f s off the server's: set its date and time", shown, off
    )


def admit(
    config: AgentConfig, office: Office, host: Host, tell_clock: Callable[[float, float], None] = _log_clock
) -> Enrolled:
    """A new credential, kept in the data folder. Raises `EnrolError`, `IdentityError`.

    `tell_clock` hears what this computer's clock shows and how far the server's is ahead of it (s), where
    that is so far that certificates look out of time.
    The token that waited for this is deleted where it is of no more use.
    """
    enrol.check_address(office.url, insecure_http=office.insecure_http)  # before anybody is asked
    forgetful = forgets(config, host)
    office = _pinned(config, office)
    try:
        enrolled = _ask(config, office, host, forgetful=forgetful)
    except EnrolError as error:
        if error.key != "out_of_time":
            raise
        shown = host.now()
        tell_clock(shown, enrol.clock_error(office, shown))
        office = msgspec.structs.replace(office, timeless=True)
        enrolled = _ask(config, office, host, forgetful=forgetful)
    identity.write_credential(config.data, enrolled.credential)
    if not forgetful:
        with contextlib.suppress(OSError):  # in a folder of the administrator's: it expires anyway
            _waiting(config).unlink(missing_ok=True)
            if config.server.token_file:
                Path(config.server.token_file).unlink(missing_ok=True)
    return enrolled


def _ask(config: AgentConfig, office: Office, host: Host, *, forgetful: bool) -> Enrolled:
    numbers = _hardware(office, host)
    if forgetful and len(numbers) < ENOUGH:
        raise EnrolError("no_hints")  # the server would not find it again
    told = Told(numbers, forgetful, _about(host))
    return enrol.enrol(office, identity.install_id(config.data), told)


def _pinned(config: AgentConfig, office: Office) -> Office:
    """With the authority that the code names, fetched and kept; the settings' own authority goes before."""
    token, pin = split(office.token)
    if not pin:
        return office
    office = msgspec.structs.replace(office, token=token)
    if config.server.ca:
        return office
    pem = enrol.authority(office, pin)
    kept = config.data / identity.AUTHORITY
    identity.write_private(kept, pem.encode())
    return msgspec.structs.replace(office, ca=str(kept))


def forgets(config: AgentConfig, host: Host) -> bool:
    """Whether a restart puts the data folder back: freezing software is here, and no thawed folder is set."""
    return not config.agent.thawed and freezing(host) not in (NO_FREEZING, None)


def wait(config: AgentConfig, office: Office) -> None:
    """Keeps what is needed to ask in a later cycle, for the agent alone. Raises `IdentityError`."""
    identity.write_private(_waiting(config), msgspec.json.encode(office))


def waits(config: AgentConfig) -> bool:
    """Whether a computer without a credential can ask for one by itself."""
    return bool(config.server.token_file) or _waiting(config).exists()


def admit_unasked(config: AgentConfig, host: Host, known: Memory) -> Credential | None:
    """With what waits, if anything does and it is time. Raises `EnrolError`, `IdentityError`."""
    if not waits(config) or not is_time(known, host.now()):
        return None
    office = _kept(config)
    if office is None:
        token = read_token(Path(config.server.token_file))
        office = Office(config.server.url, token, config.ca, proxy=config.server.proxy)
    elif config.server.proxy:  # it may have been named since: that is why it had to wait
        office = msgspec.structs.replace(office, proxy=config.server.proxy)
    return admit(config, office, host).credential


def is_time(known: Memory, now: float) -> bool:
    """At each cycle, but not within the hour after a refusal."""
    last = known.outcome
    return last is None or last.kind != "refused" or not 0 <= now - last.at < REFUSED_WAIT


def read_token(path: Path) -> str:
    """The token in a file. Raises `EnrolError`."""
    try:
        return path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolError("token_file", enrol.words(error)) from error


def _waiting(config: AgentConfig) -> Path:
    return config.data / identity.WAITING


def _kept(config: AgentConfig) -> Office | None:
    """A damaged file is nothing where a token file is named, and said where none is."""
    try:
        return msgspec.json.decode(_waiting(config).read_bytes(), type=Office)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        if not config.server.token_file:
            raise EnrolError("token_file", enrol.words(error)) from error
    return None


def _hardware(office: Office, host: Host) -> Digests:
    """Digests of the numbers that this machine tells; of the kinds that it does not tell, none."""
    key = enrol.hint_key(office)
    try:
        digests = hints.digests(key, hints_of(host))
    except (OSError, Missing, CommandFailed, TimedOut, NotUnderstood):
        return {}
    return {kind: found for kind, found in digests.items() if found and kind != "name"}


def _about(host: Host) -> Mapping[str, str]:
    """Facts by which who lets computers in recognises this one; those that are known."""
    facts = (
        fact for probe in (listed("system", 0), listed("hardware", 0)) for fact in observe(probe, host).facts
    )
    return {fact.name: fact.value[:128] for fact in facts if fact.name in ABOUT and fact.value}
