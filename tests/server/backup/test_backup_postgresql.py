"""A server on PostgreSQL is backed up while it runs, and comes back in a database of its own."""

from pathlib import Path

import pytest
from tests.server.backup.conftest import DEVICES, REPORTS, Run, furnish

from cluster import cluster
from conftest import Peer
from schoolwatch_server import audit_log
from schoolwatch_server.backup import make
from schoolwatch_server.config import ServerConfig, of_data
from schoolwatch_server.database import copies
from schoolwatch_server.database.engine import begin_read, begin_write, epoch, open_database
from schoolwatch_server.database.tables import school

pytestmark = pytest.mark.database("postgresql")


def census(config: ServerConfig) -> tuple[dict[str, int], str]:
    engine = open_database(config.database_url, config.master_key)
    try:
        with begin_read(engine) as conn:
            return copies.census(conn), epoch(conn)
    finally:
        engine.dispose()


def test_it_comes_back_in_an_empty_database_with_a_new_epoch(peer: Peer, run: Run, tmp_path: Path) -> None:
    peer("restic")
    config = furnish(tmp_path, "postgresql")
    before, old = census(config)
    engine = open_database(config.database_url, config.master_key)
    with begin_write(engine) as conn:
        conn.exec_driver_sql("CREATE EXTENSION pg_stat_statements")  # an administrator's
    with begin_write(engine) as conn:  # what is not committed at its moment is not in it, and holds it up not
        conn.execute(school.update().values(name="meanwhile"))
        made = make.back_up(config)
    engine.dispose()
    assert (made.manifest.database, made.manifest.rows["journal"]) == ("postgresql", DEVICES * REPORTS)
    passphrase = tmp_path / "passphrase"
    where = ("--from", tmp_path / "copies", "--passphrase-file", passphrase)
    code, said = run("restore", *where, "--data", tmp_path / "full", "--database-url", config.database_url)
    assert code != 0
    assert "is not empty" in said
    assert not list((tmp_path / "full").glob("*"))
    code, said = run("verify-backup", *where, "--data", config.folder)
    assert code == 0, said
    url = cluster().url(cluster().make())
    with_password = url.replace("schoolwatch@", "schoolwatch:hunter2@")
    code, said = run("restore", *where, "--data", tmp_path / "new", "--database-url", with_password)
    assert code != 0
    assert "--database-url: holds a password" in said
    assert "hunter2" not in said
    code, said = run("restore", *where, "--data", tmp_path / "new", "--database-url", url)
    assert code == 0, said
    again = of_data(tmp_path / "new")
    assert again.database_url == url
    rows, new = census(again)
    assert new != old
    differs = {name for name in rows if rows[name] != before[name]}
    assert differs <= {"audit", "meta"}, "that it came back is told"
    engine = open_database(url, again.master_key)
    assert audit_log.verify(engine, again.folder).wrong == ()
    with begin_read(engine) as conn:
        assert conn.scalar(school.select().with_only_columns(school.c.name)) == "Trường"
        found = conn.exec_driver_sql("SELECT extname FROM pg_extension").scalars().all()
        assert "pg_stat_statements" not in found, "our user may make none"
    engine.dispose()
