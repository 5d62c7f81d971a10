"""What an agent writes onto a stick: all that waits, signed, once, and nothing that hurts its spool."""

import os
import threading
from pathlib import Path

import pytest

from schoolwatch_agent import cli
from schoolwatch_agent.bundle import BundleError, Written, write
from schoolwatch_agent.clocks import Moment
from schoolwatch_agent.identity import Broker, Credential, write_credential
from schoolwatch_agent.spool import Spool
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_contract import bundle, envelope, frame
from schoolwatch_contract.ack import Ack
from schoolwatch_contract.records import Envelope, Reading

NOW = 1_800_000_000.0
KEY = "5c" * 32
CREDENTIAL = Credential("0123456789abcdef" * 2, KEY, "secret", Broker("127.0.0.1", 1))
E1 = "1" * 16


def body(n: int) -> bytes:
    return envelope.encode(Envelope(1, NOW + n, "0.1.0", (Reading("processor.load", float(n)),)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool.db"


@pytest.fixture
def spool(path: Path) -> Spool:
    spool = Spool(path, "boot 1", NOW)
    spool.put([body(n) for n in range(1, 501)], b"{}", NOW)
    return spool


def read(file: Path) -> list[frame.Frame]:
    with file.open("rb") as stream:
        reader = bundle.Reader(stream.read)
        assert reader.head == bundle.Head(CREDENTIAL.device, NOW)
        found = []
        for each in reader.frames(bytes.fromhex(KEY)):
            frame.verify(each, bytes.fromhex(KEY))
            found.append(frame.parse(each))
        return found


def test_all_that_waits_is_in_it_and_stays_in_the_spool(spool: Spool, path: Path, tmp_path: Path) -> None:
    ids = [held.id for held in spool.due(NOW, 0, 100)]
    spool.sending(ids, NOW)
    spool.published(ids, NOW)  # the broker has them, the server not yet
    spool.acknowledge(Ack(E1, {spool.generation: 40}), NOW)
    found = write(path, tmp_path / "a", CREDENTIAL, Moment(NOW), everything=False)
    assert found == Written(tmp_path / "a", 460, (tmp_path / "a").stat().st_size, NOW + 41, NOW + 500)
    frames = read(tmp_path / "a")
    assert [(f.header.spool, f.header.seq, f.header.floor) for f in frames] == [
        (spool.generation, n, 1) for n in range(41, 501)
    ]
    assert [f.body for f in frames] == [body(n) for n in range(41, 501)]
    assert spool.summary(NOW).waiting == 460
    assert len(spool.due(NOW, 0, 1000)) == 400  # what has its PUBACK waits as before
    everything = write(path, tmp_path / "b", CREDENTIAL, Moment(NOW), everything=True)
    assert everything is not None
    assert everything.reports == 500


def test_what_was_carried_may_be_acknowledged_and_is_then_not_sent_again(
    spool: Spool, path: Path, tmp_path: Path
) -> None:
    write(path, tmp_path / "a", CREDENTIAL, Moment(NOW), everything=False)
    generation = spool.generation
    spool.put([body(501)], b"{}", NOW)
    spool.acknowledge(Ack(E1, {generation: 500}), NOW)
    assert spool.generation == generation  # no older copy of itself: these were sent
    assert [held.seq for held in spool.due(NOW, 0, 1000)] == [501]


def test_nothing_waiting_writes_no_file(path: Path, tmp_path: Path) -> None:
    assert write(path, tmp_path / "a", CREDENTIAL, Moment(NOW), everything=True) is None  # never measured
    Spool(path, "boot 1", NOW).close()
    assert write(path, tmp_path / "a", CREDENTIAL, Moment(NOW), everything=False) is None
    assert not (tmp_path / "a").exists()


def test_a_folder_gets_a_name_and_a_file_is_never_overwritten(
    spool: Spool, path: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    found = write(path, stick, CREDENTIAL, Moment(NOW), everything=False)
    assert found is not None
    assert found.file == stick / "schoolwatch-01234567-20270115-080000.swbundle"
    before = found.file.read_bytes()
    with pytest.raises(BundleError) as caught:
        write(path, found.file, CREDENTIAL, Moment(NOW), everything=False)
    assert caught.value.key == "bundle_exists"
    assert found.file.read_bytes() == before
    assert [each.name for each in stick.iterdir()] == [found.file.name]


def test_a_full_stick_leaves_nothing_and_says_so(spool: Spool, path: Path, small_disk: Path) -> None:
    (small_disk / "films").write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 8192))
    with pytest.raises(BundleError) as caught:
        write(path, small_disk, CREDENTIAL, Moment(NOW), everything=False)
    assert caught.value.key == "bundle_unwritten"
    assert "No space" in str(caught.value.values["problem"])
    assert [each.name for each in small_disk.iterdir()] == ["films"]
    assert spool.summary(NOW).waiting == 500


def test_it_works_beside_a_writing_agent(spool: Spool, path: Path, tmp_path: Path) -> None:
    done = threading.Event()
    errors: list[Exception] = []

    def measure() -> None:
        with Spool(path, "boot 1", NOW) as mine:
            n = 500
            while not done.is_set():
                n += 1
                try:
                    mine.put([body(n)], b"{}", NOW)
                except SpoolError as error:
                    errors.append(error)
                    return
                done.wait(0.01)

    agent = threading.Thread(target=measure)
    agent.start()
    try:
        for n in range(5):
            write(path, tmp_path / f"{n}", CREDENTIAL, Moment(NOW), everything=False)
    finally:
        done.set()
        agent.join()
    assert errors == []
    for n in range(5):
        seqs = [f.header.seq for f in read(tmp_path / f"{n}")]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= 500


def test_the_command_says_what_it_did_and_what_to_do_next(
    spool: Spool, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "agent.toml"
    settings.write_text("[agent]\ndata = 'data'\n")
    words = ["--config", str(settings), "bundle", "--out", str(tmp_path / "a")]
    assert cli.main([*words, "--lang", "en"]) == 1
    assert "not enrolled" in capsys.readouterr().err
    write_credential(path.parent, CREDENTIAL)
    assert cli.main([*words, "--lang", "vi"]) == 0
    said = capsys.readouterr().out
    assert "Đã ghi 500 báo cáo, từ 2027-01-15 15:00 đến 2027-01-15 15:08" in said
    assert "import-bundle" in said
    assert cli.main([*words, "--lang", "en"]) == 1
    assert "not overwritten" in capsys.readouterr().err
    spool.acknowledge(Ack(E1, {spool.generation: 500}), NOW)
    assert cli.main([*words[:3], "--out", str(tmp_path), "--lang", "en"]) == 0
    assert "nothing to carry" in capsys.readouterr().out


def test_a_damaged_spool_is_told_and_left_for_the_agent(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "agent.toml"
    settings.write_text("[agent]\ndata = 'data'\n")
    write_credential(path.parent, CREDENTIAL)
    path.write_bytes(b"a letter to the headmaster" * 1000)
    assert cli.main(["--config", str(settings), "bundle", "--lang", "en"]) == 3
    assert "damaged" in capsys.readouterr().err
    assert path.read_bytes()[:8] == b"a letter"
