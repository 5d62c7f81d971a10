"""A week of one school's reports, every 5 minutes, with all metrics that may be shown of one."""

import random

from sqlalchemy import Engine

from panels_world import reading
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope
from schoolwatch_contract.topics import topic
from schoolwatch_server.database import credentials, registry, rollups
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING

EVERY = 300.0
_METRICS = [metric for metric in METRICS.values() if shown_alone(metric.name)]


def fill(
    engine: Engine, school: int, end: float, days: float, *, every: float = EVERY, most: int | None = None
) -> list[str]:
    """Takes them in as ever, without a broker; gives the devices: all, or the `most` that came first."""
    with begin_read(engine) as conn:
        rows = sorted(registry.devices(conn, EVERYTHING, school_id=school), key=lambda row: row.id)[:most]
    devices = [row.device for row in rows]
    with begin_write(engine) as conn:
        for row in rows:
            credentials.set_credential(conn, row.id, bytes.fromhex(row.device) * 2, "", 0)
    for device in devices:
        chance = random.Random(device)
        messages = [
            _message(device, seq, end - days * 86_400 + seq * every, chance)
            for seq in range(1, int(days * 86_400 / every))
        ]
        for start in range(0, len(messages), 100):
            take(engine, messages[start : start + 100], Rules())
    rollups.run_once(engine, end, seconds=1e6)
    return devices


def _message(device: str, seq: int, at: float, chance: random.Random) -> Message:
    body = Envelope(1, at, "0.1.0", tuple(reading(metric, chance) for metric in _METRICS))
    header = Header(device, "ab" * 8, seq, 1, at)
    frame = frames.seal(header, envelopes.encode(body), bytes.fromhex(device) * 2)
    return Message(topic(device, "report"), frame, at)
