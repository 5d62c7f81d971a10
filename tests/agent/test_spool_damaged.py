"""A spool whose file is damaged, cut off or of an older program: what can be read comes over."""

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_contract.ack import Ack
from spools import NOW, due, opened, publish, put

DAY = 86_400.0
E1 = "1" * 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool.db"


def leaf_pages(path: Path) -> list[int]:
    """Offsets of the pages that hold the envelopes: SQLite's file format, 1.6: 0x0d is a table leaf, and
    how many rows are on it follows after two bytes."""
    content = path.read_bytes()
    pages = range(4096, len(content), 4096)
    return [at for at in pages if content[at] == 0x0D and int.from_bytes(content[at + 3 : at + 5]) > 3]


def filled(path: Path, count: int = 300) -> list[bytes]:
    """A spool with envelopes of which the first hundred were sent; what is in it."""
    bodies = [b"%d." % n * 50 for n in range(count)]
    with opened(path) as spool:
        spool.put(bodies, b"memory", NOW)
        spool.sending([held.id for held in spool.due(NOW, 0, 100)], NOW)
    return bodies


@pytest.mark.parametrize("damage", ["text", "all pages", "foreign", "half a page", "a folder"])
def test_a_file_that_cannot_be_read_is_set_aside_and_counted(path: Path, damage: str) -> None:
    filled(path)
    content = path.read_bytes()
    if damage == "text":
        path.write_bytes(b"this is not a database, it is a letter to the headmaster" * 100)
    elif damage == "all pages":
        path.write_bytes(content[:4096] + random.Random(1).randbytes(len(content) - 4096))
    elif damage == "half a page":
        path.write_bytes(content[:2048])
    else:
        path.unlink()
        if damage == "foreign":
            with sqlite3.connect(path) as db:
                db.execute("CREATE TABLE note (x)")
            db.close()
        else:
            path.mkdir()
            (path / "letter").write_text("to the headmaster")
    with opened(path) as spool:
        put(spool, b"new")
        assert spool.summary(NOW).set_aside == 1
        assert due(spool) == [b"new"]
    (aside,) = (each for each in path.parent.glob("*.damaged*") if not each.name.endswith(("-wal", "-shm")))
    if damage == "a folder":
        assert (aside / "letter").read_text() == "to the headmaster"
    with opened(path) as spool:
        assert due(spool) == [b"new"]


