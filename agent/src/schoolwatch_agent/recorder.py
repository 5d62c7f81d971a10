"""Asks a real machine and writes down what it answers, with what is personal cut out: see recorded.py."""

import contextlib
import re
import secrets
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from schoolwatch_agent import personal
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import advertisement
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe, observe
from schoolwatch_agent.recorded import ERRORS, Answer, Recording

_Given = TypeVar("_Given")

_NUMBERS: Final = (
    r"/sys/class/dmi/id/(product_uuid|board_serial)|/sys/class/net/[^/]+/address|/dev/disk/by-id"
)
"""Paths whose whole answer is a number of the machine: asked, and not noted."""


class Recorder(Host):
    """Asks a real machine and notes each answer, with what is personal cut out of it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.root, host.own)
        self.system = host.system
        self._host = host
        self._names = host.own_names()
        self._salt = secrets.token_bytes(16)
        self._now = host.now()
        self.answers: list[Answer] = []

    def text(self, path: str) -> str:
        """Asked and noted."""
        return self._note("text", (path,), lambda: self._host.text(path))

    def names(self, folder: str) -> tuple[str, ...]:
        """Asked and noted."""
        return self._note("names", (folder,), lambda: self._host.names(folder))

    def exists(self, path: str) -> bool:
        """Asked and noted."""
        return self._note("exists", (path,), lambda: self._host.exists(path))

    def modified(self, path: str) -> float:
        """Asked and noted."""
        return self._note("modified", (path,), lambda: self._host.modified(path))

    def space(self, path: str) -> tuple[int, int]:
        """Asked and noted."""
        return self._note("space", (path,), lambda: self._host.space(path))

    def registry(self, key: str, value: str) -> int | str | None:
        """Asked and noted."""
        return self._note("registry", (key, value), lambda: self._host.registry(key, value))

    def counters(self, name: str) -> Any:
        """Asked and noted."""
        return self._note("counters", (name,), lambda: self._host.counters(name))

    def uptime(self) -> float:
        """Asked and noted."""
        return self._note("uptime", (), lambda: self._host.uptime())

    def boot_id(self) -> str:
        """Asked and noted."""
        return self._note("boot_id", (), lambda: self._host.boot_id())

    def pids(self, name: str) -> tuple[int, ...]:
        """Asked and noted."""
        return self._note("pids", (name,), lambda: self._host.pids(name))

    def run(self, *argv: str, timeout: float = 10) -> str:
        """Asked and noted."""
        return self._note("run", argv, lambda: self._host.run(*argv, timeout=timeout))

    def powershell(self, script: str, timeout: float = 30) -> str:
        """Asked and noted."""
        return self._note("powershell", (script,), lambda: self._host.powershell(script, timeout))

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        """Asked and noted."""
        return self._note(
            "ask", (socket_path, request.hex()), lambda: self._host.ask(socket_path, request, timeout)
        )

    def router_advertisements(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """Asked and noted, without the routers' link-layer addresses."""
        return self._note(
            "router_advertisements", (nic,), lambda: self._host.router_advertisements(nic, timeout)
        )

    def kept(self, name: str) -> bytes | None:
        """Asked and noted; what is not there is not recorded."""
        if self._host.own is not None and self._host.kept(name) is None:
            return None
        return self._note("kept", (name,), lambda: self._host.kept(name))

    def keep(self, name: str, content: bytes) -> None:
        """A recording changes nothing."""

    def sessions(self) -> list[dict[str, int]]:
        """Asked and noted."""
        return self._note("sessions", (), lambda: self._host.sessions())

    def speed_test(self, order: str, timeout: float) -> str:
        """Asked and noted."""
        return self._note("speed_test", (), lambda: self._host.speed_test(order, timeout))

    def echoes(self, plan: str, timeout: float = 30) -> str:
        """Asked and noted."""
        return self._note("echoes", (plan,), lambda: self._host.echoes(plan, timeout))

    def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """Asked and noted."""
        return self._note("dhcp_offers", (nic,), lambda: self._host.dhcp_offers(nic, timeout))

    def reach(self, plan: str, timeout: float = 30) -> str:
        """Asked and noted."""
        return self._note("reach", (), lambda: self._host.reach(plan, timeout))

    def wait(self, seconds: float) -> None:
        """Waits as the machine does."""
        self._host.wait(seconds)

    def now(self) -> float:
        """One moment for the whole recording, as `RecordedHost` will answer."""
        return self._now

    def node_name(self) -> str:
        """The machine's; it is not noted."""
        return self._host.node_name()

    def own_names(self) -> tuple[str, ...]:
        """The machine's."""
        return self._names

    def recording(self) -> Recording:
        """All that was answered so far."""
        source = "recorded on a machine by `schoolwatch-agent record`; personal data is cut"
        return Recording(source, self.system, self._now, tuple(self.answers))

    def _note(self, door: str, of: tuple[str, ...], ask: Callable[[], _Given]) -> _Given:
        key = tuple(self._cut(part) for part in of)
        try:
            given = ask()
        except (Missing, CommandFailed, TimedOut, NotUnderstood, OSError) as error:
            self.answers.append(self._failed(door, key, error))
            raise
        if not re.fullmatch(_NUMBERS, " ".join(key)):
            self.answers.append(self._answered(door, key, given))
        return given

    def _answered(self, door: str, key: tuple[str, ...], given: object) -> Answer:
        if isinstance(given, bytes):
            return Answer(door, key, hex=(self._cut(given.decode("latin-1")).encode("latin-1").hex(),))
        if door == "router_advertisements" and isinstance(given, tuple):
            return Answer(door, key, hex=tuple(advertisement.without_addresses(body).hex() for body in given))
        if door == "dhcp_offers" and isinstance(given, tuple):
            return Answer(door, key, hex=tuple(option.hex() for option in given))
        text = self._cut(msgspec.json.encode(given).decode())
        plain = msgspec.json.decode(text)
        if door not in ("text", "run", "powershell", "echoes", "reach", "speed_test"):
            return Answer(door, key, value=plain)
        rows = personal.cut_file(key[0], str(given), self._rename) if door == "text" else None
        written = self._cut(str(given)) if rows is None else rows
        found = _document(written)
        if found is not None:
            return Answer(door, key, json=found)
        return Answer(door, key, lines=tuple(written.split("\n")))

    def _failed(self, door: str, key: tuple[str, ...], error: Exception) -> Answer:
        kind = type(error).__name__
        if isinstance(error, CommandFailed):
            found = _document(self._cut(error.evidence))
            if found is not None:
                return Answer(door, key, error=kind, json=found, code=error.code)
            return Answer(door, key, error=kind, detail=self._cut(error.evidence[:400]), code=error.code)
        if isinstance(error, Missing | TimedOut):
            detail = error.program if isinstance(error, Missing) else error.what
            return Answer(door, key, error=kind, detail=self._cut(detail))
        return Answer(door, key, error=kind if kind in ERRORS else "OSError", detail=self._cut(str(error)))

    def _rename(self, name: str) -> str:
        """One replacement a name, which says nothing of it outside this recording."""
        return f"u{sha256(self._salt + name.encode()).hexdigest()[:8]}"

    def _cut(self, text: str) -> str:
        return personal.cut(text, self._names)


def _document(text: str) -> Any:
    """The JSON object or list in a text; None for another text."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError):  # most answers are not JSON
        found = msgspec.json.decode(text)
        if isinstance(found, dict | list):
            return found
    return None


def record(probe: Probe, host: Host, folder: Path) -> list[Path]:
    """Runs a probe and writes what it was answered into `folder`; returns the files written."""
    recorder = Recorder(host)
    observe(probe, recorder)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{probe.name}.json"
    text = msgspec.json.format(msgspec.json.encode(recorder.recording()), indent=1)
    file.write_bytes(text + b"\n")
    return [file]


def pack(probes: Iterable[Probe], host: Host, folder: Path) -> Path:
    """Records probes into `folder`, and all of its recordings into one ZIP file beside it; returns that."""
    from zipfile import ZIP_DEFLATED, ZipFile

    files = [file for probe in probes for file in record(probe, host, folder)]
    packed = folder.with_name(f"{folder.name}.zip")
    with ZipFile(packed, "w", ZIP_DEFLATED) as made:
        for file in files:
            made.write(file, file.name)
    return packed
