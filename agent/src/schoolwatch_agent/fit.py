"""Cuts what was observed to what an envelope may carry, so that one odd text never costs a whole report."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from schoolwatch_agent.log import log
from schoolwatch_contract import envelope
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import SCHEMA, Envelope, Fact, Reading, Sighting, possible

Record = Reading | Fact | Sighting

LABEL_MAX, TEXT_MAX = 128, 512
BODY_MAX = 200 * 1024
"""Bytes of a deflated body that surely fit a frame."""


def bodies(taken_at: float, agent: str, records: Iterable[Record]) -> tuple[bytes, ...]:
    """Deflated envelopes that hold all records: one as a rule, more when one cannot hold them, never none.

    What no server would take is left out, and the log says so.
    """
    taken_at = possible(taken_at)
    # What says that a probe ran comes first: the server then forgets that probe's earlier readings.
    fitting = sorted((_fit(record) for record in records), key=lambda r: not _is_outcome(r))
    return _pack(taken_at, agent, _good(taken_at, agent, fitting))


def _is_outcome(record: Record) -> bool:
    return isinstance(record, Reading) and record.metric.startswith("probe.")


def _good(taken_at: float, agent: str, records: Sequence[Record]) -> Sequence[Record]:
    """The records that the contract takes, found by halving."""
    if _body(taken_at, agent, records) is not None:
        return records
    if len(records) == 1:
        log(__name__).warning("left out, because the contract does not take it: %.200r", records[0])
        return ()
    half = len(records) // 2
    return (*_good(taken_at, agent, records[:half]), *_good(taken_at, agent, records[half:]))


def _pack(taken_at: float, agent: str, records: Sequence[Record]) -> tuple[bytes, ...]:
    body = _body(taken_at, agent, records)
    if body is not None:
        return (body,)
    half = len(records) // 2
    return (*_pack(taken_at, agent, records[:half]), *_pack(taken_at, agent, records[half:]))


def _body(taken_at: float, agent: str, records: Sequence[Record]) -> bytes | None:
    """The body, if it decodes as the server will decode it and fits a frame."""
    whole = Envelope(
        SCHEMA,
        taken_at,
        agent,
        tuple(r for r in records if isinstance(r, Reading)),
        tuple(r for r in records if isinstance(r, Fact)),
        tuple(r for r in records if isinstance(r, Sighting)),
    )
    try:
        body = envelope.encode(whole)
        envelope.decode(body)
    except ContractError:
        return None
    return body if len(body) <= BODY_MAX else None


def _fit(record: Record) -> Record:
    if isinstance(record, Reading):
        value = record.value
        known = None if value is None or not math.isfinite(value) else float(value)
        return Reading(record.metric, known, _labels(record.labels))
    if isinstance(record, Fact):
        text = None if record.value is None else _text(record.value, TEXT_MAX)
        return Fact(record.name, text, _labels(record.labels), _text(record.reason, TEXT_MAX))
    return msgspec.structs.replace(
        record,
        subject=_text(record.subject, LABEL_MAX),
        detail={k: _text(v, TEXT_MAX) for k, v in record.detail.items()},
        seen_at=None if record.seen_at is None else possible(record.seen_at),
    )


def _labels(labels: dict[str, str]) -> dict[str, str]:
    return {k: _text(v, LABEL_MAX) for k, v in labels.items()}


def _text(text: str, most: int) -> str:
    return text.encode("utf-8", "replace").decode()[:most]  # file names may hold lone surrogates
