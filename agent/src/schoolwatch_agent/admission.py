"""Lets a computer in: asks for its credential and keeps it, now or when the server can be reached.

A frozen computer forgets at each start that it enrolled. It says who it is by digests of its hardware
numbers, so that the server finds the device that it was before. What is needed to ask stays in the data
folder, or in the token file of the settings, until it has served; on a frozen computer for good.
"""

import contextlib
from pathlib import Path

import msgspec

from schoolwatch_agent import enrol, identity
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.enrol import Digests, EnrolError, Office
from schoolwatch_agent.formats import hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.probes.identity import freezing, hints_of

NO_FREEZING = "none"
ENOUGH = 2
"""Kinds of hardware numbers without which one frozen computer cannot be told from the next."""

REFUSED_WAIT = 3600.0
"""Seconds after a refusal before a computer asks again by itself: a wrong token of a whole lab must not
lock the school's address out."""


def admit(config: AgentConfig, office: Office, host: Host) -> Credential:
    """A new credential, kept in the data folder. Raises `EnrolError`, `IdentityError`.

    The token that waited for this is deleted where it is of no more use.
    """
    forgetful = forgets(config, host)
    frozen = _who(office, host) if forgetful else None
    credential = enrol.enrol(office, identity.install_id(config.data), frozen)
    identity.write_credential(config.data, credential)
    if not forgetful:
        with contextlib.suppress(OSError):  # in a folder of the administrator's: it expires anyway
            _waiting(config).unlink(missing_ok=True)
            if config.server.token_file:
                Path(config.server.token_file).unlink(missing_ok=True)
    return credential


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
        office = Office(config.server.url, token, config.server.ca)
    return admit(config, office, host)


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


def _who(office: Office, host: Host) -> Digests:
    digests = hints.digests(enrol.hint_key(office), hints_of(host))
    hardware: dict[str, tuple[str, ...]] = {
        kind: found for kind, found in digests.items() if found and kind != "name"
    }
    if len(hardware) < ENOUGH:
        raise EnrolError("no_hints")
    return hardware
