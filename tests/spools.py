"""The agent's spool as tests open, fill and empty it."""

from pathlib import Path

from schoolwatch_agent.spool import Limits, Spool

NOW = 1_800_000_000.0


def opened(path: Path, boot: str = "boot 1", now: float = NOW, **limits: float) -> Spool:
    return Spool(path, boot, now, Limits(**limits))  # type: ignore[arg-type]


def put(spool: Spool, *bodies: bytes, now: float = NOW) -> None:
    spool.put(bodies, b"{}", now)


def due(spool: Spool, now: float = NOW) -> list[bytes]:
    return [held.body for held in spool.due(now, 0, 10_000)]


def publish(spool: Spool, now: float = NOW) -> list[int]:
    ids = [held.id for held in spool.due(now, 0, 10_000)]
    spool.sending(ids, now)
    spool.published(ids, now)
    return ids
