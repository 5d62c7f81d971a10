"""Every probe on a machine that lies, is silent or shouts: each in its time, each with its reason.

What is hostile here is real: programs, files, a file system that never answers, sockets.
"""

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import hostile_machine
from conftest import Peer
from hostile_machine import Case, Hostile, How, Row, outcome, table
from schoolwatch_agent import deadline
from schoolwatch_agent.aside import within
from schoolwatch_agent.cycle import Pace, run_cycle
from schoolwatch_agent.errors import CommandFailed, Missing, OutOfTime, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed, Probe, observe, observe_all
from schoolwatch_agent.probes import PROBES
from schoolwatch_agent.spool import Spool
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Fact, Reading

LIMIT = 1.0
"""Seconds that each probe has here, in place of its own limit."""

PROGRAMS = {
    "missing": "",
    "hangs": "trap '' TERM HUP INT\nsleep 300 & sleep 300\n",
    "floods": "exec head -c 100000000 /dev/zero\n",
    "floods with lines": "exec yes 'inet6 fe80::1/64 scope link = : {'\n",
    "binary": "exec head -c 200000 /dev/urandom\n",
    "deep JSON": "exec head -c 3000000 /dev/zero | tr '\\0' '['\n",
    "no UTF-8": "printf '\\377\\376\\303\\050{\\n\\200\\n'\n",
    "nothing": "exit 0\n",
    "fails": "echo 'Permission denied' >&2\nexit 1\n",
    "dies": "kill -SEGV $$\n",
    "leaves a child": "setsid sleep 5 &\nexit 0\n",
    "a number": "echo -99999999999999999999999\n",
}


Rows = dict[str, Row]


def script(folder: Path, name: str) -> str:
    """The hostile program of that name, "" for none."""
    if not PROGRAMS[name]:
        return ""
    file = folder / name.replace(" ", "-")
    file.write_text(f"#!/bin/sh\n{PROGRAMS[name]}")
    file.chmod(0o755)
    return str(file)


