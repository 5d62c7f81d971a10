"""The one error of the wire: what came is not what the contract says."""

from typing import Literal

Reason = Literal[
    "too_large",
    "truncated",
    "format",
    "dictionary",
    "header",
    "hmac",
    "deflate",
    "bomb",
    "json",
    "schema",
    "value",
    "time",
    "topic",
]
"""Why a frame, a body or a topic was refused; the word is a label of the server's counters."""


DETAIL_MAX = 300
"""Characters of a refusal's text: it is stored and logged, and what it quotes came from outside."""


class ContractError(ValueError):
    """Bytes or values that break the contract; `reason` is for counting, the text is for reading."""

    def __init__(self, reason: Reason, detail: str) -> None:
        detail = detail.encode("utf-8", "backslashreplace").decode()[:DETAIL_MAX]  # a lone surrogate
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail
