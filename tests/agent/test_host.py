"""Every door of the machine gives up after its time, says why, and stays below its root."""

import os
import socket
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from schoolwatch_agent.aside import within
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.host import TEXT_MAX, Host
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_agent.recorder import Recorder


@pytest.fixture
def host() -> Host:
    return Host()


def script(folder: Path, name: str, body: str) -> Host:
    """A machine below `folder` whose only program is this one."""
    programs = folder / "usr" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    (programs / name).write_text(f"#!/bin/sh\n{body}\n")
    (programs / name).chmod(0o755)
    return Host(folder)


def test_files_are_read_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text("NAME=Thử\n")
    host = Host(tmp_path)
    assert host.text("/etc/os-release") == "NAME=Thử\n"
    assert host.names("/etc") == ("os-release",)
    assert host.exists("/etc/os-release")
    assert not host.exists("/etc/passwd")
    assert host.modified("/etc/os-release") == (tmp_path / "etc" / "os-release").stat().st_mtime
    with pytest.raises(FileNotFoundError):
        host.text("/etc/passwd")


def test_a_huge_file_and_an_endless_one_are_bounded(tmp_path: Path, host: Host) -> None:
    (tmp_path / "huge").write_bytes(b"x" * (TEXT_MAX + 100_000))
    assert TEXT_MAX <= len(Host(tmp_path).text("/huge")) < TEXT_MAX + 70_000
    assert len(host.text("/dev/zero")) < TEXT_MAX + 70_000


def test_a_named_pipe_does_not_hold_the_agent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Host(tmp_path).text("/pipe") == ""


def test_what_hangs_aside_is_left_behind_and_the_next_question_is_answered() -> None:
    held = threading.Event()
    with pytest.raises(TimedOut, match=r"a broken disk gave no answer within 0\.05 s"):
        within(0.05, "a broken disk", held.wait)
    assert within(5, "a good disk", lambda: 7) == 7
    held.set()
    with pytest.raises(KeyError):
        within(5, "raises", lambda: {}["nothing"])


def test_a_program_below_the_root_is_installed_and_another_is_not(tmp_path: Path) -> None:
    host = script(tmp_path, "hello", 'echo "$LC_ALL $1"')
    assert host.run("hello", "a b; echo c") == "C a b; echo c\n"
    with pytest.raises(Missing, match="sh is not installed"):
        host.run("sh", "-c", "true")


