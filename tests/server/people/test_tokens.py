"""API tokens: shown once, kept as a hash, with an end and a scope."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, exc, insert, select, update

from brokers import environment
from databases import settings_of
from reports import World
from schoolwatch_server import cli, tokens
from schoolwatch_server.access import ROLES, TOKENS, Principal
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database import scopes
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.people import create_account
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.tokens import DAY, PREFIX, bearer, issue_token
from tree import Tree
from website import RunningSite


def test_only_a_hash_of_a_token_is_kept(world: World) -> None:
    token = issue_token(world.engine, "báo cáo", "read", EVERYTHING, 1)
    assert token.startswith(PREFIX)
    assert len(token) >= 43
    with begin_read(world.engine) as conn:
        held = repr(conn.execute(select(t.api_token)).all()) + repr(conn.execute(select(t.audit)).all())
    assert token not in held
    assert token.removeprefix(PREFIX) not in held
    assert "token.issue" in held


def test_a_token_speaks_for_its_scope_until_its_end(world: World) -> None:
    scope = Scope("school", world.school)
    token, now = issue_token(world.engine, "x", "read", scope, 2), time.time()
    who = bearer(world.engine, token, now + 2 * DAY - 60)
    assert who is not None
    assert (who.kind, who.name, who.scope, who.permissions) == ("token", "x", scope, TOKENS["read"])
    assert (who.csrf, who.role) == ("", None)
    assert bearer(world.engine, token, now + 2 * DAY + 60) is None
    forever = issue_token(world.engine, "x", "read", scope, None)
    assert bearer(world.engine, forever, now + 3650 * DAY) is not None


def test_a_revoked_token_speaks_for_nobody(world: World) -> None:
    token, now = issue_token(world.engine, "x", "read", EVERYTHING, 1), time.time()
    with begin_write(world.engine) as conn:
        conn.execute(update(t.api_token).values(revoked_at=now))
    assert bearer(world.engine, token, now) is None


def test_an_error_of_the_database_tells_no_hash(world: World) -> None:
    row = {"hash": "the-hash", "name": "x", "permission": "read", "scope_level": "all", "created_at": 0}
    with begin_write(world.engine) as conn:
        conn.execute(insert(t.api_token).values(row))
        with pytest.raises(exc.IntegrityError) as caught:
            conn.execute(insert(t.api_token).values(row))
    assert "the-hash" not in str(caught.value)


@pytest.mark.parametrize("guess", ["", PREFIX, "sw", "sw_x", "swe_x"])
def test_what_is_no_token_speaks_for_nobody(world: World, guess: str) -> None:
    token = issue_token(world.engine, "x", "read", EVERYTHING, 1)
    for text in (guess, token[:-1], token + "x", token.upper(), " " + token, token.removeprefix(PREFIX)):
        assert bearer(world.engine, text, time.time()) is None


@pytest.mark.parametrize(
    ("permission", "days"),
    [("write", 1), ("", 1), ("read", 0), ("read", -1), ("read", 4000), ("read", float("nan"))],
)
def test_a_token_that_makes_no_sense_is_refused(world: World, permission: str, days: float) -> None:
    with pytest.raises(ValueError, match="token"):
        issue_token(world.engine, "x", permission, EVERYTHING, days)


def test_who_issues_tokens_sees_and_ends_those_of_the_own_scope_alone(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    school, cousin = tree.schools[0], tree.schools[2]

    def who(scope: Scope) -> Principal:
        return Principal("account", "lan", ROLES["commune"], scope, "commune")

    mine, theirs = who(Scope("commune", school.commune)), who(Scope("commune", cousin.commune))
    assert tokens.scope_within(tree.engine, mine, "") == mine.scope
    assert tokens.scope_within(tree.engine, mine, school.code) == Scope("school", school.id)
    for code in (cousin.code, "MarkC01X", "MarkP0X", "nowhere"):
        assert tokens.scope_within(tree.engine, mine, code) is None
    text = issue_token(tree.engine, "báo cáo", "read", Scope("school", school.id), 30, by="lan")
    now = time.time()
    (listed,) = tokens.listed(tree.engine, mine, now)
    assert (listed.row.name, listed.row.issued_by, listed.row.used_at) == ("báo cáo", "lan", None)
    assert listed.place is not None
    assert listed.place.code == school.code
    assert tokens.listed(tree.engine, theirs, now) == ()
    assert bearer(tree.engine, text, now) is not None
    assert tokens.listed(tree.engine, mine, now)[0].row.used_at == now
    assert not tokens.revoke(tree.engine, theirs, listed.row.id, now)
    assert bearer(tree.engine, text, now) is not None
    assert tokens.revoke(tree.engine, mine, listed.row.id, now)
    assert bearer(tree.engine, text, now) is None
    assert not tokens.revoke(tree.engine, mine, listed.row.id, now)
    tree.engine.dispose()


def test_the_list_says_what_became_of_who_issued_a_token(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    school, cousin, now = tree.schools[0], tree.schools[2], time.time()
    commune, one = Scope("commune", school.commune), Scope("school", school.id)
    ids = {
        name: create_account(tree.engine, name, "a password for tests", role="commune", scope=commune, by="t")
        for name in ("stays", "leaves", "moves", "falls", "deleted")
    }
    for name in (*ids, "command line"):
        issue_token(tree.engine, name, "read", one, 30, by=name)
    with begin_write(tree.engine) as conn:
        accounts.switch_off(conn, ids["leaves"], now)
        accounts.set_role(conn, ids["moves"], "commune", Scope("commune", cousin.commune), now)
        accounts.set_role(conn, ids["falls"], "technician", commune, now)
        conn.execute(delete(t.account).where(t.account.c.id == ids["deleted"]))
    admin = Principal("account", "admin", ROLES["so_admin"], EVERYTHING, "so_admin")
    became = {one.row.name: one.issuer for one in tokens.listed(tree.engine, admin, now)}
    assert became == {
        "stays": "",
        "command line": "",
        "leaves": "off",
        "moves": "less",
        "falls": "less",
        "deleted": "gone",
    }
    with RunningSite(tree.config) as site:
        client = site.somebody("so_admin")
        assert client.get("/tokens").text.count("tài khoản đã khóa") == 1
        assert "còn dùng được: 1." in client.get(f"/people/{ids['leaves']}").text
    tree.engine.dispose()


def test_the_command_prints_one_that_works(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["token", "--data", str(world.folder), "--scope"]
    argv = [sys.executable, "-m", "schoolwatch_server", *words, "read"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment())
    assert done.returncode == 0
    assert len(done.stdout.split()) == 1
    assert cli.main([*words, "read", "--school", "S", "--days", "1"]) == 0
    one = capsys.readouterr().out
    with RunningSite(settings_of(world.folder)) as site:
        for said, metrics in ((done.stdout, 200), (one, 403)):
            client = site.anyone(headers={"Authorization": f"Bearer {said.strip()}"})
            assert [s["code"] for s in client.get("/api/v1/schools").json()["schools"]] == ["S"]
            assert client.get("/metrics").status_code == metrics
    assert cli.main([*words, "read", "--school", "NOBODY"]) == 2
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "NOBODY" in refused.err
    assert cli.main([*words, "write"]) == 2


@pytest.mark.parametrize("level", ["school", "commune", "province"])
def test_the_command_prints_one_of_a_place_that_sees_no_other(
    tmp_path: Path, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither lists nor series have anything of elsewhere; two places at once are refused."""
    tree = Tree(tmp_path)
    school, key = tree.schools[0], "id" if level == "school" else level
    scope = Scope(level, getattr(school, key))  # type: ignore[arg-type]
    with begin_read(tree.engine) as conn:
        code = scopes.where(conn, [scope])[scope].code
    words = ["token", "--data", str(tree.config.data), f"--{level}", code]
    assert cli.main(words) == 0
    token = capsys.readouterr().out.strip()
    who = bearer(tree.engine, token, time.time())
    assert who is not None
    assert who.scope == scope
    with RunningSite(tree.config) as site:
        client = site.anyone(headers={"Authorization": f"Bearer {token}"})
        listed = client.get("/api/v1/schools").json()["schools"]
        asked = {"q": "SHOW TAG VALUES FROM school_info WITH KEY = code"}
        (series,) = client.get("/influx/query", params=asked).json()["results"][0]["series"]
        every = client.get("/influx/query", params={"q": "SELECT value FROM device_info GROUP BY *"}).text
    inside = {one.code for one in tree.schools if getattr(one, key) == scope.id}
    assert {one["code"] for one in listed} == inside == {value for _, value in series["values"]}
    assert school.mark in every
    assert not {mark for mark in tree.hidden(scope) if mark in every}
    with pytest.raises(SystemExit):
        cli.main([*words, "--school" if level != "school" else "--commune", "X"])
    assert cli.main(["token", "--data", str(tree.config.data), f"--{level}", "NOWHERE"]) == 2
    assert "NOWHERE" in capsys.readouterr().err
    tree.engine.dispose()
