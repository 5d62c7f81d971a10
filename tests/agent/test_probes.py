"""The probes as a whole: the list is whole, the catalogue is true, nothing gets out of `observe`."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import machines
from machines import PROBES
from schoolwatch_agent import probes
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed, Probe, observe
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_agent.recorder import record
from schoolwatch_contract import envelope
from schoolwatch_contract.catalogue import (
    FACTS,
    METRICS,
    SIGHTINGS,
    FactKind,
    Metric,
    SightingKind,
    probe_of,
)
from schoolwatch_contract.records import SCHEMA, Envelope

OWN = {name for name, kind in (METRICS | FACTS | SIGHTINGS).items() if kind.probe == ""}
"""What the agent says of itself, or the server of it; its other parts send most of these."""


@cache
def everything() -> dict[tuple[str, str], Observed]:
    """Each probe on each recorded machine, and on this one."""
    found = {
        (probe.name, name): machines.look(probe.name, name) for probe in PROBES for name in machines.NAMES
    }
    return found | {(probe.name, "here"): observe(probe, Host()) for probe in PROBES}


def sent(observed: Observed) -> dict[str, set[str]]:
    """Names with the label keys, of sightings the details, they were sent with."""
    named = [(r.metric, r.labels) for r in observed.readings] + [(f.name, f.labels) for f in observed.facts]
    named += [(s.kind, s.detail) for s in observed.sightings]
    found: dict[str, set[str]] = {}
    for name, labels in named:
        found.setdefault(name, set()).update(labels)
    return found


def told_with(kind: Metric | FactKind | SightingKind) -> tuple[str, ...]:
    return kind.details if isinstance(kind, SightingKind) else kind.labels


def test_every_probe_file_is_listed() -> None:
    folder = Path(probes.__file__).parent
    assert {probe.name for probe in PROBES} == {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert len({probe.name for probe in PROBES}) == len(PROBES)


def test_everything_sent_is_catalogued_under_its_own_probe() -> None:
    for (probe, machine), observed in everything().items():
        for name, labels in sent(observed).items():
            kind = METRICS.get(name) or FACTS.get(name) or SIGHTINGS.get(name)
            assert kind is not None, f"{name} on {machine} is not catalogued"
            assert probe_of(name) in (probe, ""), name
            assert labels <= set(told_with(kind)), f"{name} on {machine} has labels {labels}"


def test_everything_catalogued_is_sent() -> None:
    found: dict[str, set[str]] = {}
    for observed in everything().values():
        for name, labels in sent(observed).items():
            found.setdefault(name, set()).update(labels)
    missing = (METRICS.keys() | FACTS.keys() | SIGHTINGS.keys()) - found.keys() - OWN
    assert not missing
    for name in found.keys() - OWN:
        kind = METRICS.get(name) or FACTS.get(name) or SIGHTINGS[name]
        assert set(told_with(kind)) == found[name], name


def test_what_is_watched_is_catalogued() -> None:
    for probe in PROBES:
        assert {probe_of(name) for name in probe.watched} <= {probe.name}


def test_booleans_are_0_1_or_unknown_and_counts_whole() -> None:
    for observed in everything().values():
        for reading in observed.readings:
            unit = METRICS[reading.metric].unit
            if reading.value is None:
                continue
            if unit == "boolean":
                assert reading.value in (0.0, 1.0), reading
            if unit == "count":
                assert reading.value == int(reading.value), reading
            assert reading.value >= 0 or unit == "dBm", reading


def test_each_machine_fits_an_envelope() -> None:
    for machine in (*machines.NAMES, "here"):
        seen = [everything()[probe.name, machine] for probe in PROBES]
        body = Envelope(
            SCHEMA,
            1.7e9,
            "0.1.0",
            tuple(r for o in seen for r in o.readings),
            tuple(f for o in seen for f in o.facts),
            tuple(s for o in seen for s in o.sightings),
        )
        assert envelope.decode(envelope.encode(body)) == body


def test_readings_of_one_probe_are_told_apart_by_their_labels() -> None:
    for observed in everything().values():
        keys = [(r.metric, tuple(sorted(r.labels.items()))) for r in observed.readings]
        keys += [(f.name, tuple(sorted(f.labels.items()))) for f in observed.facts]
        assert len(keys) == len(set(keys))


def test_an_unknown_fact_says_why() -> None:
    for observed in everything().values():
        for fact in observed.facts:
            assert (fact.value is None) == bool(fact.reason), fact


def test_the_recorded_machines_send_no_address_or_identifier() -> None:
    import re

    device = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|::[0-9a-f]{4}\b|[0-9a-f]{12}")
    for observed in everything().values():
        for fact in observed.facts:
            value = "" if FACTS[fact.name].privacy == "pseudonymised" else fact.value
            assert device.search(f"{value} {fact.labels}") is None, fact


@pytest.mark.parametrize(
    "probe", [p for p in PROBES if p.name not in ("updates", "processor")], ids=lambda p: p.name
)
def test_a_recording_of_this_machine_gives_the_same_readings(probe: Probe, tmp_path: Path) -> None:
    (file,) = record(probe, Host(), tmp_path / "recorded")
    text = file.read_text()
    for mac in Path("/sys/class/net").glob("*/address"):
        written = mac.read_text().strip()
        assert not written.strip("0:") or written == "ff:ff:ff:ff:ff:ff" or written not in text
    again, now = observe(probe, RecordedHost(file.parent)), observe(probe, Host())
    assert [(r.metric, r.labels) for r in again.readings] == [(r.metric, r.labels) for r in now.readings]
    assert again.facts == now.facts


GARBAGE = "\x00\ufffd{]\n-1 ::: 99999999999999999999999999 \u202e nan inf 1e999\n" * 50


class Hostile(Host):
    """A machine each of whose doors does the same."""

    def __init__(self, how: Callable[[str, tuple[Any, ...]], Any], system: str) -> None:
        super().__init__(Path("/nonexistent"))
        self.system = "windows" if system == "windows" else "linux"
        self._how = how

    def text(self, path: str) -> str:
        return self._how("text", (path,))  # type: ignore[no-any-return]

    def names(self, folder: str) -> tuple[str, ...]:
        return self._how("names", (folder,))  # type: ignore[no-any-return]

    def exists(self, path: str) -> bool:
        return bool(self._how("exists", (path,)))

    def modified(self, path: str) -> float:
        return self._how("modified", (path,))  # type: ignore[no-any-return]

    def space(self, path: str) -> tuple[int, int]:
        return self._how("space", (path,))  # type: ignore[no-any-return]

    def run(self, *argv: str, timeout: float = 10) -> str:
        return self._how("run", argv)  # type: ignore[no-any-return]

    def powershell(self, script: str, timeout: float = 30) -> str:
        return self._how("powershell", (script,))  # type: ignore[no-any-return]

    def registry(self, key: str, value: str) -> int | str | None:
        return self._how("registry", (key, value))  # type: ignore[no-any-return]

    def counters(self, name: str) -> Any:
        return self._how("counters", (name,))

    def ask(self, socket_path: str, request: bytes, timeout: float = 5) -> bytes:
        return str(self._how("ask", (socket_path,))).encode()

    def router_advertisements(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        return (str(self._how("router_advertisements", (nic,))).encode(),)

    def sessions(self) -> list[dict[str, int]]:
        return self._how("sessions", ("wtsapi32",))  # type: ignore[no-any-return]

    def echoes(self, plan: str, timeout: float = 30) -> str:
        return self._how("echoes", (plan,))  # type: ignore[no-any-return]

    def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
        return (str(self._how("dhcp_offers", (nic,))).encode(),)

    def reach(self, plan: str, timeout: float = 30) -> str:
        return self._how("reach", (plan,))  # type: ignore[no-any-return]

    def wait(self, seconds: float) -> None:
        return None

    def own_names(self) -> tuple[str, ...]:
        return ()


def missing(door: str, of: tuple[Any, ...]) -> Any:
    if door == "exists":
        return False
    if door in ("run", "powershell", "registry", "counters", "reach"):
        raise Missing(str(of[0]))
    raise FileNotFoundError(of[0])


def refused(door: str, of: tuple[Any, ...]) -> Any:
    if door == "run":
        raise CommandFailed(of, 1, "permission denied")
    raise PermissionError(13, "Permission denied", of[0])


def hung(door: str, of: tuple[Any, ...]) -> Any:
    raise TimedOut(str(of[0]), 5)


def broken(door: str, of: tuple[Any, ...]) -> Any:
    raise RuntimeError(f"{door} is broken")


def garbage(door: str, of: tuple[Any, ...]) -> Any:
    kinds: dict[str, Any] = {
        "names": (GARBAGE, "..", ""),
        "modified": float("nan"),
        "space": (-1, 2**80),
        "counters": {"total": "x", "idle": None},
        "registry": GARBAGE,
        "exists": True,
    }
    return kinds.get(door, GARBAGE)


def empty(door: str, of: tuple[Any, ...]) -> Any:
    kinds: dict[str, Any] = {
        "names": (),
        "modified": 0.0,
        "space": (0, 0),
        "counters": None,
        "registry": None,
    }
    return kinds.get(door, "")


@pytest.mark.parametrize("system", ["linux", "windows"])
@pytest.mark.parametrize("how", [missing, refused, hung, broken, garbage, empty])
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_hostile_machine_costs_a_reading_never_an_exception(
    probe: Probe, how: Callable[[str, tuple[Any, ...]], Any], system: str
) -> None:
    host = Hostile(how, system)
    started = time.monotonic()
    observed = observe(probe, host)
    assert time.monotonic() - started < 30
    reason = machines.failure(observed)
    if observed == Observed():
        return  # not here
    ok = {reading.value for reading in observed.readings if reading.metric == "probe.ok"}
    assert ok == ({1.0} if reason is None else {0.0})
    asks = probe.name != "backup" or system == "windows"  # without a marker Linux has nothing to ask
    if how is broken and asks:
        assert reason is not None
        assert "is broken" in reason
    body = Envelope(SCHEMA, 1.7e9, "0.1.0", observed.readings, observed.facts)
    assert envelope.decode(envelope.encode(body)) == body


@pytest.mark.parametrize("how", [refused, hung, garbage])
def test_what_cannot_be_asked_is_never_reported_as_good_or_bad(
    how: Callable[[str, tuple[Any, ...]], Any],
) -> None:
    """No invented readings: of all booleans only "not running" may come of a daemon that does not answer."""
    for probe in PROBES:
        for system in ("linux", "windows"):
            host = Hostile(how, system)
            for reading in observe(probe, host).readings:
                if METRICS[reading.metric].unit == "boolean" and reading.metric != "probe.ok":
                    allowed = (
                        (None, 0.0) if reading.metric.startswith("antivirus.") and how is hung else (None,)
                    )
                    if reading.metric == "updates.reboot_pending" and how is garbage:
                        allowed = (None, 1.0)  # there "everything exists", also /run/reboot-required
                    assert reading.value in allowed, reading


def test_probes_import_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = (
        "psutil",
        "asyncio",
        "email",
        "ssl",
        "http",
        "xml",
        "paho",
        "scapy",
        "logging",
        "typing_extensions",
    )
    program = f"import sys, schoolwatch_agent.probes; print([m for m in {heavy!r} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(eval(said)) <= {"typing_extensions", "logging"}