def test_a_program_in_sbin_is_found_with_a_users_path(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/games")
    assert host.run("sysctl", "-n", "kernel.ostype") == "Linux\n"


def test_a_failed_program_says_its_code_and_its_words(tmp_path: Path) -> None:
    host = script(tmp_path, "breaks", "echo reason >&2; exit 3")
    with pytest.raises(CommandFailed, match="breaks now ended with 3: reason") as caught:
        host.run("breaks", "now")
    assert (caught.value.code, caught.value.argv) == (3, ("breaks", "now"))


def test_a_program_that_hangs_ends_with_all_it_started(tmp_path: Path) -> None:
    host = script(tmp_path, "hangs", f"sleep 987654 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(TimedOut, match=r"hangs gave no answer within 0\.5 s"):
        host.run("hangs", timeout=0.5)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child of a program that hung is still there")


def test_a_program_that_leaves_a_child_behind_does_not_hold_the_agent(tmp_path: Path) -> None:
    host = script(tmp_path, "leaves", "sleep 987654 & echo done")
    assert host.run("leaves", timeout=2).startswith("done")


def test_a_program_that_prints_without_end_is_ended(tmp_path: Path) -> None:
    host = script(
        tmp_path, "floods", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done | cat"
    )
    with pytest.raises(CommandFailed, match="printed more than"):
        host.run("floods", timeout=60)


def test_a_program_gets_no_input_and_may_not_wait_for_it(tmp_path: Path) -> None:
    assert script(tmp_path, "asks", "read answer; echo got=$answer").run("asks", timeout=5) == "got=\n"


def test_a_socket_answers_or_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def serve() -> None:
            first, _ = server.accept()
            with first:
                first.sendall(first.recv(64)[::-1])
            second, _ = server.accept()
            with second:
                second.recv(64)
                released.wait(10)

        released = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        host = Host(tmp_path)
        assert host.ask("/s", b"abc") == b"cba"
        with pytest.raises(TimedOut):
            host.ask("/s", b"abc", timeout=0.1)
        released.set()
        thread.join()
    with pytest.raises(ConnectionRefusedError):
        host.ask("/s", b"abc")
    with pytest.raises(FileNotFoundError):
        host.ask("/nothing", b"abc")


def test_counters_are_plain_data(host: Host) -> None:
    assert host.counters("virtual_memory")["total"] == psutil.virtual_memory().total
    assert host.counters("cpu_times")["idle"] > 0


def test_windows_doors_are_missing_on_linux(host: Host) -> None:
    with pytest.raises(Missing):
        host.registry(r"SOFTWARE\Microsoft", "x")
    with pytest.raises(Missing):
        host.powershell("antivirus")


def test_the_boot_id_is_the_kernels(host: Host) -> None:
    assert host.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_powershell_gets_only_shipped_scripts_encoded_and_is_asked_once_a_minute(tmp_path: Path) -> None:
    host = script(
        tmp_path, "powershell.exe", f'echo run >> {tmp_path}/runs; for last; do :; done; echo "$last"'
    )
    sent = host.powershell("firewall")
    assert host.powershell("firewall") == sent
    assert (tmp_path / "runs").read_text() == "run\n"
    import base64

    text = base64.b64decode(sent).decode("utf-16-le")
    assert "Get-NetFirewallProfile -PolicyStore ActiveStore" in text
    assert "OutputEncoding" in text
    with pytest.raises(FileNotFoundError):
        host.powershell("Remove-Item C:\\")


@pytest.mark.parametrize("name", ["antivirus", "firewall", "hardware", "network", "updates"])
def test_each_script_fits_a_windows_command_line(name: str, tmp_path: Path) -> None:
    host = script(tmp_path, "powershell.exe", 'for last; do :; done; printf %s "$last"')
    assert len(host.powershell(name)) < 32_000  # CreateProcess takes 32,767 characters


def test_a_recording_answers_what_the_machine_answered(tmp_path: Path) -> None:
    recorder = Recorder(Host())
    asked = [
        recorder.text("/proc/sys/kernel/ostype"),
        recorder.names("/proc/sys/kernel/random"),
        recorder.exists("/nonexistent"),
        recorder.space("/"),
        recorder.run("uname", "-s"),
        recorder.counters("cpu_count"),
        recorder.boot_id(),
    ]
    with pytest.raises(Missing):
        recorder.run("no-such-program")
    with pytest.raises(FileNotFoundError):
        recorder.text("/nonexistent")
    with pytest.raises(CommandFailed):
        recorder.run("ls", "/nonexistent")
    import msgspec

    (tmp_path / "a.json").write_bytes(msgspec.json.encode(recorder.recording()))
    again = RecordedHost(tmp_path)
    assert [
        again.text("/proc/sys/kernel/ostype"),
        again.names("/proc/sys/kernel/random"),
        again.exists("/nonexistent"),
        again.space("/"),
        again.run("uname", "-s"),
        again.counters("cpu_count"),
    ] == asked[:-1]
    with pytest.raises(Missing):
        again.run("no-such-program")
    with pytest.raises(FileNotFoundError):
        again.text("/nonexistent")
    with pytest.raises(CommandFailed, match="ended with 2"):
        again.run("ls", "/nonexistent")


def test_names_of_a_machine_are_those_of_its_people_in_full(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/bash\n"
        "sshd:x:105:65534:Secure Shell:/run/sshd:/usr/sbin/nologin\n"
        "nvan:x:1000:1000:Nguyễn Văn An,P. 12,0912345678,:/home/nvan:/bin/bash\n"
        "ubuntu:x:1001:1001:Ubuntu:/home/ubuntu:/bin/bash\nbroken:x:1002\n"
    )
    names = Host(tmp_path).own_names()
    assert {"nvan", "Nguyễn Văn An", "0912345678"} <= set(names)
    assert not {"root", "sshd", "Secure Shell", "P. 12", "ubuntu", "Ubuntu"} & set(names)


def test_a_recording_names_nobody(tmp_path: Path) -> None:
    class Named(Host):
        def own_names(self) -> tuple[str, ...]:
            return ("thanhnv", "lab-pc-07")

    (tmp_path / "notes").write_text(
        "lab-pc-07 /home/thanhnv 3c:97:0e:11:22:33 fe80::3e97:eff:fe11:2233 2001:ee0:1:2:3e97:eff:fe11:2233\n"
        '{"serialNumber": "PF2ABCDE"} fd00::1'
    )
    recorder = Recorder(Named(tmp_path))
    assert "thanhnv" in recorder.text("/notes")
    (answer,) = recorder.answers
    assert answer.lines == (
        "- /home/- 00:00:00:00:00:00 fe80::ffff 2001:ee0:1:2::ffff",
        '{"serialNumber": "-"} fd00::1',
    )


@pytest.mark.skipif(sys.platform != "linux", reason="Windows' monotonic clock runs on while it sleeps")
def test_what_was_printed_before_a_laptop_slept_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    slept, answers, host = [0.0], iter(("before", "after")), Host()
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    monkeypatch.setattr(time, "clock_gettime", lambda _: 1000.0 + slept[0])
    monkeypatch.setattr(host, "run", lambda *_: next(answers))
    assert [host.run_once("ip"), host.run_once("ip")] == ["before", "before"]
    slept[0] = 7200.0
    assert host.run_once("ip") == "after"


def test_a_program_that_hangs_costs_its_time_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, host = list[str](), Host()

    def hangs(*argv: str) -> str:
        asked.append(argv[0])
        raise TimedOut(argv[0], 10)

    monkeypatch.setattr(host, "run", hangs)
    for _ in range(3):
        with pytest.raises(TimedOut):
            host.run_once("ip")
    assert asked == ["ip"]


def test_a_program_that_closes_its_output_is_waited_for() -> None:
    with pytest.raises(CommandFailed) as failed:
        Host().run("sh", "-c", "echo early; exec >&- 2>&-; sleep 0.4; exit 3")
    assert (failed.value.code, "early" in str(failed.value)) == (3, True)
