"""A school's line: two network namespaces joined by a link that `tc tbf` shapes both ways.

With a delay, the link is a pair of tap devices and a process between them that holds each frame back (this
kernel has no netem). `tbf` counts whole Ethernet frames without preamble and checksum, so that a TCP
payload of 1,448 bytes (IPv4, time stamps) costs 1,514: `GOODPUT` of the shape is the most that can be seen.
"""

import ctypes
import itertools
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Self

GOODPUT = {4: 1448 / 1514, 6: 1428 / 1514}

CLONE_NEWNET = 0x40000000

QUEUE_MS = 60
"""Room of the shaper's queue: more than the bandwidth-delay product at 30 ms."""

_numbers = itertools.count()


def run(*words: str) -> str:
    """A command that must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@dataclass
class ShapedLine:
    """`with ShapedLine(100, delay_ms=30):` namespaces `server` and `school`; they end with it."""

    mbit: float
    delay_ms: float = 0.0
    server_ip: str = "10.71.0.1"
    school_ip: str = "10.71.0.2"
    server_ip6: str = "fd71::1"
    name: str = field(init=False)
    _forwarder: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        number = next(_numbers)
        self.name = f"sw{os.getpid() % 100000}n{number}"
        self.server, self.school = f"{self.name}s", f"{self.name}c"
        links = f"{self.name}a", f"{self.name}b"
        for namespace in (self.server, self.school):
            run("ip", "netns", "add", namespace)
        try:
            self._join(links)
            for namespace, link, address in (
                (self.server, links[0], self.server_ip),
                (self.school, links[1], self.school_ip),
            ):
                inside = ("ip", "-n", namespace)
                run(*inside, "addr", "add", f"{address}/24", "dev", link)
                v6 = "fd71::" + address.rpartition(".")[2]
                run(*inside, "addr", "add", f"{v6}/64", "dev", link, "nodad")
                run(*inside, "link", "set", "lo", "up")
                run(*inside, "link", "set", link, "up")
                self._shape(namespace, link)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._forwarder is not None:
            self._forwarder.kill()
            self._forwarder.communicate()
        for namespace in (self.server, self.school):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)

    def at_server(self, *words: str) -> list[str]:
        """A command line that runs at the server's end."""
        return ["ip", "netns", "exec", self.server, *words]

    def at_school(self, *words: str) -> list[str]:
        """A command line that runs at the school's end."""
        return ["ip", "netns", "exec", self.school, *words]

    def bound(self) -> socket.socket:
        """A socket of this process that is bound at the server's end, for a server in a thread."""
        made: list[socket.socket] = []

        def make() -> None:  # a thread may go into a namespace alone (setns(2))
            with Path("/run/netns", self.server).open("rb") as namespace:
                assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) == 0
            made.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            made[0].bind((self.server_ip, 0))

        thread = Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def _join(self, links: tuple[str, str]) -> None:
        if not self.delay_ms:
            run("ip", "link", "add", links[0], "type", "veth", "peer", "name", links[1])
        else:
            half = str(self.delay_ms / 2000)
            command = [sys.executable, str(Path(__file__).with_name("delaying.py")), *links, half]
            self._forwarder = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert self._forwarder.stdout is not None
            assert self._forwarder.stdout.readline() == b"ready\n"
        for link, namespace in zip(links, (self.server, self.school), strict=True):
            run("ip", "link", "set", link, "netns", namespace)

    def _shape(self, namespace: str, link: str) -> None:
        burst = max(16_000, int(self.mbit * 1e6 / 8 * 0.004))
        run(
            "tc", "-n", namespace, "qdisc", "add", "dev", link, "root", "tbf",
            "rate", f"{self.mbit}mbit", "burst", str(burst), "latency", f"{QUEUE_MS}ms",
        )  # fmt: skip
