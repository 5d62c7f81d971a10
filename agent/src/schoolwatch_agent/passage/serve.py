"""Opens the passage's addresses, and works until it is ended."""

import signal
import socket
import sys
from collections.abc import Sequence

from schoolwatch_agent.passage.head import address
from schoolwatch_agent.passage.line import Bounds
from schoolwatch_agent.passage.loop import Passage

FINE, FAILED = 0, 1


def listen(where: str) -> socket.socket:
    """At an IP address and port of this machine. Raises OSError."""
    host, port = address(where)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)


def main(words: Sequence[str]) -> int:
    """Connections in all and of one client, addresses to listen at (by commas), `host:port` of the server's.

    The exit code: 1 when it can't listen there, which a later start may.
    """
    connections, per_client, where, *names = words
    listening = []
    try:
        for each in where.split(","):
            listening.append(listen(each))
    except OSError as error:
        _say(f"{each}: {error.strerror or error}")
        return FAILED
    passage = Passage(listening, names, Bounds(int(connections), int(per_client)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: passage.stop())
    signal.set_wakeup_fd(passage.waker.fileno(), warn_on_full_buffer=False)
    passage.run(_say)
    return FINE


def _say(text: str) -> None:
    sys.stderr.write(f"passage: {text}\n")
    sys.stderr.flush()
