"""What rules remember from one report to the next; of a computer it is one packed row. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schoolwatch_server.rules.learning import Learnt, Listening
from schoolwatch_server.rules.sighted import Sighted
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import Facts

FACTS: Final = "told facts"
"""Under this a computer's memory has the facts that it told last; no rule's id has a blank."""

LISTENING: Final = "listening since"
"""Under this a gateway's memory has since when its sensors listen."""

Kept = RuleState | Sighted | Learnt | Listening | Facts
"""What one rule remembers of one subject."""

Memory = dict[Subject, dict[str, Kept]]
"""Subject → rule → what is remembered."""


class _Packed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A computer's row; what was seen of its parts has rows of its own."""

    rules: dict[str, RuleState] = {}
    facts: Facts = {}
    listening: Listening = Listening()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(kept: Mapping[str, Kept]) -> bytes:
    """What rules remember of a computer's own readings, and the facts: msgpack."""
    rules = {rule: state for rule, state in kept.items() if isinstance(state, RuleState)}
    facts = kept.get(FACTS)
    listening = kept.get(LISTENING)
    return _encoder.encode(
        _Packed(
            rules,
            facts if isinstance(facts, dict) else {},
            listening if isinstance(listening, Listening) else Listening(),
        )
    )


def unpack(body: bytes) -> dict[str, Kept]:
    """What `pack` was given of it."""
    held = _decoder.decode(body)
    kept: dict[str, Kept] = {**held.rules}
    if held.facts:
        kept[FACTS] = held.facts
    if held.listening.since:
        kept[LISTENING] = held.listening
    return kept


CLOCK_AHEAD = 3600.0
"""Seconds by which what was judged may seem to be still to come."""


def of_a_right_clock(memory: Memory, now: float) -> Memory:
    """What is remembered, without instants after `now` (UTC seconds): the server's clock was ahead then.

    It was set back since; else a computer would not be judged before its clock is there again.
    """
    return {
        about: {
            name: _set_back(state, now)
            if isinstance(state, RuleState) and state.taken_at > now + CLOCK_AHEAD
            else state
            for name, state in kept.items()
        }
        for about, kept in memory.items()
    }


def _set_back(state: RuleState, now: float) -> RuleState:
    first = None if state.first is None or state.first.taken_at > now else state.first
    clear = None if state.clear_since is None or state.clear_since > now else state.clear_since
    past = {
        name: min(getattr(state, name), now)
        for name in ("opened_since", "arrived", "covered_from", "covered_to")
    }
    long_ago = 1.0  # not 0: it was judged before, so what begins now is no fault that it came with
    return msgspec.structs.replace(state, taken_at=long_ago, first=first, clear_since=clear, **past)
