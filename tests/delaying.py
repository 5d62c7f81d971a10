"""Two tap devices and nothing between them but time: `delaying.py TAP_A TAP_B SECONDS`, each way.

Says "ready" when both are there; they may then be moved into namespaces, for the open file stays good.
"""

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h

AT_ONCE = 64
"""Frames moved before the clock is looked at again."""


def tap(name: str) -> int:
    """A new tap device that lives as long as the file."""
    opened = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return opened


def take(source: int, held: deque[tuple[float, bytes]], delay: float) -> None:
    """Frames that came, each with the moment at which it goes on."""
    for _ in range(AT_ONCE):
        try:
            taken = os.read(source, 65536)
        except OSError:  # no more, or the device is not up yet
            return
        held.append((time.monotonic() + delay, taken))  # after it came: never too early, however many came


def give(target: int, held: deque[tuple[float, bytes]]) -> None:
    """Frames whose moment has come."""
    now = time.monotonic()
    while held and held[0][0] <= now:
        try:
            os.write(target, held[0][1])
        except BlockingIOError:
            return
        except OSError:  # the other end is not up: a frame on a line that is cut
            pass
        held.popleft()


def main(first: str, second: str, seconds: str) -> None:
    """Until it is killed."""
    a, b = tap(first), tap(second)
    print("ready", flush=True)
    delay = float(seconds)
    ways = {a: (b, deque[tuple[float, bytes]]()), b: (a, deque[tuple[float, bytes]]())}
    while True:
        next_due = min((held[0][0] for _, held in ways.values() if held), default=None)
        wait = None if next_due is None else max(next_due - time.monotonic(), 0)
        for source in select.select(list(ways), [], [], wait)[0]:
            take(source, ways[source][1], delay)
        for target, held in ways.values():
            give(target, held)


if __name__ == "__main__":
    main(*sys.argv[1:])
