"""A school's line to the internet: which device tests it, and what its last test told."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.console import lines
from schoolwatch_server.console.lines import Line
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import states, told
from schoolwatch_server.state import State

SHOWN = (
    "bandwidth.download",
    "bandwidth.upload",
    "bandwidth.line_rate",
    "bandwidth.limited_download",
    "bandwidth.limited_upload",
    "bandwidth.rtt_min",
    "bandwidth.rtt_loaded",
    "bandwidth.skipped",
)


@dataclass(frozen=True, slots=True)
class Tested:
    """The chosen device (None: nobody was chosen), and its last test in words."""

    device_id: int | None
    lines: tuple[Line, ...] = ()


def tested(conn: Connection, school_id: int, words: Words) -> Tested:
    """What is known of a school's line."""
    device_id = told.line_tester(conn, school_id)
    if device_id is None:
        return Tested(None)
    state = states.load(conn, device_id) or State()
    found = (*lines.readings(state, words), *lines.facts(state, words))
    return Tested(device_id, tuple(line for line in found if line.name in SHOWN))
