"""A folder of recorded answers is a machine: `Recorder` writes one, `RecordedHost` answers from it.

One recording is a JSON file:

    {"_source": "where it is from", "system": "linux", "now": 1795403502.0, "answers": [
        {"door": "text", "of": ["/proc/uptime"], "lines": ["1740.97 3301.39", ""]},
        {"door": "run", "of": ["ip", "-j", "addr"], "json": [...]},
        {"door": "run", "of": ["ufw", "status"], "error": "Missing", "detail": "ufw"}]}

An answer is `lines` (text), `json` (text that is JSON), `hex` (bytes), `value` (anything else) or `error`; a
program that failed has `error`, `code`, and what it printed as `detail` or `json`.
The same question asked again gets the next answer, and the last one from then on. A question that was not
recorded is one that the machine cannot answer: no such file, no such program.
"""

import contextlib
import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from schoolwatch_agent import personal
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.formats import advertisement
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe, observe

_Given = TypeVar("_Given")
_ERRORS: Final[dict[str, type[OSError]]] = {
    "FileNotFoundError": FileNotFoundError,
    "PermissionError": PermissionError,
    "ConnectionRefusedError": ConnectionRefusedError,
    "OSError": OSError,
}


_NUMBERS: Final = (
    r"/sys/class/dmi/id/(product_uuid|board_serial)|/sys/class/net/[^/]+/address|/dev/disk/by-id"
)
"""Paths whose whole answer is a number of the machine: asked, and not noted."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a door was asked, and what it said."""

    door: str
    of: tuple[Any, ...] = ()
    lines: tuple[str, ...] | None = None
    json: Any = None
    hex: tuple[str, ...] | None = None
    value: Any = None
    error: str = ""
    detail: str = ""
    code: int = 0


class Recording(msgspec.Struct, frozen=True):
    """One file: which machine's answers, when."""

    source: str = msgspec.field(name="_source")
    system: Literal["linux", "windows"]
    now: float
    answers: tuple[Answer, ...]


class RecordedHost(Host):
    """Answers every door from the recordings in a folder, or from one file; never asks the machine."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
        recordings = [msgspec.json.decode(file.read_bytes(), type=Recording) for file in files]
        if not recordings:
            raise FileNotFoundError(f"no recording in {folder}")
        super().__init__(folder)
        self.system = recordings[0].system
        self._now = recordings[0].now
        self._answers: dict[str, list[Answer]] = {}
        self.written: dict[str, bytes] = {}
        self.ordered: list[str] = []
        for answer in (answer for recording in recordings for answer in recording.answers):
            self._answers.setdefault(_question(answer.door, answer.of), []).append(answer)

    def text(self, path: str) -> str:
        """As recorded."""
        return str(_given(self._next("text", path, otherwise=FileNotFoundError)))

    def names(self, folder: str) -> tuple[str, ...]:
        """As recorded."""
        return tuple(_given(self._next("names", folder, otherwise=FileNotFoundError)))

    def exists(self, path: str) -> bool:
        """As recorded."""
        key = _question("exists", (path,))
        return bool(_given(self._answers[key][0])) if key in self._answers else False

    def modified(self, path: str) -> float:
        """As recorded."""
        return float(_given(self._next("modified", path, otherwise=FileNotFoundError)))

    def space(self, path: str) -> tuple[int, int]:
        """As recorded."""
        size, free = _given(self._next("space", path, otherwise=FileNotFoundError))
        return int(size), int(free)

    def run(self, *argv: str, timeout: float = 10) -> str:
        """As recorded."""
        return str(_given(self._next("run", *argv, otherwise=Missing), argv, timeout))

    def powershell(self, script: str, timeout: float = 30) -> str:
        """As recorded."""
        return str(
            _given(self._next("powershell", script, otherwise=Missing), ("powershell", script), timeout)
        )

    def registry(self, key: str, value: str) -> int | str | None:
        """As recorded."""
        question = _question("registry", (key, value))
        found = _given(self._answers[question][0]) if question in self._answers else None
        return found if isinstance(found, int | str) else None

    def counters(self, name: str) -> Any:
        """As recorded."""
        return _given(self._next("counters", name, otherwise=Missing))

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        """As recorded."""
        given = _given(
            self._next("ask", socket_path, request.hex(), otherwise=FileNotFoundError), (), timeout
        )
        return b"".join(given)

    def router_advertisements(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """As recorded."""
        return tuple(_given(self._next("router_advertisements", nic, otherwise=PermissionError), (), timeout))

    def kept(self, name: str) -> bytes | None:
        """As recorded; what was kept since comes first."""
        if name in self.written:
            return self.written[name]
        key = _question("kept", (name,))
        return None if key not in self._answers else b"".join(_given(self._answers[key][0]))

    def keep(self, name: str, content: bytes) -> None:
        """Kept in memory."""
        self.written[name] = content

    def sessions(self) -> list[dict[str, int]]:
        """As recorded."""
        return [dict(each) for each in _given(self._next("sessions", otherwise=Missing))]

    def speed_test(self, order: str, timeout: float) -> str:
        """As recorded, whatever was ordered."""
        self.ordered.append(order)
        return str(_given(self._next("speed_test", otherwise=Missing), ("bandwidth test",), timeout))

    def echoes(self, plan: str, timeout: float = 30) -> str:
        """As recorded."""
        return str(_given(self._next("echoes", plan, otherwise=Missing), ("echoes",), timeout))

    def wait(self, seconds: float) -> None:
        """A recorded machine does not wait."""

    def now(self) -> float:
        """As recorded."""
        return self._now

    def boot_id(self) -> str:
        """As recorded."""
        return str(_given(self._next("boot_id", otherwise=FileNotFoundError)))

    def node_name(self) -> str:
        """A recorded machine has lost its name."""
        return "recorded"

    def own_names(self) -> tuple[str, ...]:
        """As recorded."""
        return ()

    def _next(self, door: str, *of: str, otherwise: type[Exception]) -> Answer:
        answers = self._answers.get(_question(door, of))
        if not answers:
            raise otherwise(of[0] if of else door)
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _question(door: str, of: tuple[Any, ...]) -> str:
    return msgspec.json.encode([door, *of]).decode()


def _given(answer: Answer, argv: tuple[str, ...] = (), timeout: float = 5) -> Any:
    """The recorded answer, or the recorded error raised."""
    if answer.error == "Missing":
        raise Missing(answer.detail)
    if answer.error == "CommandFailed":
        printed = answer.detail if answer.json is None else msgspec.json.encode(answer.json).decode()
        raise CommandFailed(argv, answer.code, printed)
    if answer.error == "TimedOut":
        raise TimedOut(answer.detail, timeout)
    if answer.error:
        raise _ERRORS.get(answer.error, OSError)(answer.detail)
    if answer.lines is not None:
        return "\n".join(answer.lines)
    if answer.hex is not None:
        return [bytes.fromhex(part) for part in answer.hex]
    return answer.value if answer.json is None else msgspec.json.encode(answer.json).decode()


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

    def boot_id(self) -> str:
        """Asked and noted."""
        return self._note("boot_id", (), lambda: self._host.boot_id())

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
        except (Missing, CommandFailed, TimedOut, OSError) as error:
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
        text = self._cut(msgspec.json.encode(given).decode())
        plain = msgspec.json.decode(text)
        if door not in ("text", "run", "powershell", "echoes", "speed_test"):
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
        return Answer(door, key, error=kind if kind in _ERRORS else "OSError", detail=self._cut(str(error)))

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
