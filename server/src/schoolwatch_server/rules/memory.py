"""What rules remember from one report to the next; of a computer it is one packed row. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schoolwatch_server.rules.sighted import Sighted
from schoolwatch_server.rules.step import RuleState
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import Facts

FACTS: Final = "told facts"
"""Under this a computer's memory has the facts that it told last; no rule's id has a blank."""

Kept = RuleState | Sighted | Facts
"""What one rule remembers of one subject."""

Memory = dict[Subject, dict[str, Kept]]
"""Subject → rule → what is remembered."""


class _Packed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A computer's row; what was seen of its parts has rows of its own."""

    rules: dict[str, RuleState] = {}
    facts: Facts = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(kept: Mapping[str, Kept]) -> bytes:
    """What rules remember of a computer's own readings, and the facts: msgpack."""
    rules = {rule: state for rule, state in kept.items() if isinstance(state, RuleState)}
    facts = kept.get(FACTS)
    return _encoder.encode(_Packed(rules, facts if isinstance(facts, dict) else {}))


def unpack(body: bytes) -> dict[str, Kept]:
    """What `pack` was given of it."""
    held = _decoder.decode(body)
    kept: dict[str, Kept] = {**held.rules}
    if held.facts:
        kept[FACTS] = held.facts
    return kept