def test_one_bad_page_costs_what_is_on_it_and_no_more(path: Path) -> None:
    bodies = filled(path, 3000)
    with opened(path) as spool:
        generation = spool.generation
    pages = leaf_pages(path)
    assert len(pages) > 100
    with path.open("r+b") as file:
        file.seek(pages[len(pages) // 2])
        file.write(b"\xff" * 4096)
    with opened(path) as spool:
        left = spool.due(NOW, 0, 10_000)
        put(spool, b"new")
        assert spool.generation != generation
        assert spool.summary(NOW).set_aside == 1
    assert 0 < len(bodies) - len(left) < 60
    assert all(held.body == bodies[held.seq - 1] and held.spool == generation for held in left)


def test_what_is_too_odd_to_come_over_does_not_stop_the_agent(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    os.truncate(path, 2048)

    def odd(_: Path, db: sqlite3.Connection, __: int) -> None:
        db.execute("INSERT INTO generation (spool) VALUES (NULL)")

    monkeypatch.setattr("schoolwatch_agent.salvage.bring_over", odd)
    with opened(path) as spool:
        put(spool, b"new")
        assert due(spool) == [b"new"]
        assert spool.summary(NOW).set_aside == 1


def test_when_nothing_can_be_written_what_is_damaged_waits_for_better_times(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up while the old file is brought over must not count as having brought it."""
    filled(path)
    with path.open("r+b") as file:
        file.seek(leaf_pages(path)[0])
        file.write(b"\xff" * 4096)

    def full(_: Path, db: sqlite3.Connection, __: int) -> None:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        db.execute("INSERT INTO note VALUES ('x', zeroblob(100000))")

    with monkeypatch.context() as patch:
        patch.setattr("schoolwatch_agent.salvage.bring_over", full)
        with pytest.raises(SpoolError, match="full"):
            opened(path)
    with opened(path) as spool:
        assert len(spool.due(NOW, 0, 1000)) > 200


def test_a_power_cut_while_it_is_brought_over_loses_nothing_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = filled(path)
    with path.open("r+b") as file:
        file.seek(leaf_pages(path)[0])
        file.write(b"\xff" * 4096)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("schoolwatch_agent.salvage.bring_over", cut)
        with pytest.raises(KeyboardInterrupt):
            opened(path)
    with opened(path) as spool:
        left = [held.body for held in spool.due(NOW, 0, 1000)]
        assert spool.summary(NOW).set_aside == 1
    assert len(bodies) - 60 < len(left) < len(bodies)
    with opened(path) as spool:  # and no second time
        assert [held.body for held in spool.due(NOW, 0, 1000)] == left


def test_without_its_generation_what_was_never_sent_gets_new_numbers_and_the_rest_is_not_sent_twice(
    path: Path,
) -> None:
    bodies = filled(path)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE generation")
    db.close()
    with opened(path) as spool:
        found = spool.due(NOW, 0, 1000)
        put(spool, b"new")
        assert due(spool) == [*bodies[100:], b"new"]
        assert [held.seq for held in found] == list(range(1, 201))


def test_what_comes_over_keeps_its_marks_its_age_and_its_counts(path: Path) -> None:
    with opened(path) as spool:
        put(spool, b"a", b"b", b"c")
        publish(spool)
        generation = spool.generation
        spool.acknowledge(Ack(E1, {generation: 1}), NOW)
        put(spool, b"d", now=NOW + 3 * DAY)
    with sqlite3.connect(path) as db:
        db.execute("INSERT OR REPLACE INTO note VALUES ('dropped', 7)")
        db.execute("ALTER TABLE generation DROP COLUMN boot")
    db.close()
    with opened(path, now=NOW + 3 * DAY) as spool:
        summary = spool.summary(NOW + 3 * DAY)
        assert (summary.waiting, summary.dropped) == (3, 7)
        assert summary.oldest_age == pytest.approx(3 * DAY)
        assert due(spool, NOW + 3 * DAY + 60) == [b"b", b"c", b"d"]
        assert spool.acknowledge(Ack(E1, {generation: 4}), NOW + 3 * DAY) == "marked"
        assert spool.summary(NOW).waiting == 0


@pytest.mark.parametrize("seed", range(12))
def test_bytes_flipped_anywhere_never_stop_the_agent(path: Path, seed: int) -> None:
    """In header, pages and log; what is left is what was put, under the number that it had."""
    chance = random.Random(seed)
    with opened(path) as spool:
        spool.put([b"%d." % n * 50 for n in range(400)], b"memory", NOW)
        generation = spool.generation
        if chance.random() < 0.5:  # the log is still there: nothing was closed
            content = {each.name: each.read_bytes() for each in path.parent.iterdir()}
        else:
            content = {}
    for name, kept in content.items():
        (path.parent / name).write_bytes(kept)
    files = [
        each for each in sorted(path.parent.iterdir()) if each.stat().st_size and "reserve" not in each.name
    ]
    for _ in range(chance.choice((1, 3, 30))):
        file = chance.choice(files)
        whole = bytearray(file.read_bytes())
        at = chance.choice((chance.randrange(100), chance.randrange(len(whole))))
        whole[at % len(whole)] ^= 1 << chance.randrange(8)
        file.write_bytes(whole)
    with opened(path) as spool:
        put(spool, b"new", now=NOW + 1)
        held = spool.due(NOW + 1, 0, 10_000)
        assert spool.summary(NOW + 1).waiting >= 1
    assert held[-1].body == b"new"
    known = [each for each in held[:-1] if each.spool == generation]
    changed = [each for each in known if each.body != b"%d." % (each.seq - 1) * 50]
    assert len(changed) <= 30  # a flipped letter inside of a report: the server puts it in quarantine


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 10_000, 40_000])
def test_a_truncated_file_begins_anew_with_what_is_left(path: Path, size: int) -> None:
    filled(path)
    os.truncate(path, size)
    with opened(path) as spool:
        put(spool, b"new")
        assert due(spool)[-1] == b"new"
    with opened(path) as spool:
        assert due(spool)[-1] == b"new"


def test_damage_while_it_is_open_costs_the_old_ones_but_not_the_new(path: Path) -> None:
    with opened(path) as spool:
        for n in range(300):
            put(spool, b"%d" % n * 50)
        spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        spool._db.execute("PRAGMA cache_size = 0")
        path.write_bytes(b"\xff" * path.stat().st_size)
        put(spool, b"new", now=NOW + 1)
        assert due(spool, NOW + 1) == [b"new"]
        assert spool.summary(NOW).set_aside == 1


VERSION_1 = """
CREATE TABLE note (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE generation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, spool TEXT NOT NULL UNIQUE, boot TEXT NOT NULL,
    next INTEGER NOT NULL, upto INTEGER NOT NULL);
CREATE TABLE envelope (
    id INTEGER PRIMARY KEY AUTOINCREMENT, generation INTEGER NOT NULL, seq INTEGER NOT NULL,
    put_at REAL NOT NULL, due_at REAL NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,
    pubacks INTEGER NOT NULL DEFAULT 0, acked_at REAL, size INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (generation, seq));
CREATE INDEX waiting ON envelope (put_at) WHERE acked_at IS NULL;
CREATE INDEX marked ON envelope (acked_at) WHERE acked_at IS NOT NULL;
INSERT INTO note VALUES ('bytes', 0);
CREATE TRIGGER held AFTER INSERT ON envelope BEGIN
    UPDATE note SET value = value + new.size WHERE key = 'bytes'; END;
CREATE TRIGGER freed AFTER DELETE ON envelope BEGIN
    UPDATE note SET value = value - old.size WHERE key = 'bytes'; END;
INSERT INTO generation VALUES (1, 'abababababababab', 'boot 1', 61, 0);
PRAGMA user_version = 1;
"""


def version_1(path: Path) -> list[bytes]:
    """A file as the agent wrote it before it noted clocks; what is in it."""
    bodies = [b"%d." % n * 50 for n in range(60)]
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)
        db.executemany(
            "INSERT INTO envelope (generation, seq, put_at, size, body) VALUES (1, ?, ?, ?, ?)",
            [(n, NOW, len(body), body) for n, body in enumerate(bodies, 1)],
        )
        db.commit()
    return bodies


def test_a_spool_from_before_clocks_were_noted_goes_on_and_its_clock_is_not_known(path: Path) -> None:
    bodies = version_1(path)
    for _ in range(2):  # it is brought to today's shape once
        with opened(path) as spool:
            assert due(spool) == bodies
    with opened(path, now=NOW + 300) as spool:
        spool.put([b"new"], b"", NOW + 300, 1000.0)
        held = spool.due(NOW + 400, 0, 1000, 1100.0)
        assert [(each.spool, each.seq) for each in held] == [("ab" * 8, n) for n in range(1, 62)]
        assert {each.clock for each in held[:-1]} == {"assumed"}
        assert (held[-1].clock, held[-1].sent_at) == ("own", NOW + 400)


def test_of_a_damaged_file_from_before_clocks_were_noted_all_comes_over(path: Path) -> None:
    bodies = version_1(path)
    with path.open("r+b") as file:
        file.seek(leaf_pages(path)[0])
        file.write(b"\xff" * 4096)
    with opened(path) as spool:
        left = spool.due(NOW, 0, 1000)
    assert len(bodies) - 30 < len(left) < len(bodies)
    assert all(each.body == bodies[each.seq - 1] for each in left)


def test_what_comes_over_from_a_damaged_file_keeps_its_clock(path: Path) -> None:
    with opened(path) as spool:
        spool.put([b"%d." % n * 50 for n in range(300)], b"", NOW - 9e8, 1000.0)
    with path.open("r+b") as file:
        file.seek(leaf_pages(path)[0])
        file.write(b"\xff" * 4096)
    with opened(path) as spool:
        left = spool.due(NOW, 0, 1000, 1600.0)
        assert spool.summary(NOW).set_aside == 1
        spool.put([b"new"], b"", NOW, 1600.0)
        new = spool.due(NOW, left[-1].id, 1000, 1600.0)
    assert {(each.clock, each.sent_at) for each in left} == {("own", NOW - 9e8 + 600)}
    assert [(each.clock, each.sent_at) for each in new] == [("own", NOW)]


def test_a_flipped_bit_in_the_version_is_damage_and_no_newer_program(path: Path) -> None:
    bodies = filled(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 262146")
    with opened(path) as spool:
        assert due(spool) == bodies
