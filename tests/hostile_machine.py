"""Machines that are broken or mean: one whose doors all do the same, and a real one that lies at each door.

Run as a program it observes every probe on such a real machine, and prints what came of each as JSON.
"""

import inspect
import os
import sys
import time
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from schoolwatch_agent.errors import Missing, NotUnderstood
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed, Probe, observe
from schoolwatch_agent.probes import PROBES

How = Callable[[str, tuple[Any, ...], Any], Any]
"""What a door does: its name, what it was asked, the type that it should answer with."""

_OURS = {"now", "uptime", "boot_id", "wait", "own_names"}
"""Doors to the agent's own clock and names; what is hostile there has tests of its own."""

DOORS = tuple(
    name
    for name, method in inspect.getmembers(Host, inspect.isfunction)
    if not name.startswith("_") and name not in _OURS
)


class Hostile(Host):
    """A machine each of whose doors does the same, also a door that was made after this."""

    def __init__(self, how: How, system: str) -> None:
        super().__init__(Path("/nonexistent"))
        self.system = "windows" if system == "windows" else "linux"
        for name in DOORS:
            answers = typing.get_type_hints(getattr(Host, name)).get("return", Any)
            setattr(self, name, partial(self._answer, how, name, answers))

    def _answer(self, how: How, door: str, answers: Any, *of: Any, **_: Any) -> Any:
        return how(door, of, answers)

    def wait(self, seconds: float) -> None:
        return None

    def own_names(self) -> tuple[str, ...]:
        return ()


def _hangs() -> int:
    time.sleep(30)
    return 1


def _raises(error: Exception) -> int:
    raise error


REGISTRIES: dict[str, Callable[[], int | str | None]] = {
    "missing": lambda: _raises(Missing("the Windows registry")),
    "hangs": _hangs,
    "refused": lambda: _raises(PermissionError(13, "Access is denied")),
    "broken": lambda: _raises(OSError(1016, "An I/O operation initiated by the registry failed")),
    "binary": lambda: _raises(NotUnderstood("neither number nor text", "bytes")),
    "garbage": lambda: "\x00\ufffd{]\u202e yes",
    "a number": lambda: 2**64 - 1,
    "empty": lambda: "",
    "absent": lambda: None,
}
"""What each value of a registry is, or how asking for it ends."""


class Lying(Host):
    """A real machine on which each program is `program`, each file is `file`, each socket `socket`.

    Its registry is a mock, one of `REGISTRIES`: there is none to be had here.
    """

    def __init__(self, system: str, program: Path | None, file: Path, socket: Path, registry: str) -> None:
        super().__init__()
        self.system = "windows" if system == "windows" else "linux"
        self._value = REGISTRIES[registry]
        self._fake, self._file, self._socket, self._asking = program, file, socket, False

    def _program(self, name: str) -> str:
        return super()._program("no such program") if self._fake is None else str(self._fake)

    def _at(self, path: str) -> Path:
        return self._socket if self._asking else self._file

    def _registry(self, key: str, value: str) -> int | str | None:
        return self._value()

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        self._asking = True
        try:
            return super().ask(socket_path, request, timeout)
        finally:
            self._asking = False


def outcome(observed: Observed) -> tuple[str, str]:
    """`worked`, `failed` with the reason, `not here`, or what no probe may be: `idle`, knowing nothing.

    One that was refused everything, or told that there is nothing, has its answer: `answered`.
    """
    if observed == Observed():
        return "not here", ""
    reason = next((fact.value for fact in observed.facts if fact.name == "probe.failure"), None)
    if reason is not None:
        return "failed", reason
    records = [*observed.facts, *(r for r in observed.readings if not r.metric.startswith("probe."))]
    if not records or observed.sightings or any(record.value is not None for record in records):
        return "worked", ""
    why = {fact.reason for fact in observed.facts}
    return "answered" if why & {"not permitted", "not configured", "not reported"} else "idle", ""


def table(rows: dict[str, tuple[str, str, float]]) -> str:
    """Probe, outcome, seconds, reason: one a line."""
    return "\n".join(
        f"{name:<18} {what:<9} {seconds:6.2f} s  {why}" for name, (what, why, seconds) in rows.items()
    )


class Case(msgspec.Struct):
    """One lying machine: its system, what each of its programs, files, sockets and registry values is.

    "" is no program.
    """

    name: str
    system: str
    program: str
    file: str
    socket: str
    registry: str = "missing"


Row = tuple[str, str, float]
"""Outcome, reason, seconds."""


def _seen(case: Case, probe: Probe, within: float) -> Row:
    fake = Path(case.program) if case.program else None
    host = Lying(case.system, fake, Path(case.file), Path(case.socket), case.registry)
    began = time.monotonic()
    what, why = outcome(observe(probe, host, within))
    return what, why, time.monotonic() - began


def _main(cases: bytes, within: float) -> dict[str, dict[str, Row]]:
    with ThreadPoolExecutor(8) as pool:
        seen = {
            case.name: {probe.name: pool.submit(_seen, case, probe, within) for probe in PROBES}
            for case in msgspec.json.decode(cases, type=list[Case])
        }
        return {case: {probe: row.result() for probe, row in rows.items()} for case, rows in seen.items()}


if __name__ == "__main__":
    print(msgspec.json.encode(_main(sys.argv[1].encode(), float(sys.argv[2]))).decode(), flush=True)
    os._exit(0)  # threads that wait for a file system that never answers wait for ever
