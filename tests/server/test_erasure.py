"""Deleted is deleted, in every table and in the file; what is a sum of many stays, and a record of it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import insert, select

from databases import settings_of
from reports import NOW
from schoolwatch_contract.topics import topic
from schoolwatch_server import audit_log, cli, erasure
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import Mqtt
from schoolwatch_server.database import audit, credentials, quarantine, registry, rollups
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.people import add_account
from schoolwatch_server.erasure import ErasureError
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path)
    rollups.run_once(tree.engine, tree.now + 7 * 86400)
    yield tree
    tree.engine.dispose()


def left_of(tree: Tree, ids: set[int], names: set[str]) -> list[str]:
    """Where one of these devices is still to be found: by its number, or its name in any text."""
    found = []
    with begin_read(tree.engine) as conn:
        for table in t.metadata.sorted_tables:
            if table in (t.audit, t.audit_head):
                continue
            for row in conn.execute(select(table)).mappings():
                for column in table.columns:
                    value = row[column.name]
                    of_device = any(key.column.table is t.device for key in column.foreign_keys)
                    if (of_device and value in ids) or any(name in str(value) for name in names):
                        found.append(str(column))
    return found


def nothing(_: Sequence[str]) -> None:
    """A broker that keeps nothing."""


def quarantined(tree: Tree, device: str) -> None:
    row = quarantine.row(
        received_at=NOW,
        topic=topic(device, "report"),
        device=None,
        reason="hmac",
        detail="",
        verified=False,
        frame=b"x",
    )
    with begin_write(tree.engine) as conn:
        quarantine.add(conn, [row], 100)


def test_nothing_of_a_deleted_device_is_left_in_any_table(tree: Tree) -> None:
    gone, kept = tree.schools[0].devices
    quarantined(tree, gone.device)
    assert len(set(left_of(tree, {gone.id}, {gone.device}))) > 8, "the walk finds what there is"
    others = left_of(tree, {kept.id}, {kept.device})
    cleared: list[str] = []
    counts = erasure.delete_device(
        tree.engine, tree.folder, gone.device, "ngừng sử dụng", cleared.extend, by="lan", wait=0
    )
    assert left_of(tree, {gone.id}, {gone.device}) == []
    assert left_of(tree, {kept.id}, {kept.device}) == others, "another device lost something"
    assert cleared == [gone.device]
    assert {"journal", "rollup", "state", "credential", "incident", "device", "quarantine"} <= set(counts)
    with begin_read(tree.engine) as conn:
        line = audit.newest(conn, 1)[0]
    assert (line.actor, line.action, line.subject) == ("lan", "device.delete", gone.device)
    assert line.detail == {"reason": "ngừng sử dụng", "rows": dict(counts)}
    assert audit_log.verify(tree.engine, tree.folder).wrong == ()
    tree.engine.dispose()
    files = b"".join(path.read_bytes() for path in tree.folder.glob("schoolwatch.db*"))
    in_files = 1 if tree.engine.dialect.name == "sqlite" else 0  # PostgreSQL's are its own
    assert files.count(gone.device.encode()) == in_files, "the audit line alone names it"


def test_its_reports_are_refused_from_then_on(tree: Tree) -> None:
    gone = tree.schools[0].devices[0]
    erasure.delete_device(tree.engine, tree.folder, gone.device, "ngừng sử dụng", nothing, by="lan", wait=0)
    assert take(tree.engine, [gone.message(9, at=tree.now)], Rules()) == {}
    with begin_read(tree.engine) as conn:
        assert conn.scalars(select(t.quarantine.c.reason)).all() == ["unknown_device"]


def test_of_a_deleted_school_its_devices_people_and_rooms_are_gone_and_its_numbers_stay(tree: Tree) -> None:
    school, other = tree.schools[:2]
    with begin_write(tree.engine) as conn:
        moved = school.devices.pop()
        registry.move_device(conn, moved.id, other.id, None, tree.now)
        for name, id_ in (("hiệu trưởng", school.id), ("người khác", other.id)):
            add_account(
                conn,
                name,
                password_hash="x",
                role="school_head",
                scope=Scope("school", id_),
                language="vi",
                now=NOW,
            )
        series = conn.execute(
            insert(t.judged_series).values(measurement="coverage", tags=f'{{"school":"{school.mark}"}}')
        ).inserted_primary_key[0]
        conn.execute(insert(t.judged).values(series_id=series, at=NOW, value=0.5))
    counts = erasure.delete_school(
        tree.engine, tree.folder, school.mark, "trường giải thể", nothing, by="lan", wait=0
    )
    ids, names = {d.id for d in school.devices}, {d.device for d in school.devices}
    assert left_of(tree, ids, names) == []
    assert counts["device"] == 1
    with begin_read(tree.engine) as conn:
        assert conn.scalars(select(t.account.c.name)).all() == ["người khác"]
        assert conn.scalar(select(t.room.c.id).where(t.room.c.school_id == school.id)) is None
        assert conn.scalar(select(t.incident.c.id).where(t.incident.c.school_id == school.id)) is None
        told = conn.scalars(
            select(t.declaration.c.declared_by).where(t.declaration.c.school_id == school.id)
        ).all()
        assert told == ["", ""]
        assert conn.scalar(select(t.judged.c.value).where(t.judged.c.series_id == series)) == 0.5
        former = registry.school_by_code(conn, school.mark, EVERYTHING)
        assert former is not None
        assert former.code == "", "its numbers are found by its former code"
        assert registry.device(conn, moved.device, EVERYTHING) is not None, "it is another school's now"
        assert [line.action for line in audit.newest(conn, 2)] == ["school.delete", "device.delete"]


def test_when_the_broker_cannot_forget_nothing_is_deleted_and_the_device_is_cut_off(tree: Tree) -> None:
    device = tree.schools[0].devices[0]
    (tree.folder / "secrets").mkdir(exist_ok=True)
    (tree.folder / "secrets" / "broker-server").write_text("x")
    config = settings_of(tree.folder, mqtt=Mqtt(port=9))
    before = left_of(tree, {device.id}, {device.device})
    with pytest.raises(ErasureError, match="nothing is deleted yet"):
        erasure.delete_device(
            tree.engine, tree.folder, device.device, "ngừng sử dụng", erasure.broker(config), by="lan", wait=0
        )
    assert left_of(tree, {device.id}, {device.device}) == before
    with begin_read(tree.engine) as conn:
        assert credentials.find(conn, [device.device])[device.device].revoked


@pytest.mark.parametrize(
    ("device", "reason", "says"),
    [
        ("f" * 32, "ngừng sử dụng", "there is no device"),
        ("x", "ngừng sử dụng", "no id"),
        ("", "  a  ", "say why"),
    ],
)
def test_what_is_not_there_or_has_no_reason_is_refused(
    tree: Tree, device: str, reason: str, says: str
) -> None:
    with pytest.raises(ErasureError, match=says):
        erasure.delete_device(tree.engine, tree.folder, device, reason, nothing, by="lan", wait=0)


def test_the_command_wants_the_same_id_twice(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    device = tree.schools[0].devices[0].device
    words = ("delete-device", device, "--reason", "ngừng sử dụng", "--confirm", device[:-1])
    assert cli.main([*words, "--data", str(tree.folder)]) == FAILED
    assert "--confirm says" in capsys.readouterr().err
    with begin_read(tree.engine) as conn:
        assert registry.device(conn, device, EVERYTHING) is not None


@pytest.mark.database("sqlite")
def test_a_deleted_school_leaves_nothing_of_its_lists(tree: Tree) -> None:
    """Each table that points to a school or a room of one; the contact's phone is in no file either."""
    school, other = tree.schools[:2]
    lists = (t.campus, t.school_class, t.line_contract, t.asset, t.contact, t.hand_check)
    with begin_write(tree.engine) as conn:
        for one in (school, other):
            room = conn.scalar(select(t.room.c.id).where(t.room.c.school_id == one.id))
            (campus,) = conn.execute(
                insert(t.campus).values(school_id=one.id, name="Điểm lẻ")
            ).inserted_primary_key
            conn.execute(t.room.update().where(t.room.c.id == room).values(campus_id=campus))
            conn.execute(
                insert(t.school_class).values(
                    school_id=one.id,
                    school_year="2026-2027",
                    year_ends=NOW + 1e7,
                    name="6A",
                    stage="THCS",
                    students=40,
                    room_id=room,
                )
            )
            conn.execute(insert(t.line_contract).values(school_id=one.id, isp="VNPT", subscriber="hcm_1"))
            conn.execute(insert(t.asset).values(school_id=one.id, tag="TS-1", name="Máy chiếu", room_id=room))
            phone = f"phone of {one.mark}".encode()
            conn.execute(
                insert(t.contact).values(school_id=one.id, kind="it_contact", phone=phone, changed_at=NOW)
            )
            check = {"computers_working": 9, "checked_at": NOW, "checked_by": "lan"}
            conn.execute(insert(t.hand_check).values(room_id=room, **check))
    erasure.delete_school(tree.engine, tree.folder, school.mark, "giải thể", nothing, by="lan", wait=0)
    with begin_read(tree.engine) as conn:
        assert [len(conn.execute(select(table)).all()) for table in lists] == [1] * len(lists)
    tree.engine.dispose()
    files = b"".join(path.read_bytes() for path in tree.folder.glob("schoolwatch.db*"))
    assert f"phone of {school.mark}".encode() not in files
    assert f"phone of {other.mark}".encode() in files
