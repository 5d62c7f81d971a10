"""Tries frames in quarantine again, after a fix: those that can be decoded now are committed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import credentials, quarantine
from schoolwatch_server.database.commit import Rules, commit
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.intake.accept import Claim, Message, Report, prove, read

_STEP = 200


@dataclass(frozen=True, slots=True)
class Replayed:
    """Ids of frames that were taken in, and why the others still cannot be."""

    taken: tuple[int, ...]
    refused: dict[int, str]


def replay(
    engine: Engine, ids: Collection[int] = (), *, now: float, delivery_period: float = 900.0
) -> Replayed:
    """Commits what can now be decoded of these verified frames (no ids: of all not yet replayed)."""
    taken: list[int] = []
    refused: dict[int, str] = {}
    after = 0
    while True:
        with begin_write(engine) as conn:
            frames = quarantine.replayable(conn, ids, after, _STEP)
            claims = [(id_, read(Message(*message))) for id_, message in frames]
            keys = credentials.find(conn, {c.device for _, c in claims if isinstance(c, Claim)})
            reports: dict[int, Report] = {}
            for id_, claim in claims:
                found = prove(claim, keys.get(claim.device)) if isinstance(claim, Claim) else claim
                if isinstance(found, Report) and found.envelope is not None:
                    reports[id_] = found
                else:
                    refused[id_] = f"{found.reason}: {found.detail}"
            _commit_all(conn, list(reports.values()), delivery_period)
            quarantine.set_replayed(conn, list(reports), now)
        taken += reports
        if len(frames) < _STEP:
            return Replayed(tuple(taken), refused)
        after = frames[-1][0]


def _commit_all(conn: Connection, reports: Sequence[Report], delivery_period: float) -> None:
    if reports:
        commit(conn, reports, rules=Rules(delivery_period=delivery_period, replay=True))
