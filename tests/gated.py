"""A school whose computers reach one machine alone: PC ── gateway ── this machine, as the server's.

Two network namespaces; nothing is forwarded between them. A thread of the tests, or a program, works in one.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Self, TypeVar

CLONE_NEWNET = 0x40000000

Made = TypeVar("Made")


class Gated:
    """`with Gated():` the namespaces; `server` is this machine's address, `lan` the gateway's for its PCs."""

    def __init__(self) -> None:
        number = os.getpid() % 250  # another one for each worker that runs tests
        self.name = f"swg{os.getpid()}"
        self.server, self.server6, self._wan = (
            f"10.214.{number}.1",
            f"fd21:4:{number:x}::1",
            f"10.214.{number}.2",
        )
        self.lan, self.lan6 = f"10.215.{number}.1", f"fd21:5:{number:x}::1"
        self.pc, self.other_pc = f"10.215.{number}.2", f"10.215.{number}.3"

    def __enter__(self) -> Self:
        gate, pc, name = self.place("gate"), self.place("pc"), self.name
        try:
            for place in (gate, pc):
                _ip("netns", "add", place)
                _ip("-n", place, "link", "set", "lo", "up")
            _ip("link", "add", name, "type", "veth", "peer", "name", "wan", "netns", gate)
            _ip("-n", gate, "link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", pc)
            for words in (
                ("addr", "add", f"{self.server}/24", "dev", name),
                ("addr", "add", f"{self.server6}/64", "dev", name, "nodad"),
                ("link", "set", name, "up"),
                ("-n", gate, "addr", "add", f"{self._wan}/24", "dev", "wan"),
                ("-n", gate, "addr", "add", f"{self.server6[:-1]}2/64", "dev", "wan", "nodad"),
                ("-n", gate, "addr", "add", f"{self.lan}/24", "dev", "lan"),
                ("-n", gate, "addr", "add", f"{self.lan6}/64", "dev", "lan", "nodad"),
                ("-n", gate, "link", "set", "wan", "up"),
                ("-n", gate, "link", "set", "lan", "up"),
                ("-n", pc, "addr", "add", f"{self.pc}/24", "dev", "eth0"),
                ("-n", pc, "addr", "add", f"{self.other_pc}/24", "dev", "eth0"),
                ("-n", pc, "addr", "add", f"{self.lan6[:-1]}2/64", "dev", "eth0", "nodad"),
                ("-n", pc, "link", "set", "eth0", "up"),
            ):
                _ip(*words)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing on the real machine."""
        for words in (
            ("link", "del", self.name),
            *(("netns", "del", self.place(at)) for at in ("gate", "pc")),
        ):
            subprocess.run(["ip", *words], capture_output=True, check=False)

    def place(self, at: str) -> str:
        """The name of a namespace: `gate` or `pc`."""
        return f"{self.name}{at}"

    def command(self, at: str, *words: str) -> list[str]:
        """A command line that runs there."""
        return ["ip", "netns", "exec", self.place(at), *words]

    def inside(self, at: str, work: Callable[[], Made]) -> Made:
        """What `work` gives, or raises, in a thread that is there; what it opens stays there."""
        done: Future[Made] = Future()

        def settle() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001  it is raised again where it was asked for
                done.set_exception(error)

        self.thread(at, settle).join(60)
        return done.result(0)

    def thread(self, at: str, work: Callable[[], object]) -> Thread:
        """A started thread that is there, as are those that it starts (setns(2))."""

        def enter() -> None:
            with Path("/run/netns", self.place(at)).open("rb") as namespace:
                assert ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) == 0
            work()

        thread = Thread(target=enter)
        thread.start()
        return thread

    def connect(self, where: tuple[str, int], *, of: str = "") -> socket.socket:
        """The PC's connection to the gateway, from its first address or from `of`."""

        def make() -> socket.socket:
            source = (of or ("" if ":" in where[0] else self.pc), 0)
            return socket.create_connection(where, timeout=20, source_address=source)

        return self.inside("pc", make)

    def set(self, at: str, link: str, state: str) -> None:
        """A link `up` or `down`."""
        _ip("-n", self.place(at), "link", "set", link, state)

    def slow_down(self, at: str, link: str, kbit: int) -> None:
        """What leaves by a link."""
        shaped = ("root", "tbf", "rate", f"{kbit}kbit", "burst", "3000", "latency", "2s")
        words = ("tc", "-n", self.place(at), "qdisc", "replace", "dev", link, *shaped)
        subprocess.run(words, check=True, capture_output=True, timeout=20)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def heard(line: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            got += part
    return got
