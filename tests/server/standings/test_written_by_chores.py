"""What chores write once an hour: targets, which take as long as judging again, lines and networks."""

import pytest
from sqlalchemy import exc

from schoolwatch_server import chores
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.chores import Chores
from schoolwatch_server.database import judged
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.sheets import packs_in_force, rules_in_force
from schoolwatch_server.standings import known_lines
from schoolwatch_server.store.names import ISP, LAN, LINE, SERVER, TARGET
from tree import Tree


def chores_of(tree: Tree) -> Chores:
    config, engine = tree.config, tree.engine
    return Chores(
        config,
        engine,
        packs_in_force(config, engine),
        rules_in_force(config, engine),
        Channels(config, engine),
    )


def test_targets_are_written_once_an_hour(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, due = tree.engine, chores_of(tree)
    hour = (tree.now // 3600 + 1) * 3600
    instants = []
    for later in (0, 300, 3600):
        monkeypatch.setattr(chores.time, "time", lambda at=hour + later: at)
        due._judge()
        with begin_read(engine) as conn:
            rows = judged.read(conn, TARGET, {"level": "province"}, 0.0, hour + 86400)
        instants.append({row.at for row in rows})
    assert instants == [{hour}, {hour}, {hour, hour + 3600}]
    assert all(row.numerator is not None and row.tags["source"] for row in rows)


def test_targets_that_could_not_be_written_are_tried_again(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, hour = chores_of(tree), (tree.now // 3600 + 1) * 3600
    monkeypatch.setattr(chores.time, "time", lambda: hour)
    with monkeypatch.context() as broken:
        broken.setattr(judged, "write", _fail)
        with pytest.raises(exc.OperationalError):
            due._judge()
    due._judge()
    with begin_read(tree.engine) as conn:
        assert judged.read(conn, TARGET, {"level": "province"}, hour, hour + 1)


def test_what_breaks_of_the_standings_holds_up_no_other(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    due = chores_of(tree)
    its = [chore for chore in due._plan if "note_open" in str(chore.do) or "_hourly" in str(chore.do)]
    assert len(its) == 6
    due._plan = tuple(its)
    monkeypatch.setattr(known_lines, "read", _fail)
    due.look(lambda: True)
    with begin_read(tree.engine) as conn:
        assert judged.latest(conn, LAN, {"what": "gateways"})
        assert judged.latest(conn, SERVER, {"what": "intake"})
        assert judged.latest(conn, LINE, {}) == ()


def _fail(*_: object) -> None:
    raise exc.OperationalError("", {}, Exception("database is locked"))


def test_lines_and_networks_are_written(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    school, hour = tree.schools[0], (tree.now // 3600 + 1) * 3600
    monkeypatch.setattr(chores.time, "time", lambda: hour)
    with begin_write(tree.engine) as conn:
        row = {"school_id": school.id, "isp": "VNPT", "subscriber": "1", "download_mbps": 100.0}
        conn.execute(t.line_contract.insert().values(row))
    due = chores_of(tree)
    for note in (due._note_open, *due._hourly()):
        note()
    with begin_read(tree.engine) as conn:
        (line,) = judged.latest(conn, LINE, {"way": "download"})
        (lines,) = judged.latest(conn, ISP, {"what": "lines", "level": "province"})
        nets = judged.latest(conn, LAN, {"what": "gateways"})
    assert (line.tags["isp"], line.denominator, line.at) == ("VNPT", 100.0, hour)
    assert lines.value == 1.0
    assert len(nets) == len(tree.schools)