def observed(cases: list[Case]) -> dict[str, Rows]:
    """What came of each probe on each machine, in a process of its own without any network."""
    argv = [sys.executable, hostile_machine.__file__, msgspec.json.encode(cases).decode(), str(LIMIT)]
    namespace = [shutil.which("unshare") or "unshare", "-n"] if os.geteuid() == 0 else []
    done = subprocess.run([*namespace, *argv], capture_output=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr.decode()
    found = msgspec.json.decode(done.stdout, type=dict[str, Rows])
    for case in cases:
        print(f"\n{case.system}: {case.name}\n{table(found[case.name])}")
        check(found[case.name])
    return found


def check(rows: Rows, slack: float = 4.0) -> None:
    """Each probe has an outcome, and a failure its reason, in about its time.

    One that worked knows something.
    """
    assert list(rows) == [probe.name for probe in PROBES]
    for name, (what, why, seconds) in rows.items():
        assert what in {"worked", "failed", "not here", "answered"}, name
        assert (what == "failed") == bool(why), name
        assert seconds < LIMIT + slack, (name, seconds)


def raises(error: Exception) -> How:
    """A door that fails in one way."""

    def answer(door: str, of: tuple[Any, ...], answers: Any) -> Any:
        raise error

    return answer


def garbage(door: str, of: tuple[Any, ...], answers: Any) -> Any:
    """The door's own type, with nonsense in it."""
    text = "\x00\ufffd{]\n-1 ::: 99999999999999999999 \u202e nan 1e999\n" * 50
    kinds = {bytes: text.encode(), bool: True, float: float("nan"), int: -(2**70), str: text}
    of_type = typing.get_origin(answers) or answers
    return (text, text) if of_type is tuple else kinds.get(of_type, text)


HOSTILE: dict[str, How] = {
    "missing": raises(Missing("it")),
    "no file": raises(FileNotFoundError(2, "No such file or directory", "it")),
    "refused": raises(PermissionError(13, "Permission denied", "it")),
    "fails": raises(CommandFailed(("it",), 1, "access denied")),
    "hangs": raises(TimedOut("it", 5)),
    "disk error": raises(OSError(5, "Input/output error")),
    "broken": raises(RuntimeError("the door is broken")),
    "endless": raises(RecursionError("maximum recursion depth exceeded")),
    "garbage": garbage,
}


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_each_probe_on_a_machine_whose_doors_all_do_the_same(system: str) -> None:
    for name, how in HOSTILE.items():
        rows = {probe.name: (*outcome(observe(probe, Hostile(how, system))), 0.0) for probe in PROBES}
        print(f"\n{system}: {name}\n{table(rows)}")
        check(rows)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A Unix socket that takes connections and never says a word."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(100)
        yield path


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Path]:
    """A file on a file system whose other end never answers, as a mount of a server that is gone.

    A FUSE mount (fuse(4)) of which nobody reads the requests; closing /dev/fuse ends all that wait for it.
    """
    folder = tmp_path / "hung"
    folder.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"not run: needs /dev/fuse ({error.strerror})")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    mount = ctypes.CDLL(None, use_errno=True).mount
    if mount(b"hung", os.fsencode(folder), b"fuse", 0, options) != 0:
        os.close(device)
        pytest.skip(f"not run: mounting needs root ({os.strerror(ctypes.get_errno())})")
    umount = shutil.which("umount")  # found now: the test's own PATH leads to that folder
    assert umount is not None
    yield folder / "file"
    os.close(device)
    subprocess.run([umount, "-l", folder], check=False)


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_programs_that_hang_shout_or_lie_cost_their_probe_its_time(
    tmp_path: Path, silent: Path, system: str
) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\xff\xfe\0{]\n-1 ::: 1e999\n" * 5000)
    observed([Case(name, system, script(tmp_path, name), str(garbage), str(silent)) for name in PROGRAMS])
    assert not running(tmp_path)


@pytest.mark.parametrize("program", ["missing", "hangs", "floods with lines"])
def test_registry_values_that_hang_lie_or_are_refused_cost_their_probe_at_most_its_time(
    tmp_path: Path, silent: Path, program: str
) -> None:
    lies = script(tmp_path, program)
    (tmp_path / "garbage").write_bytes(b"\xff\xfe\0{]\n")
    observed(
        [
            Case(name, "windows", lies, str(tmp_path / "garbage"), str(silent), name)
            for name in hostile_machine.REGISTRIES
        ]
    )


