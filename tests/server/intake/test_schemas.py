"""Agents of older schemas are understood, and what newer ones send waits until this server is upgraded."""

import zlib

import msgspec
import pytest
from sqlalchemy import select, update
from tests.contract.golden import ENVELOPE, FOLDER, HEADER, KEY

from reports import NOW, RULES, World
from schoolwatch_contract import envelope, frame, topics
from schoolwatch_contract.dictionary import DICTIONARY_1
from schoolwatch_contract.records import SCHEMA, Envelope
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.intake.replay import replay

NEWER = SCHEMA + 1
TOPIC = topics.topic(HEADER.device, "report")


@pytest.fixture
def enrolled(world: World) -> World:
    """The device whose frames were recorded."""
    with begin_write(world.engine) as conn:
        row = registry.create_device(conn, world.school, None, "máy ghi mẫu", NOW)
        conn.execute(update(t.device).where(t.device.c.id == row.id).values(device=HEADER.device))
        credentials.set_credential(conn, row.id, KEY, "$7$1$a$b", NOW)
    return world


def stored(world: World) -> list[Envelope]:
    with begin_read(world.engine) as conn:
        return [envelope.decode(body) for (body,) in conn.execute(select(t.journal.c.body))]


@pytest.mark.parametrize("schema", envelope.UNDERSTOOD)
def test_a_recorded_frame_of_each_schema_is_taken_in(enrolled: World, schema: int) -> None:
    recorded = (FOLDER / f"frame-{schema}.bin").read_bytes()
    acks = take(enrolled.engine, [Message(TOPIC, recorded, NOW)], RULES)
    (kept,) = stored(enrolled)
    assert kept.schema == schema
    assert (kept.readings, kept.facts) == (ENVELOPE.readings, ENVELOPE.facts)
    assert HEADER.spool in acks[HEADER.device].spools


def test_a_newer_schema_waits_whole_and_is_taken_in_after_the_upgrade(
    enrolled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=DICTIONARY_1)
    told = msgspec.json.decode(envelope.to_json(ENVELOPE)) | {"schema": NEWER, "something_new": [1, 2]}
    body = deflate.compress(msgspec.json.encode(told)) + deflate.flush()
    sent = frame.seal(msgspec.structs.replace(HEADER, floor=HEADER.seq), body, KEY)
    acks = take(enrolled.engine, [Message(TOPIC, sent, NOW)], RULES)
    assert acks[HEADER.device].spools[HEADER.spool] == HEADER.seq, "the agent would send it for ever"
    assert stored(enrolled) == []
    q = t.quarantine.c
    with begin_read(enrolled.engine) as conn:
        (row,) = conn.execute(select(q.id, q.reason, q.verified, q.frame, q.replayed_at))
    assert (row.reason, row.verified, row.frame) == ("schema", True, sent)

    monkeypatch.setattr(envelope, "UNDERSTOOD", (*envelope.UNDERSTOOD, NEWER))
    monkeypatch.setattr(envelope, "_READERS", {**envelope._READERS, NEWER: envelope._READERS[SCHEMA]})
    assert replay(enrolled.engine, [row.id], now=NOW).taken == (row.id,)
    (kept,) = stored(enrolled)
    assert (kept.schema, kept.readings) == (NEWER, ENVELOPE.readings)
