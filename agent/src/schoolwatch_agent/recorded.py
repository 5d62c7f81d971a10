"""A folder of recorded answers is a machine: `recorder` writes one, `RecordedHost` answers from it.

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

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from schoolwatch_agent.errors import CommandFailed, Hidden, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.host import Host

ERRORS: Final[dict[str, type[OSError]]] = {
    "FileNotFoundError": FileNotFoundError,
    "Hidden": Hidden,
    "NotADirectoryError": NotADirectoryError,
    "PermissionError": PermissionError,
    "ConnectionRefusedError": ConnectionRefusedError,
    "OSError": OSError,
}


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

    def pids(self, name: str) -> tuple[int, ...]:
        """As recorded."""
        return tuple(_given(self._next("pids", name, otherwise=FileNotFoundError)))

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
        if found is None or isinstance(found, int | str):
            return found
        raise NotUnderstood(f"neither number nor text in {value}", type(found).__name__)

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

    def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        """As recorded."""
        return tuple(_given(self._next("dhcp_offers", nic, otherwise=PermissionError), (), timeout))

    def reach(self, plan: str, timeout: float = 30) -> str:
        """As recorded, whatever the plan."""
        return str(_given(self._next("reach", otherwise=Missing), ("reach", plan), timeout))

    def wait(self, seconds: float) -> None:
        """A recorded machine does not wait."""

    def now(self) -> float:
        """As recorded."""
        return self._now

    def uptime(self) -> float:
        """As recorded."""
        return float(_given(self._next("uptime", otherwise=FileNotFoundError)))

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
        raise ERRORS.get(answer.error, OSError)(answer.detail)
    if answer.lines is not None:
        return "\n".join(answer.lines)
    if answer.hex is not None:
        return [bytes.fromhex(part) for part in answer.hex]
    return answer.value if answer.json is None else msgspec.json.encode(answer.json).decode()
