"""The only door to the machine: files, programs, sockets, registry, clocks; each gives up after a time.

What a door needs is loaded when it is opened: most cycles open few of them.

With another root than `/`, files, sockets and programs are looked for below it, so that a folder is a
machine: a program that is not below the root is not installed there.
"""

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from schoolwatch_agent import deadline, program, sight
from schoolwatch_agent.aside import within
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.personal import own_names

_Seen = TypeVar("_Seen")

TEXT_MAX: Final = 4 << 20
"""Bytes read of one file or socket answer; the rest is left."""

FILE_TIMEOUT: Final = 5.0
KEPT: Final = 60.0
"""Seconds that an answer serves the next probe that asks the same: starting a program is dear."""


class Own(msgspec.Struct, frozen=True):
    """What belongs to the agent itself on the machine: its data folder, and the authority it trusts."""

    data: Path
    ca: str = ""


class Host:
    """One machine. Reads only; nothing that it is given from outside is ever executed.

    Without `own` nothing is kept and no test is made that costs the line anything: a look, no cycle.
    """

    system: Literal["linux", "windows"]

    def __init__(self, root: Path = Path("/"), own: Own | None = None) -> None:
        self.root, self.own = root, own
        self.system = "windows" if sys.platform == "win32" else "linux"
        self._told: dict[tuple[str, ...], tuple[float, str | Exception]] = {}

    def text(self, path: str) -> str:
        """At most 4 MB of a file as UTF-8. Raises OSError as `open` does, `Hidden`, or `TimedOut`."""
        return self._look(path, lambda place: sight.text(place, TEXT_MAX))

    def names(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted. Raises OSError, `Hidden`, or `TimedOut`."""
        return self._look(folder, lambda place: tuple(sorted(os.listdir(place))))  # noqa: PTH208  half the price

    def pids(self, name: str) -> tuple[int, ...]:
        """The processes of that name that may be seen on Linux (proc(5)). Raises OSError, `TimedOut`.

        The kernel keeps 15 bytes of a name.
        """
        from schoolwatch_agent.processes import named

        return within(FILE_TIMEOUT, "/proc", lambda: named(name, self._at("/proc")))

    def exists(self, path: str) -> bool:
        """Whether a path is there. Raises PermissionError where it may not look (`Hidden`), `TimedOut`."""
        return within(FILE_TIMEOUT, path, lambda: sight.is_there(self._at(path)))

    def modified(self, path: str) -> float:
        """When a file changed, UTC seconds. Raises OSError, `Hidden`, or `TimedOut`."""
        return self._look(path, lambda place: place.stat().st_mtime)

    def space(self, path: str) -> tuple[int, int]:
        """Size of a file system and what an ordinary user may still fill, in bytes. OSError, `TimedOut`."""

        return within(FILE_TIMEOUT, path, lambda: sight.space(self._at(path)))

    def run(self, *argv: str, timeout: float = 10) -> str:
        """What a program prints, in the C locale. Raises `Missing`, `CommandFailed`, `TimedOut`.

        One that is there and may not be started fails with 126 (`sight.REFUSED`); PermissionError is raised
        where it may not even be looked for.
        """
        return _finish((self._program(argv[0]), *argv[1:]), argv, timeout)

    def run_once(self, *argv: str) -> str:
        """Likewise; who asks the same within `KEPT` seconds is given the same."""
        return self._once(argv, lambda: self.run(*argv))

    def powershell(self, script: str, timeout: float = 30) -> str:
        """What one of the scripts shipped in `scripts/` prints; `script` is its name without `.ps1`.

        Kept as `run_once` does. Raises `Missing` where there is no PowerShell, `CommandFailed`, `TimedOut`.
        """
        return self._once(("powershell", script), lambda: self._powershell(script, timeout))

    def _powershell(self, script: str, timeout: float) -> str:
        from schoolwatch_agent.script import encoded  # of no use on Linux

        program = self._program("powershell.exe")
        options = ("-NoProfile", "-NonInteractive", "-EncodedCommand", encoded(script))
        return _finish((program, *options), ("powershell", script), timeout)

    def _once(self, asked: tuple[str, ...], ask: Callable[[], str]) -> str:
        """What was answered, or why nothing was: six probes do not wait for one program that hangs."""
        kept = self._told.get(asked)
        if kept is None or deadline.clock() - kept[0] >= KEPT:
            answer: str | Exception
            try:
                answer = ask()
            except (CommandFailed, TimedOut) as error:
                answer = error
            kept = self._told[asked] = deadline.clock(), answer
        if isinstance(kept[1], str):
            return kept[1]
        raise kept[1]

    def registry(self, key: str, value: str) -> int | str | None:
        """A value below HKEY_LOCAL_MACHINE in the 64-bit view; None when it is not there.

        Raises `Missing` on a system without a registry, OSError, `TimedOut`; `NotUnderstood` for a value of
        another type than number or text.
        """
        from schoolwatch_agent.registry import read

        return within(FILE_TIMEOUT, key, lambda: read(key, value))

    def counters(self, name: str) -> Any:
        """`psutil.<name>()` as plain data: named tuples become dicts. `TimedOut`, psutil's errors."""
        import psutil

        return within(FILE_TIMEOUT, name, lambda: _plain(getattr(psutil, name)()))

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        """What a Unix socket answers until it closes. OSError, `Hidden`; `TimedOut` if silent or open."""
        if not self.exists(socket_path):  # most often: then nothing need be loaded
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), socket_path)
        import socket

        timeout = deadline.cut(timeout)
        end = time.monotonic() + timeout
        answer = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            try:
                asked.settimeout(timeout)
                with sight.of(self._at(socket_path)):
                    asked.connect(str(self._at(socket_path)))
                asked.sendall(request)
                while len(answer) < TEXT_MAX:
                    asked.settimeout(max(end - time.monotonic(), 0.001))
                    part = asked.recv(65536)
                    if not part:
                        break
                    answer += part
            except TimeoutError as error:
                raise deadline.silent(socket_path, timeout) from error
        return answer

    def router_advertisements(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """ICMPv6 bodies that routers send on a link when solicited (RFC 4861); the first ends the wait.

        Raises PermissionError without CAP_NET_RAW and on Windows, OSError for a link that is not there.
        """
        if self.system != "linux":
            raise PermissionError("raw ICMPv6 sockets are not used on Windows")
        from schoolwatch_agent.solicitation import solicit

        return solicit(nic, deadline.cut(timeout))

    def echoes(self, plan: str, timeout: float = 30) -> str:
        """What `schoolwatch_agent.echoes` prints, a child that sends echoes to the hosts of a plan.

        Raises `CommandFailed`, `TimedOut`.
        """
        return _finish((*program.module("schoolwatch_agent.echoes"), plan), ("echoes",), timeout)

    def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """Option 108 of what DHCPv4 servers offer, empty without it. Raises as `router_advertisements`."""
        if self.system != "linux":
            raise PermissionError("raw sockets are not used on Windows")
        from schoolwatch_agent.discovery import offers

        return offers(nic, deadline.cut(timeout))

    def reach(self, plan: str, timeout: float = 30) -> str:
        """Likewise of `schoolwatch_agent.reach`, a child that tries the names and hosts of a plan."""
        return _finish((*program.module("schoolwatch_agent.reach"), plan), ("reach",), timeout)

    def sessions(self) -> list[dict[str, int]]:
        """Each session's number, state and last input, on Windows. `Missing`, OSError, `TimedOut`."""
        from schoolwatch_agent.sessions import sessions

        return within(FILE_TIMEOUT, "wtsapi32", sessions)

    def kept(self, name: str) -> bytes | None:
        """A small file of the agent's own folder; None when it is not there. `Missing` without a folder."""
        try:
            return (self._own().data / name).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        """Writes such a file, whole or not at all. `Missing` without a folder, `IdentityError`."""
        from schoolwatch_agent.identity import write_private

        write_private(self._own().data / name, content)

    def speed_test(self, order: str, timeout: float) -> str:
        """What the child process of a bandwidth test answers to an order, in JSON both.

        `Missing` without a folder of the agent's own, `CommandFailed`, `TimedOut`.
        """
        own = self._own()
        task = msgspec.json.encode(
            {"order": msgspec.Raw(order.encode()), "data": str(own.data), "ca": own.ca}
        ).decode()
        return _finish(program.module("schoolwatch_agent.bandwidth"), ("bandwidth test",), timeout, task)

    def wait(self, seconds: float) -> None:
        """Lets time pass between two looks."""
        time.sleep(deadline.cut(seconds))

    def now(self) -> float:
        """The wall clock, UTC seconds."""
        return time.time()

    def uptime(self) -> float:
        """Seconds since the start of the system, sleep included; setting the clock does not change it.

        `TimedOut`, psutil's errors on Windows (which count within a second).
        """
        if self.system == "windows":
            return self.now() - float(self.counters("boot_time"))
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """A text that is another one after each start of the operating system."""
        if self.system == "linux":
            return self.text("/proc/sys/kernel/random/boot_id").strip()
        from schoolwatch_agent.boot import boot

        return within(FILE_TIMEOUT, "ntdll", boot)

    def node_name(self) -> str:
        """The machine's own name; only digests of it may leave."""
        import socket

        return socket.gethostname()  # platform.node() asks WMI on Windows, which may hang

    def own_names(self) -> tuple[str, ...]:
        """Names that must not leave the machine: its own and its users'. Never raises."""
        profiles, people = tuple[str, ...](), ""
        if self.system == "windows":  # a profile is named after its user
            with contextlib.suppress(OSError, TimedOut):
                profiles = self.names(rf"{os.environ.get('SystemDrive', 'C:')}\Users")  # noqa: SIM112
        with contextlib.suppress(OSError, TimedOut):  # Windows has no such file
            people = self.text("/etc/passwd")
        return own_names(self.node_name(), os.environ, profiles, people)

    def _own(self) -> Own:
        if self.own is None:
            raise Missing("the agent's own folder")
        return self.own

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/") if self.system == "linux" else Path(path)

    def _look(self, path: str, ask: Callable[[Path], _Seen]) -> _Seen:
        def look() -> _Seen:
            with sight.of(self._at(path)):
                return ask(self._at(path))

        return within(FILE_TIMEOUT, path, look)

    def _program(self, name: str) -> str:
        return within(FILE_TIMEOUT, name, lambda: sight.program(name, self._at, self.system))


def _finish(command: tuple[str, ...], called: tuple[str, ...], timeout: float, asked: str = "") -> str:
    from schoolwatch_agent.child import finish  # a cycle that starts no program saves the loading

    return finish(command, called, timeout, asked)


def _plain(value: object) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, int | float | str | bool | None) else str(value)
