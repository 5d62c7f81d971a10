"""One tick: a cycle, then a delivery when it is time; nothing stays in memory afterwards."""

from collections.abc import Sequence

import msgspec

from schoolwatch_agent import cycle, identity, memory, schedule, settings
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential, IdentityError
from schoolwatch_agent.log import log
from schoolwatch_agent.memory import Memory, Outcome
from schoolwatch_agent.probe import Observed, Probe
from schoolwatch_agent.spool import Limits, Spool
from schoolwatch_agent.spool_file import SpoolError

SPOOL = "spool.db"


class Ticked(msgspec.Struct, frozen=True):
    """What a tick came to: the delivery's outcome (None: it was not time), whether the device is enrolled.

    `is_pending` says that it waits to be let in. `trouble` is why the spool could not take or give what it
    should.
    """

    outcome: Outcome | None
    is_enrolled: bool
    trouble: SpoolError | None = None
    is_pending: bool = False


def tick(config: AgentConfig, host: Host, probes: Sequence[Probe], last: Observed = cycle.NOTHING) -> Ticked:
    """Measures and stores, and delivers when something changed or the device's period began anew.

    A delivery ends within the period, so that the next measurement is not missed. `last` is what there is
    to tell of the tick before. A disk that takes nothing any more costs what is measured its place to wait.
    Raises `IdentityError` and, when nothing can be stored or read at all, `SpoolError`.
    """
    credential, damage = _credential(config)
    device = credential.device if credential else identity.install_id(config.data)
    pace = cycle.Pace(device, "tick", config.schedule.measure, last)
    try:
        opened = open_spool(config, host)
    except SpoolError as error:
        if credential is None or error.kind not in ("readonly", "full"):
            raise
        return Ticked(_pass(config, host, probes, credential, pace), is_enrolled=True, trouble=error)
    with opened as spool:
        trouble = None
        try:
            known = cycle.run_cycle(host, probes, spool, pace)
        except SpoolError as error:  # a full disk: what is stored already can still be delivered
            log(__name__).error("%s", error)
            trouble, known = error, memory.decode(spool.memory(host.now()))
        if damage is not None:
            raise damage
        if credential is None:
            credential = _admitted(config, host, spool, known)
        if credential is None or not is_time(config, known, device, host.now()):
            is_pending = credential is not None and credential.pending
            return Ticked(None, credential is not None, trouble, is_pending)
        outcome = _deliver(config, host, spool, credential)
        return Ticked(outcome, is_enrolled=True, trouble=trouble, is_pending=outcome.kind == "pending")


def _credential(config: AgentConfig) -> tuple[Credential | None, IdentityError | None]:
    """The credential, or that it is damaged: then what is measured waits until somebody enrols again."""
    try:
        return identity.read_credential(config.data), None
    except IdentityError as error:
        if error.damaged is None:
            raise
        return None, error


def _pass(
    config: AgentConfig, host: Host, probes: Sequence[Probe], credential: Credential, pace: cycle.Pace
) -> Outcome | None:
    from schoolwatch_agent import passing  # rarely needed

    return passing.tick(config, host, probes, credential, pace)


def open_spool(config: AgentConfig, host: Host) -> Spool:
    """The spool of the data folder, in the generation of this boot. Raises `SpoolError`."""
    try:
        boot = host.boot_id()
    except (OSError, ValueError, TimedOut) as error:  # a number must never be used twice
        log(__name__).warning("the boot has no name (%s): each start is a generation of its own", error)
        boot = ""
    limits = Limits(
        max_bytes=config.spool.max_bytes,
        max_age=config.spool.max_age,
        keep_acked=config.spool.keep_acked,
        retry_first=config.delivery.retry_first,
        retry_max=config.delivery.retry_max,
    )
    return Spool(config.data / SPOOL, boot, host.now(), limits)


def is_time(config: AgentConfig, known: Memory, device: str, now: float) -> bool:
    """Whether to deliver now."""
    if config.schedule.deliver <= config.schedule.measure:
        return True
    return schedule.deliver_now(
        now=now,
        delivered_at=known.delivered_at,
        urgent=known.urgent,
        deliver=config.schedule.deliver,
        device=device,
    )


def settle(spool: Spool, outcome: Outcome) -> None:
    """Remembers how a delivery ended, and says it once when it is another end than the last."""
    known = memory.decode(spool.memory(outcome.at))
    before = known.outcome.kind if known.outcome else "delivered"
    if outcome.kind != before:
        say = log(__name__).info if outcome.kind == "delivered" else log(__name__).warning
        say("delivery: %s %s", outcome.kind, outcome.detail)
    known = msgspec.structs.replace(known, outcome=outcome)
    if outcome.kind == "delivered":
        known = msgspec.structs.replace(known, urgent=False, delivered_at=outcome.at)
    spool.remember(memory.encode(known), outcome.at)


def _admitted(config: AgentConfig, host: Host, spool: Spool, known: Memory) -> Credential | None:
    """The credential for which a token waited; why it brought none is remembered."""
    if not config.server.token_file and not (config.data / identity.WAITING).exists():
        return None
    from schoolwatch_agent import admission  # dear to import
    from schoolwatch_agent.enrol import EnrolError

    try:
        return admission.admit_unasked(config, host, known)
    except EnrolError as error:
        settle(spool, Outcome(error.outcome, host.now(), f"enrolment: {error.key} {error.detail}".strip()))
        return None


def _deliver(config: AgentConfig, host: Host, spool: Spool, credential: Credential) -> Outcome:
    from schoolwatch_agent.on_use import loaded_on_use

    with loaded_on_use("urllib.request"):  # paho would ask it for a proxy, were it not we who choose the way
        from schoolwatch_agent import delivery  # a tick that only measures needs no MQTT

    outcome = delivery.deliver(spool, credential, config, host, config.schedule.measure * 0.8)
    settle(spool, outcome)
    if settings.is_renewal_due(config.data, credential):  # afterwards: a broker knows new ones seconds later
        from schoolwatch_agent import renewal  # HTTP only where it is needed

        renewal.step(config, host, credential)
    return outcome
