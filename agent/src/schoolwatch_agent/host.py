"""The only door to the machine: files, programs, sockets, registry, clocks; each gives up after a time.

With another root than `/`, files, sockets and programs are looked for below it, so that a folder is a
machine: a program that is not below the root is not installed there.
"""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from schoolwatch_agent import boot, deadline, program, sessions, sight
from schoolwatch_agent.aside import within
from schoolwatch_agent.child import finish
from schoolwatch_agent.discovery import offers
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.solicitation import solicit

_Seen = TypeVar("_Seen")

TEXT_MAX: Final = 4 << 20
"""Bytes read of one file or socket answer; the rest is left."""

FILE_TIMEOUT: Final = 5.0
POWERSHELL_KEPT: Final = 60.0
"""Seconds that a script's answer serves the next probe that asks the same: starting PowerShell is dear."""


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
        self._scripts: dict[str, tuple[float, str | Exception]] = {}

    def text(self, path: str) -> str:
        """At most 4 MB of a file as UTF-8. Raises OSError as `open` does, `Hidden`, or `TimedOut`."""
        return self._look(path, lambda place: sight.text(place, TEXT_MAX))

    def names(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted. Raises OSError, `Hidden`, or `TimedOut`."""
        return self._look(folder, lambda place: tuple(sorted(os.listdir(place))))  # noqa: PTH208  half the price

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
        return finish((self._program(argv[0]), *argv[1:]), argv, timeout)

    def powershell(self, script: str, timeout: float = 30) -> str:
        """What one of the scripts shipped in `scripts/` prints; `script` is its name without `.ps1`.

        Raises `Missing` where there is no PowerShell, `CommandFailed`, `TimedOut`.
        """
        kept = self._scripts.get(script)
        if kept is None or time.monotonic() - kept[0] >= POWERSHELL_KEPT:
            kept = self._scripts[script] = self._powershell(script, timeout)
        if isinstance(kept[1], str):
            return kept[1]
        raise kept[1]

    def _powershell(self, script: str, timeout: float) -> tuple[float, str | Exception]:
        """What a script printed, or why it did not: six probes do not wait for one that hangs."""
        from schoolwatch_agent.script import encoded  # of no use on Linux

        program = self._program("powershell.exe")
        options = ("-NoProfile", "-NonInteractive", "-EncodedCommand", encoded(script))
        answer: str | Exception
        try:
            answer = finish((program, *options), ("powershell", script), timeout)
        except (CommandFailed, TimedOut) as error:
            answer = error
        return time.monotonic(), answer

    def registry(self, key: str, value: str) -> int | str | None:
        """A value below HKEY_LOCAL_MACHINE in the 64-bit view; None when it is not there.

        Raises `Missing` on a system without a registry, OSError, `TimedOut`; `NotUnderstood` for a value of
        another type than number or text.
        """
        return within(FILE_TIMEOUT, key, lambda: self._registry(key, value))

    def _registry(self, key: str, value: str) -> int | str | None:
        if sys.platform == "win32":
            import winreg

            access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, access) as opened:
                    found = winreg.QueryValueEx(opened, value)[0]
            except FileNotFoundError:
                return None
            if isinstance(found, int | str):
                return found
            raise NotUnderstood(f"neither number nor text in {value}", type(found).__name__)
        raise Missing("the Windows registry")

    def counters(self, name: str) -> Any:
        """`psutil.<name>()` as plain data: named tuples become dicts. `TimedOut`, psutil's errors."""
        import psutil

        return within(FILE_TIMEOUT, name, lambda: _plain(getattr(psutil, name)()))

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        """What a Unix socket answers until it closes. OSError, `Hidden`; `TimedOut` if silent or open."""
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
        return solicit(nic, deadline.cut(timeout))

    def echoes(self, plan: str, timeout: float = 30) -> str:
        """What `schoolwatch_agent.echoes` prints, a child that sends echoes to the hosts of a plan.

        Raises `CommandFailed`, `TimedOut`.
        """
        return finish((*program.module("schoolwatch_agent.echoes"), plan), ("echoes",), timeout)

    def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """Option 108 of what DHCPv4 servers offer, empty without it. Raises as `router_advertisements`."""
        if self.system != "linux":
            raise PermissionError("raw sockets are not used on Windows")
        return offers(nic, deadline.cut(timeout))

    def reach(self, plan: str, timeout: float = 30) -> str:
        """Likewise of `schoolwatch_agent.reach`, a child that tries the names and hosts of a plan."""
        return finish((*program.module("schoolwatch_agent.reach"), plan), ("reach",), timeout)

    def sessions(self) -> list[dict[str, int]]:
        """Each session's number, state and last input, on Windows. `Missing`, OSError, `TimedOut`."""
        return within(FILE_TIMEOUT, "wtsapi32", sessions.sessions)

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
        return finish(program.module("schoolwatch_agent.bandwidth"), ("bandwidth test",), timeout, task)

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
        return within(FILE_TIMEOUT, "ntdll", boot.boot)

    def node_name(self) -> str:
        """The machine's own name; only digests of it may leave."""
        return socket.gethostname()  # platform.node() asks WMI on Windows, which may hang

    def own_names(self) -> tuple[str, ...]:
        """Names that must not leave the machine: its own and its users'. Never raises."""
        node = self.node_name()
        names = {node, node.split(".")[0], *(os.environ.get(name, "") for name in _NAMING)}
        if self.system == "windows":  # a profile is named after its user
            with contextlib.suppress(OSError, TimedOut):
                names |= set(self.names(rf"{os.environ.get('SystemDrive', 'C:')}\Users"))  # noqa: SIM112
        with contextlib.suppress(OSError, TimedOut):  # Windows has no such file
            people = [line.split(":") for line in self.text("/etc/passwd").splitlines()]
            for user, _, number, _, about, *_ in (row for row in people if len(row) > 4):
                if number.isdigit() and int(number) >= 1000:
                    full, *ways = about.split(",")  # and the way to somebody: room, telephones (chfn(1))
                    names |= {user, full.strip(), *(way.strip() for way in ways if len(way) > _NUMBER)}
        return tuple(sorted(name for name in names if len(name) > 2 and name.lower() not in _EVERYWHERE))

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


_NAMING: Final = ("USER", "USERNAME", "COMPUTERNAME", "USERDOMAIN", "USERDNSDOMAIN")
"""Variables of the environment that name a person, a machine or a domain; the last four are Windows'."""

_NUMBER: Final = 6
"""Shorter numbers of somebody's room or extension stand in many texts for something else."""

_EVERYWHERE: Final = frozenset(
    {
        *("root", "nobody", "localhost", "debian", "ubuntu", "admin", "user"),
        *("workgroup", "system", "administrator", "public", "default", "default user", "all users"),
        "desktop.ini",
    }
)
"""In small letters: names of half of all machines: they tell nothing, and cutting them would spoil texts."""


def _plain(value: object) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, int | float | str | bool | None) else str(value)
