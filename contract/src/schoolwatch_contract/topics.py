"""Topics: `schoolwatch/1/<device>/<leaf>`; the device is also the broker's user name."""

import re
from typing import Literal, get_args

from schoolwatch_contract.errors import ContractError

Leaf = Literal["report", "ack", "settings", "presence", "relay"]

ROOT = "schoolwatch/1"
REPORTS = f"{ROOT}/+/report"
"""What intake subscribes to."""

DEVICE_WRITES: tuple[Leaf, ...] = ("report",)
GATEWAY_WRITES: tuple[Leaf, ...] = ("presence", "relay")
"""What only a gateway writes besides: that it is there, and the frames of others."""

DEVICE_READS: tuple[Leaf, ...] = ("ack", "settings")

_TOPIC = re.compile(rf"{ROOT}/([0-9a-f]{{32}})/({'|'.join(get_args(Leaf))})")


def topic(device: str, leaf: Leaf) -> str:
    """The topic of one device; raises `ContractError` when the device is not 32 hex digits."""
    text = f"{ROOT}/{device}/{leaf}"
    parse(text)
    return text


def parse(text: str) -> tuple[str, str]:
    """Device and leaf of a topic. Raises `ContractError` for any other topic."""
    match = _TOPIC.fullmatch(text)
    if match is None:
        raise ContractError("topic", f"{text[:80]!r} is not {ROOT}/<32 hex digits>/<leaf>")
    return match[1], match[2]
