"""One batch of messages: decided, committed in one transaction, and what to acknowledge for it."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, exc

from schoolwatch_contract.ack import Ack
from schoolwatch_server.database import credentials
from schoolwatch_server.database.commit import Committed, Rules, commit
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.guard import is_away
from schoolwatch_server.intake.accept import Claim, Message, Refused, Report, prove, read

log = logging.getLogger(__name__)


def take(engine: Engine, messages: Sequence[Message], rules: Rules) -> dict[str, Ack]:
    """Commits messages in their order; gives each device's new ack. Raises as `take_counted` does."""
    return take_counted(engine, messages, rules).acks


def take_counted(engine: Engine, messages: Sequence[Message], rules: Rules) -> Committed:
    """Commits messages in their order; gives each device's new ack, and how many came to what.

    Raises SQLAlchemy's errors when the database cannot be reached or written (`is_away`); then nothing was
    committed. One frame that the database won't store is put in quarantine, and the others are committed.
    """
    reports, refused = decide(engine, messages)
    try:
        with begin_write(engine) as conn:
            return commit(conn, reports, refused, rules)
    except (exc.SQLAlchemyError, ValueError, OverflowError, RecursionError) as error:
        if is_away(error):
            raise
        log.warning("a batch of %d cannot be stored as one (%s): one by one", len(messages), _short(error))
    return _one_by_one(engine, reports, refused, rules)


def decide(engine: Engine, messages: Sequence[Message]) -> tuple[list[Report], list[Refused]]:
    """Which messages are reports and which are not; reads the devices' keys."""
    claims = [read(message) for message in messages]
    devices = {claim.device for claim in claims if isinstance(claim, Claim)}
    if devices:
        with begin_read(engine) as conn:
            keys = credentials.find(conn, devices)
    reports: list[Report] = []
    refused: list[Refused] = []
    for claim in claims:
        found = prove(claim, keys.get(claim.device)) if isinstance(claim, Claim) else claim
        if isinstance(found, Report):
            reports.append(found)
        else:
            refused.append(found)
    return reports, refused


def _one_by_one(
    engine: Engine, reports: Sequence[Report], refused: Sequence[Refused], rules: Rules
) -> Committed:
    with begin_write(engine) as conn:
        all_ = commit(conn, [], refused, rules)
    for report in reports:
        one = _alone(engine, report, rules)
        all_.acks.update(one.acks)
        all_.counts.update(one.counts)
    return all_


def _alone(engine: Engine, report: Report, rules: Rules) -> Committed:
    try:
        with begin_write(engine) as conn:
            return commit(conn, [report], (), rules)
    except (exc.SQLAlchemyError, ValueError, OverflowError, RecursionError) as error:
        if is_away(error):
            raise
        poison = replace(report, envelope=None, reason="commit", detail=_short(error))
    with begin_write(engine) as conn:
        return commit(conn, [poison], (), rules)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:120]
