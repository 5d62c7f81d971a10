"""A disk that is full or may not be written, for real: what was stored stays, and all goes on after."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

import machines
from schoolwatch_agent import cli, lock, probes, reserve
from schoolwatch_agent.config import Server
from schoolwatch_agent.cycle import Pace, run_cycle
from schoolwatch_agent.identity import CREDENTIAL, IdentityError, install_id
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.spool import Spool
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_agent.tick import SPOOL, Ticked, open_spool, tick
from schoolwatch_contract.records import Reading
from station import Clocked, SmallServer, counting, enrol, settings, wait_for


@pytest.fixture
def server(mosquitto_server: SmallServer) -> SmallServer:
    """What a disk does to an agent does not depend on the broker."""
    return mosquitto_server


def fill(disk: Path) -> Path:
    """Films, up to the last byte."""
    films = disk / "films"
    opened = os.open(films, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while True:
            os.write(opened, bytes(4096))
    except OSError:
        assert os.statvfs(disk).f_bavail == 0
    finally:
        os.close(opened)
    return films


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def cycles(data: Path, host: Clocked, count: int, start: int = 0, *, line: bool = False) -> list[Ticked]:
    """Ticks that count from `start`; without a line the broker is not reached."""
    probe, done = counting(start), []
    config = settings(data, measure=300, deliver=300)
    if not line:
        config = msgspec.structs.replace(config, server=Server(mqtt_host="127.0.0.1", mqtt_port=9))
    for _ in range(count):
        done.append(tick(config, host, [probe]))
        host.at += 300
    return done


def delivered(data: Path, host: Clocked, start: int) -> None:
    (done,) = cycles(data, host, 1, start, line=True)
    assert done.outcome is not None
    assert done.outcome.kind == "delivered", done.outcome


def test_a_full_disk_stops_neither_measuring_nor_delivery(small_disk: Path, server: SmallServer) -> None:
    data = small_disk / "agent"
    enrol(data, server.broker)
    host = Clocked()
    cycles(data, host, 20)
    assert (data / f"{SPOOL}.reserve").stat().st_size == reserve.SIZE
    fill(small_disk)
    for done in cycles(data, host, 20, start=20):
        assert done.trouble is None  # there is room that the spool had kept for this
    with open_spool(settings(data), host) as spool:
        assert spool.summary(host.at).waiting == 40
    delivered(data, host, 40)
    wait_for(lambda: set(server.readings("processor.load")) >= set(map(float, range(41))))
    assert server.readings("spool.dropped")[-1] == 0


def test_a_full_disk_without_any_room_keeps_what_is_stored_and_goes_on_after(
    small_disk: Path, server: SmallServer
) -> None:
    data = small_disk / "agent"
    enrol(data, server.broker)
    host = Clocked()
    cycles(data, host, 20)
    (data / f"{SPOOL}.reserve").unlink()
    films = fill(small_disk)
    before = (data / SPOOL).read_bytes()
    for done in cycles(data, host, 3, start=90):
        assert done.trouble is not None
        assert done.trouble.kind == "full"
    assert (data / SPOOL).read_bytes() == before
    films.unlink()
    delivered(data, host, 20)
    wait_for(lambda: set(server.readings("processor.load")) >= set(map(float, range(21))))
    assert (data / f"{SPOOL}.reserve").stat().st_size == reserve.SIZE


def test_a_full_disk_is_said_in_words(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(f"[agent]\ndata = '{small_disk / 'agent'}'\n")
    install_id(small_disk / "agent")
    fill(small_disk)
    assert cli.main(["tick", "--config", str(file), "--lang", "vi"]) == 3
    assert "đầy" in capsys.readouterr().err


def test_the_doctor_says_that_the_disk_is_full(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "probes", lambda *_, **__: ())
    file = tmp_path / "agent.toml"
    file.write_text(f"[agent]\ndata = '{small_disk / 'agent'}'\n")
    cycles(small_disk / "agent", Clocked(), 1)
    fill(small_disk)
    assert cli.main(["doctor", "--config", str(file), "--lang", "vi"]) == 1
    said = capsys.readouterr().out
    assert "Không ghi được vào thư mục dữ liệu" in said
    assert "No space left on device" in said
    assert "✘ Ổ đĩa đầy, không mở được tệp lưu tạm" in said
    assert "Tệp hỏng sẽ được thay" not in said
    assert not list((small_disk / "agent").glob(".trial*"))


def test_what_was_given_up_is_taken_back_as_far_as_it_goes(small_disk: Path) -> None:
    path = small_disk / "agent" / SPOOL
    with Spool(path, "boot", 1.8e9) as spool:
        spool.put([b"x" * 500], b"{}", 1.8e9)
    fill(small_disk)
    kept = path.with_name(f"{SPOOL}.reserve")
    for n in range(300):
        with Spool(path, "boot", 1.8e9) as spool:
            spool.put([b"%d" % n * 100], b"{}", 1.8e9)
    assert 0 < kept.stat().st_size < reserve.SIZE
    assert os.statvfs(small_disk).f_bavail * 4096 < 2 * 65536  # nobody else could take it meanwhile
    with Spool(path, "boot", 1.8e9) as spool:
        assert spool.summary(1.8e9).waiting == 301


def test_a_disk_that_turns_read_only_keeps_everything_and_says_so(
    small_disk: Path, server: SmallServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = small_disk / "agent"
    enrol(data, server.broker)
    host = Clocked()
    cycles(data, host, 20)
    with lock.held(data):
        content = {each.name: each.read_bytes() for each in data.iterdir()}
    file = tmp_path / "agent.toml"
    file.write_text(f"[agent]\ndata = '{data}'\n")
    remount(small_disk, "ro")
    try:
        assert cli.main(["tick", "--config", str(file), "--lang", "en"]) == 3
        said = capsys.readouterr().err
        assert "Read-only file system" in said
        (done,) = cycles(data, host, 1, start=90)
        assert done.trouble is not None
        assert done.trouble.kind == "readonly"
        assert {each.name: each.read_bytes() for each in data.iterdir()} == content
    finally:
        remount(small_disk, "rw")
    delivered(data, host, 20)
    wait_for(lambda: set(server.readings("processor.load")) >= set(map(float, range(21))))


def test_on_a_read_only_disk_what_is_measured_is_told_at_once_and_the_disk_is_left_alone(
    small_disk: Path, server: SmallServer
) -> None:
    data = small_disk / "agent"
    enrol(data, server.broker)
    host = Clocked()
    cycles(data, host, 5)
    with lock.held(data):
        content = {each.name: each.read_bytes() for each in data.iterdir()}
    remount(small_disk, "ro")
    try:
        probe = counting(100)
        heavy = Probe("disk", 6 * 3600, lambda _: iter([Reading("disk.free", 1.0, {"mount": "/"})]))
        config = settings(data, measure=300, deliver=900)
        done = []
        for _ in range(12):  # an hour
            with lock.held(data) as is_ours:
                assert is_ours
                done.append(tick(config, host, [probe, heavy]))
            host.at += 300
        assert [each.trouble.kind for each in done if each.trouble] == ["readonly"] * 12
        told = [each.outcome.kind for each in done if each.outcome]
        assert told == ["delivered"] * 4  # once in each delivery period
        wait_for(lambda: server.readings("processor.load") == [100.0, 101.0, 102.0, 103.0])
        assert len(server.readings("disk.free")) <= 1
        assert {each.name: each.read_bytes() for each in data.iterdir()} == content
    finally:
        remount(small_disk, "rw")
    delivered(data, host, 5)
    wait_for(lambda: set(server.readings("processor.load")) >= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0})
    assert not list(Path("/dev/shm").glob("tmp*/spool.db"))


def test_a_disk_that_turns_read_only_in_the_middle_of_a_cycle_loses_that_cycle_alone(
    small_disk: Path,
) -> None:
    path = small_disk / "agent" / SPOOL
    with Spool(path, "boot", 1.8e9) as spool:
        spool.put([b"a"], b"{}", 1.8e9)
        held_open = subprocess.run(
            ["mount", "-o", "remount,ro", small_disk], check=False, capture_output=True
        )
        if held_open.returncode == 0:  # the kernel refuses that while a file is open for writing
            with pytest.raises(SpoolError):
                spool.put([b"b"], b"{}", 1.8e9)
            remount(small_disk, "rw")
        spool.put([b"c"], b"{}", 1.8e9)
        assert [held.body for held in spool.due(1.8e9, 0, 9)] == [b"a", b"c"]


def test_a_damaged_credential_is_said_and_what_is_measured_waits_for_the_next(
    tmp_path: Path, server: SmallServer
) -> None:
    enrol(tmp_path, server.broker)
    host = Clocked()
    cycles(tmp_path, host, 2)
    (tmp_path / CREDENTIAL).write_bytes(b"\0" * 400)  # a power cut on some file systems
    for n in (2, 3):
        with pytest.raises(IdentityError) as caught:
            cycles(tmp_path, host, 1, start=n)
        assert caught.value.damaged == tmp_path / CREDENTIAL
        host.at += 300
    enrol(tmp_path, server.broker)
    delivered(tmp_path, host, 4)
    wait_for(lambda: server.readings("processor.load") == [0.0, 1.0, 2.0, 3.0, 4.0])


def test_seven_days_without_a_line_fit_the_default_bound(tmp_path: Path) -> None:
    """Every probe of the largest recorded machine, in every one of 2,016 cycles: far more than a PC tells."""
    config = settings(tmp_path)
    largest = 0
    for name in machines.NAMES:
        with Spool(tmp_path / "one.db", name, 1.8e9) as spool:
            before = spool.summary(1.8e9).bytes
            run_cycle(machines.machine(name), machines.PROBES, spool, Pace("d", "tick", 300.0))
            largest = max(largest, spool.summary(1.8e9).bytes - before)
    assert largest > 500
    assert 7 * 288 * largest < config.spool.max_bytes
    assert config.spool.max_age > 7 * 86_400
