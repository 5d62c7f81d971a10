"""Bundles against a real database: taken in once, marked, and refused whole when anything is wrong."""

import io
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from reports import NOW, Device, World
from schoolwatch_contract import bundle
from schoolwatch_contract.records import Reading
from schoolwatch_server import bundles, carried, cli, texts
from schoolwatch_server.bundles import BundleError, Imported
from schoolwatch_server.config import of_data
from schoolwatch_server.database import audit as audit_log
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake import replay as replaying
from schoolwatch_server.intake.batch import take

RULES = Rules()
MADE = NOW - 3600.0
"""When the bundle was written: an hour on the way."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("schoolwatch_server.bundles.time.time", lambda: NOW)
    world = World(tmp_path)
    yield world
    world.engine.dispose()


@pytest.fixture
def device(world: World) -> Device:
    return world.enrol()[0]


def written(device: Device, frames: Sequence[bytes], key: bytes | None = None) -> bytes:
    out = io.BytesIO()
    writer = bundle.Writer(out.write, bundle.Head(device.device, MADE + device.clock), key or device.key)
    for frame in frames:
        writer.add(frame)
    writer.end()
    return out.getvalue()


def week(device: Device, count: int = 5, **more) -> list[bytes]:
    """Frames sealed when the bundle was written, of reports from before."""
    return [device.frame(n, at=MADE, taken_at=MADE - 86_400 + 300 * n, **more) for n in range(1, count + 1)]


def imported(world: World, content: bytes) -> Imported:
    file = io.BytesIO(content)
    return bundles.take_in(world.engine, file, bundles.prove(world.engine, file), RULES, "test")


def everything(world: World) -> dict[str, list[tuple]]:
    tables = (
        t.generation, t.arrived, t.journal, t.state, t.state_body, t.fact_history, t.sighting, t.dirty,
        t.quarantine,
    )  # fmt: skip
    with begin_read(world.engine) as conn:
        found = {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}
        found["counter"] = [tuple(row) for row in conn.execute(select(t.counter).order_by(t.counter.c.name))]
    return found


def journal(world: World, *columns):
    with begin_read(world.engine) as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(t.journal.c.id))]


def test_it_is_taken_in_once_however_often_and_marked(world: World, device: Device) -> None:
    content = written(device, week(device))
    first = imported(world, content)
    assert (first.new, first.known, first.quarantined, first.forks) == (5, 0, 0, 0)
    assert first.acks[device.device].spools == {"a" * 16: 5}
    before = everything(world)
    again = imported(world, content)
    assert (again.new, again.known) == (0, 5)
    assert again.acks == first.acks
    after = everything(world)
    del before["counter"], after["counter"]  # they count what came
    assert after == before
    assert journal(world, t.journal.c.carried, t.journal.c.late) == [(True, True)] * 5


def test_a_later_delivery_over_the_line_is_nothing_new(world: World, device: Device) -> None:
    imported(world, written(device, week(device)))
    frames = [device.message(n, at=NOW + 60, taken_at=MADE - 86_400 + 300 * n) for n in range(1, 6)]
    acks = take(world.engine, [*frames, device.message(6, at=NOW + 60)], RULES)
    assert acks[device.device].spools == {"a" * 16: 6}
    assert journal(world, t.journal.c.seq, t.journal.c.carried) == [(n, n < 6) for n in range(1, 7)]


def test_what_came_over_the_line_before_is_known(world: World, device: Device) -> None:
    take(world.engine, [device.message(n, at=MADE, taken_at=MADE - 86_400 + 300 * n) for n in (1, 2)], RULES)
    done = imported(world, written(device, week(device)))
    assert (done.new, done.known) == (3, 2)


def test_the_devices_time_is_taken_at_its_word(world: World, device: Device) -> None:
    imported(world, written(device, week(device, 2)))
    assert journal(world, t.journal.c.taken_at) == [(MADE - 86_400 + 300,), (MADE - 86_400 + 600,)]
    with begin_read(world.engine) as conn:
        assert conn.execute(select(t.generation.c.clock_offset, t.generation.c.at_its_word)).all() == [
            (0.0, True)
        ]


def test_a_clock_that_is_surely_ahead_is_set_back(world: World) -> None:
    ahead = world.enrol(clock=365 * 86_400.0)[0]
    imported(world, written(ahead, week(ahead, 2)))
    found = [at for (at,) in journal(world, t.journal.c.taken_at)]
    assert found == pytest.approx([NOW - 86_400 + 300, NOW - 86_400 + 600])  # written just now at the latest


def test_a_report_that_comes_live_afterwards_fixes_the_clock(world: World) -> None:
    slow = world.enrol(clock=-10 * 86_400.0)[0]
    imported(world, written(slow, week(slow, 2)))
    take(world.engine, [slow.message(3, at=NOW + 60, taken_at=NOW)], RULES)
    assert journal(world, t.journal.c.taken_at, t.journal.c.late)[2] == (pytest.approx(NOW), False)
    imported(world, written(slow, week(slow, 2)))  # and is not unfixed again
    take(world.engine, [slow.message(4, at=NOW + 360, taken_at=NOW + 300)], RULES)
    assert journal(world, t.journal.c.taken_at)[3] == (pytest.approx(NOW + 300),)


def test_a_fork_is_stored_and_seen_as_a_clone(world: World, device: Device) -> None:
    imported(world, written(device, week(device, 2)))
    other = week(device, 2, readings=(Reading("processor.busy", 0.9),))
    done = imported(world, written(device, other))
    assert (done.new, done.forks) == (2, 2)
    with begin_read(world.engine) as conn:
        assert list(conn.scalars(select(t.sighting.c.kind))) == ["device.clone"] * 2


def test_what_cannot_be_decoded_is_quarantined_and_can_be_replayed(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [device.frame(1, at=MADE, body=b"poison"), *week(device, 2)[1:]]
    done = imported(world, written(device, frames))
    assert (done.new, done.quarantined) == (1, 1)
    assert done.acks[device.device].spools == {"a" * 16: 2}
    with begin_read(world.engine) as conn:
        offset = conn.scalar(select(t.generation.c.clock_offset))
    replaying.replay(world.engine, now=NOW)
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(t.generation.c.clock_offset)) == offset


def test_who_brought_it_is_in_the_audit_log(world: World, device: Device) -> None:
    imported(world, written(device, week(device)))
    with begin_read(world.engine) as conn:
        line = audit_log.newest(conn, 1)[0]
    assert (line.actor, line.action, line.subject) == ("test", "bundle.import", device.device)
    assert line.detail == {"reports": 5, "new": 5, "known": 0}


def refusals(world: World, device: Device) -> dict[str, tuple[str, bytes]]:
    other, revoked = world.enrol(2)
    with begin_write(world.engine) as conn:
        credentials.revoke(conn, revoked.id, NOW)
    good = written(device, week(device))
    nobody = Device(0, "f" * 32, bytes(32))
    forged = [*week(device)[:2], Device(device.id, device.device, other.key).frame(3, at=MADE)]
    return {
        "another's frames inside": ("other_device", written(device, [*week(device), *week(other, 1)])),
        "a forged frame inside": ("hmac", written(device, forged)),
        "no frame inside": ("format", written(device, [*week(device), b"x" * 100])),
        "signed by another": ("hmac", written(device, week(device), other.key)),
        "of a device of another server": ("unknown_device", written(nobody, [])),
        "of a revoked device": ("revoked", written(revoked, week(revoked))),
        "cut": ("truncated", good[:-40]),
        "cut in its head": ("truncated", good[:20]),
        "with a byte changed in the last frame": (
            "hmac", good[:-50] + bytes([good[-50] ^ 1]) + good[-49:]
        ),
        "with something behind": ("format", good + b"\0"),
        "empty": ("format", b""),
        "a picture": ("format", b"\x89PNG\r\n\x1a\n" + bytes(10_000)),
        "one bare frame": ("format", week(device)[0]),
        "of a newer format": ("format", good[:8] + b"\x02" + good[9:]),
    }  # fmt: skip


def test_hostile_files_are_refused_whole_with_a_reason_and_change_nothing(
    world: World, device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = refusals(world, device)
    before = everything(world)
    for name, (reason, content) in cases.items():
        with pytest.raises(BundleError) as caught:
            imported(world, content)
        assert caught.value.reason == reason, name
        file = tmp_path / "usb.swbundle"
        file.write_bytes(content)
        assert cli.main(["import-bundle", str(file), "--data", str(world.folder), "--lang", "vi"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "usb.swbundle: không nhập. " in said.err, name
        assert said.err.count("\n") == 1
    assert everything(world) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0), flip=st.integers(1, 255), cut=st.booleans())
def test_a_bundle_damaged_anywhere_changes_nothing(
    world: World, device: Device, at: int, flip: int, cut: bool
) -> None:
    content = bytearray(written(device, week(device)))
    at %= len(content)
    content[at] ^= flip
    with pytest.raises(BundleError):
        imported(world, bytes(content[:at] if cut else content))
    assert journal(world, t.journal.c.id) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=6)
)
def test_sticks_and_the_line_in_any_order_store_each_report_once(world: World, steps) -> None:
    device = world.enrol()[0]
    sent: set[int] = set()
    for on_stick, one, two in steps:
        seqs = range(min(one, two), max(one, two) + 1)
        sent |= set(seqs)
        frames = [device.frame(n, at=MADE, taken_at=MADE - 300 * (20 - n)) for n in seqs]
        if on_stick:
            imported(world, written(device, frames))
        else:
            take(
                world.engine,
                [device.message(n, at=MADE, taken_at=MADE - 300 * (20 - n)) for n in seqs],
                RULES,
            )
    with begin_read(world.engine) as conn:
        stored = list(conn.scalars(select(t.journal.c.seq).where(t.journal.c.device_id == device.id)))
        mark = conn.scalar(select(t.generation.c.upto).where(t.generation.c.device_id == device.id))
    assert sorted(stored) == sorted(sent)
    assert mark == next(n for n in range(13) if n + 1 not in sent)


def test_an_import_broken_off_is_finished_by_importing_again(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "BATCH", 2)
    content = written(device, week(device))
    file = io.BytesIO(content)
    proved = bundles.prove(world.engine, file)
    with pytest.raises(BundleError, match="changed"):  # the stick is pulled out between the two readings
        bundles.take_in(world.engine, io.BytesIO(content[:-200]), proved, RULES, "test")
    assert 0 < len(journal(world, t.journal.c.id)) < 5
    done = imported(world, content)
    assert done.new + done.known == 5
    assert [seq for (seq,) in journal(world, t.journal.c.seq)] == [1, 2, 3, 4, 5]


def test_memory_does_not_grow_with_the_file(world: World, device: Device, tmp_path: Path) -> None:
    file = tmp_path / "big"
    with file.open("wb") as out:
        writer = bundle.Writer(out.write, bundle.Head(device.device, MADE), device.key)
        for n in range(1, 3001):  # 60 MB of bodies that cannot be decoded, as a hostile device would sign
            writer.add(device.frame(n, at=MADE, body=os.urandom(20_000)))
        writer.end()
    with file.open("rb") as stream:
        tracemalloc.start()
        bundles.prove(world.engine, stream)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert file.stat().st_size > 60_000_000
    assert peak < 2_000_000


def test_the_command_sums_up_in_both_languages(
    world: World, device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with begin_write(world.engine) as conn:
        registry.set_device(conn, device.id, label="Máy 7", role=None, broken=False)
    good, bad = tmp_path / "a.swbundle", tmp_path / "b.swbundle"
    good.write_bytes(written(device, week(device)))
    data = ["--data", str(world.folder)]
    assert cli.main(["import-bundle", str(good), str(bad), *data, "--lang", "vi"]) == 2
    said = capsys.readouterr()
    assert f"a.swbundle: 5 báo cáo của Máy 7 ({device.device[:8]}), Trường, từ 2026-09-20 " in said.out
    assert "5 mới, 0 đã có" in said.out
    assert "ở lần gửi tới" in said.out  # no broker runs here
    assert "b.swbundle: không nhập. Không đọc được: No such file" in said.err
    assert cli.main(["import-bundle", str(good), *data, "--lang", "en"]) == 0
    assert "0 new, 5 there already" in capsys.readouterr().out


def test_a_folder_and_a_named_pipe_are_no_files(world: World, tmp_path: Path) -> None:
    voice = texts.Voice(texts.load(), "en", "bundle")
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        told = carried.import_file(world.engine, of_data(world.folder), tmp_path / name, voice)
        assert told.is_refused
        assert "This is no file" in told.text


def test_a_device_outside_the_scope_is_not_known(world: World, device: Device) -> None:
    from schoolwatch_server.scope import Scope

    file = io.BytesIO(written(device, week(device)))
    assert bundles.prove(world.engine, file, Scope("school", world.school)).reports == 5
    file.seek(0)
    with pytest.raises(BundleError, match="unknown_device"):
        bundles.prove(world.engine, file, Scope("school", world.school + 1))


def test_a_changed_key_refuses_what_the_old_one_signed(world: World, device: Device) -> None:
    content = written(device, week(device))
    with begin_write(world.engine) as conn:
        credentials.set_credential(conn, device.id, b"n" * 32, "$7$1$a$b", NOW)
    with pytest.raises(BundleError, match="hmac"):
        imported(world, content)
