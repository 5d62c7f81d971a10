"""What a test's child process is told on its standard input, and what it answers on its standard output."""

from typing import Annotated, Literal

import msgspec

from schoolwatch_agent.errors import NotUnderstood

Family = Literal[4, 6]

Why = Literal[
    "asleep",
    "budget",
    "paced",
    "locked",
    "not_enrolled",
    "not_installed",
    "no_server",
    "line_busy",
    "server_full",
    "refused",
    "not_itself",
    "unreachable",
    "interrupted",
]
"""Why a planned test was not made; `paced`: so that the budget lasts until the end of the month.
`not_itself`: a sign-in page or a proxy answers in the server's place."""


class Order(msgspec.Struct, frozen=True):
    """Where to ask for leave, which family to try first, and how many bytes may be spent at most."""

    url: str
    family: Family
    bytes_left: int


class Task(msgspec.Struct, frozen=True):
    """An order with what only the machine's door knows: the agent's folder, and the authority to trust."""

    order: Order
    data: str
    ca: str = ""


class Way(msgspec.Struct, frozen=True):
    """One direction: goodput in bit/s, bytes moved, seconds, round-trip times in seconds (None: unknown).

    `line_rate` is the same in Ethernet frames, what a shaper counts: headers are about 5 % of it (None: the
    system that received does not tell). `rtt_loaded` is the median while the line was full. `limited` is the
    server's word that it was the narrow place itself, `line_share` how much of its line was taken.
    """

    rate: float
    bytes: int
    seconds: float
    rtt_min: float | None = None
    rtt_loaded: float | None = None
    limited: bool = False
    line_share: float | None = None
    congestion_control: str = ""
    line_rate: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How a test ended: measured when `skipped` is empty, else why not, and in how many seconds to ask again.

    `busy` is the share of a processor that this end needed, or of all that the machine was using.
    """

    skipped: Why | Literal[""] = ""
    detail: Annotated[str, msgspec.Meta(max_length=400)] = ""
    retry: float = 0.0
    family: Family | None = None
    server: str = ""
    rate: float | None = None
    assumed: bool = False
    download: Way | None = None
    upload: Way | None = None
    busy: float | None = None
    bytes: int = 0


def encode(value: Order | Task | Outcome) -> str:
    """JSON in one line."""
    return msgspec.json.encode(value).decode()


def decode_task(text: str) -> Task:
    """Raises `NotUnderstood`."""
    try:
        return msgspec.json.decode(text, type=Task)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise NotUnderstood(f"no task of a bandwidth test ({error})", "") from error


def decode_outcome(text: str) -> Outcome:
    """Raises `NotUnderstood`."""
    try:
        return msgspec.json.decode(text, type=Outcome)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(f"no outcome of a bandwidth test ({error})", text) from error
