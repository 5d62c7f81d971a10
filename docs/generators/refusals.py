"""docs/refusals.md: the reasons for which a frame, body, topic or acknowledgement is refused."""

from typing import get_args

from generators.markdown import code, table
from generators.markdown import page as whole
from schoolwatch_contract.envelope import INFLATED_MAX
from schoolwatch_contract.errors import Reason
from schoolwatch_contract.frame import FRAME_MAX, KEY_BYTES

MEANING: dict[str, tuple[str, str]] = {
    "too_large": (f"more than {FRAME_MAX} bytes", "nothing: the broker refuses it from its header"),
    "truncated": ("the bytes end too early", "look for a broken line, relay or USB stick"),
    "format": ("the first byte is no format known here", "upgrade the server before the agents"),
    "dictionary": ("deflated with a dictionary not known here", "upgrade the server before the agents"),
    "header": ("device, spool, seq or floor can't be", "look at the sender: it is not our agent"),
    "hmac": (f"not made with this device's key of {KEY_BYTES} bytes", "enrol the device anew if it is ours"),
    "deflate": ("no deflate stream, or bytes after its end", "look at the agent's version"),
    "bomb": (f"inflates to more than {INFLATED_MAX} bytes", "look at the device: somebody tries"),
    "json": ("not JSON in UTF-8", "look at the agent's version"),
    "schema": ("a schema number not known here", "upgrade the server, then replay"),
    "value": ("a value that the schema does not allow", "look at the probe it names, then replay"),
    "time": ("a time outside the years 1980 to 2100", "set the machine's clock; replace its battery"),
    "topic": ("no topic of ours", "look at who has a broker account"),
}
"""Reason to what it means, and what to do about it."""


def page() -> str:
    """One row a reason, in the order of the code."""
    rows = ((code(reason), *MEANING[reason]) for reason in get_args(Reason))
    return whole(
        "Why something from the wire is refused",
        "These words are what the contract's `ContractError` gives as its reason.\n"
        "[wire.md](wire.md) says what happens to what is refused.",
        table(("Reason", "Meaning", "What to do"), rows),
    )