def running(folder: Path) -> list[int]:
    """Processes that still run a program of a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in each.read_bytes():
                found.append(int(each.parent.name))
    return found


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_files_that_are_none_cost_their_probe_at_most_its_time(
    tmp_path: Path, silent: Path, system: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)  # somebody holds it open and writes nothing
    files = {"folder": tmp_path, "endless": Path("/dev/zero")}
    files |= {name: tmp_path / name for name in ("pipe", "missing")}
    fails = script(tmp_path, "fails")
    observed([Case(name, system, fails, str(file), str(silent)) for name, file in files.items()])
    os.close(writer)


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_a_file_system_that_never_answers_costs_each_probe_its_time(
    tmp_path: Path, silent: Path, hung: Path, system: str
) -> None:
    rows = observed([Case("hung", system, script(tmp_path, "hangs"), str(hung), str(silent))])["hung"]
    if system == "linux":
        assert sum("no answer" in why or "no more time" in why for _, why, _ in rows.values()) > 3


def test_a_program_on_a_file_system_that_never_answers_is_looked_for_in_bounded_time(
    hung: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(hung.parent))
    began = time.monotonic()
    with deadline.of(0.5, "ipv6"), pytest.raises(TimedOut):
        Host().run("no-such-program")
    assert time.monotonic() - began < 15


def test_once_on_a_machine_where_every_command_hangs_ends_with_0(tmp_path: Path, peer: Peer) -> None:
    """The command itself, with a PATH on which each program that a probe asks for hangs."""
    asked: set[str] = set()
    for how in HOSTILE.values():

        def note(door: str, of: tuple[Any, ...], answers: Any, how: How = how) -> Any:
            if door == "run":
                asked.add(str(of[0]))
            return how(door, of, answers)

        for probe in PROBES:
            observe(probe, Hostile(note, "linux"))
    assert len(asked) > 5
    for name in {*asked, "ip", "nft", "apt-get", "systemctl"}:
        Path(script(tmp_path, "hangs")).rename(tmp_path / Path(name).name)
    program = (
        "import sys; from schoolwatch_agent import cli, probe; probe.CYCLE_SECONDS = 6.0;"
        " sys.exit(cli.main(['once', '--json']))"
    )
    argv = [str(peer("unshare")), "-n"] if os.geteuid() == 0 else []
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    began = time.monotonic()
    done = subprocess.run(
        [*argv, sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 6 + 30
    said = json.loads(done.stdout)
    ok = {r["labels"]["probe"]: r["value"] for r in said["readings"] if r["metric"] == "probe.ok"}
    why = {f["labels"]["probe"]: f["value"] for f in said["facts"] if f["name"] == "probe.failure"}
    assert {name for name, value in ok.items() if value == 0} == set(why)
    assert any("gave no answer" in reason or "no more time" in reason for reason in why.values())
    assert not running(tmp_path)


# --- the time of a probe, and of a cycle --------------------------------------------------------------------


def knocking(name: str, doors: int = 100) -> Probe:
    """A probe that asks again and again, and takes no silence for an answer."""

    def read(host: Host) -> Iterator[Reading | Fact]:
        for _ in range(doors):
            with contextlib.suppress(TimedOut):
                within(0.2, "a broken disk", lambda: time.sleep(30))
        yield Reading("processor.load", 1.0)

    return Probe(name, 0, read)


def test_a_probe_that_knocks_at_many_dead_doors_has_its_limit() -> None:
    began = time.monotonic()
    seen = observe(knocking("processor"), Host(), 0.5)
    assert time.monotonic() - began < 15
    assert Reading("processor.load", 1.0) in seen.readings  # it chose to say what it knew


def test_outside_of_a_probe_doors_have_their_own_time() -> None:
    assert deadline.cut(7.0) == 7.0
    with deadline.of(0.0, "ipv6"), pytest.raises(OutOfTime, match="ipv6 had no more time"):
        deadline.cut(7.0)
    assert deadline.cut(7.0) == 7.0


def test_a_cycle_that_is_over_leaves_the_others_for_the_next_one_where_they_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolwatch_agent.probe.CYCLE_SECONDS", 0.4)
    ran: list[str] = []

    def quick(name: str) -> Probe:
        def read(_: Host) -> Iterator[Reading]:
            ran.append(name)
            yield Reading("processor.load", 1.0)

        return Probe(name, 0, read)

    probes = (knocking("hung"), quick("one"), quick("two"))
    pace = Pace("d", "tick", 300.0)
    with Spool(tmp_path / "spool.db", "boot", 1.8e9) as spool:
        run_cycle(Host(), probes, spool, pace)
        assert ran == []
        run_cycle(Host(), probes, spool, pace)
        assert ran == ["one", "two"]
        told = [envelope.decode(held.body) for held in spool.due(2e9, 0, 9)]
    failures = {fact.labels["probe"]: fact.value for fact in told[0].facts if fact.name == "probe.failure"}
    assert failures == {name: f"OutOfTime: {name} had no more time" for name in ("one", "two")}


def test_probes_after_the_cycles_end_have_failed_and_say_so() -> None:
    seen = list(observe_all([knocking("a", 0), knocking("b", 0)], Host(), 0.0))
    assert [reached for _, _, reached in seen] == [False, False]
    assert all(isinstance(each, Observed) for _, each, _ in seen)
