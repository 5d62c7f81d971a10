"""Which sites are looked at when, what is kept of it, and what a child that fails takes with it: nothing."""

import socket
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select, update

from schoolwatch_server import evaluate, site_rounds
from schoolwatch_server import site_standing as standing
from schoolwatch_server.config import ConfigError, ServerConfig, Sites, load
from schoolwatch_server.database import sites
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.site_rounds import AGAIN, Rounds, next_times, rules_of
from schoolwatch_server.sites.look import OUR_LINE, Look, Tls, Way
from tree import Tree

UP = Look(
    Way("", 200, 0.2, is_https=True),
    Way("no_record"),
    Tls(is_trusted=True, issuer="CA", expires_at=2e9),
    True,
)
DOWN = Look(Way("timeout"), Way("no_record"))
HOUR = 3600.0


def put(tree: Tree, number: int, address: str, at: float) -> None:
    with begin_write(tree.engine) as conn:
        assert sites.change(conn, tree.schools[number].id, address, at, "test")


def looked(tree: Tree, found: Look, at: float, due: float | None = None) -> int:
    """Every site that is due is looked at."""
    with begin_write(tree.engine) as conn:
        kept = 0
        for ids in sites.due(conn, at, 100).values():
            kept += sites.put(conn, ids, found, at, dict.fromkeys(ids, at if due is None else due))
        return kept


def row(tree: Tree, number: int = 0) -> sites.SiteRow:
    with begin_read(tree.engine) as conn:
        found = sites.of_school(conn, EVERYTHING, tree.schools[number].id)
    assert found is not None
    return found


def test_since_when_a_site_is_up_or_down_and_what_is_unknown_changes_nothing(tree: Tree) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    assert (row(tree).look, row(tree).since) == (None, None)
    for at, found in enumerate(
        (UP, UP, OUR_LINE, UP, DOWN, Look(Way("denied", 403), Way("no_record")), DOWN)
    ):
        assert looked(tree, found, float(at + 1)) == 1
    now = row(tree)
    assert (now.is_up, now.since) == (False, 5.0)
    with begin_read(tree.engine) as conn:
        looks = sites.looks(conn, EVERYTHING, now.id, before=100.0, limit=10)
        did = sites.availability(conn, EVERYTHING, now.id, 2.0)
        assert sites.looks(conn, Scope("school", tree.schools[1].id), now.id, before=100.0, limit=10) == ()
    assert [look.at for look in looks] == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    assert did == sites.Availability(2, 4)
    assert looked(tree, UP, 8.0) == 1
    assert (row(tree).is_up, row(tree).since) == (True, 8.0)


def test_our_own_line_is_kept_once_while_it_is_down(tree: Tree) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    assert [
        looked(tree, found, float(at)) for at, found in enumerate((UP, OUR_LINE, OUR_LINE, OUR_LINE, UP), 1)
    ] == [
        1,
        1,
        0,
        0,
        1,
    ]


def test_another_address_is_another_site_and_the_former_ones_looks_stay(tree: Tree) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    looked(tree, DOWN, 1.0)
    put(tree, 0, "https://b.vn/", 2.0)
    now = row(tree)
    assert (now.address, now.look, now.is_up) == ("https://b.vn/", None, None)
    with begin_write(tree.engine) as conn:
        assert not sites.change(conn, now.school_id, "https://b.vn/", 3.0, "test"), "nothing to do"
        assert sites.change(conn, now.school_id, "", 4.0, "test")
        assert sites.addresses(conn, EVERYTHING) == {}
        assert sites.due(conn, 100.0, 10) == {}
        kept = conn.scalar(select(func.count()).select_from(t.site_look))
    assert kept == 1


def test_what_is_due_comes_in_its_turn_and_one_address_is_asked_once(tree: Tree) -> None:
    for number, address in enumerate(("http://a.vn/", "http://b.vn/", "http://a.vn/", "http://c.vn/")):
        put(tree, number, address, float(10 - number))
    with begin_write(tree.engine) as conn:
        ids = {site.school_id: site.id for site in sites.listed(conn, EVERYTHING)}
        own = [ids[school.id] for school in tree.schools[:4]]
        assert list(sites.due(conn, 20.0, 2).items()) == [
            ("http://c.vn/", (own[3],)),
            ("http://a.vn/", (own[0], own[2])),
        ]
        assert sites.due(conn, 6.0, 2) == {}
        gone = tree.schools[3].id  # merged into another: nobody's site any more
        conn.execute(update(t.school_code).where(t.school_code.c.school_id == gone).values(valid_to=1.0))
        assert "http://c.vn/" not in sites.due(conn, 20.0, 9)
        assert len(sites.listed(conn, EVERYTHING)) == 3


def test_sites_drift_apart_around_the_period(tree: Tree) -> None:
    section = Sites(every_hours=6.0)
    times = [next_times([id_], 0.0, section, is_ours=False)[id_] / HOUR for id_ in range(500)]
    assert min(times) >= 5.4
    assert max(times) <= 6.6
    assert max(times) - min(times) > 1.0
    assert next_times([7], 0.0, section, is_ours=False) == next_times([7], 0.0, section, is_ours=False)
    assert next_times([7], 5.0, section, is_ours=True) == {7: 5.0 + AGAIN}


def test_a_look_again_is_granted_once_in_a_while(tree: Tree) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    looked(tree, DOWN, 1000.0, due=90_000.0)
    school = tree.schools[0].id
    with begin_write(tree.engine) as conn:
        assert not sites.look_soon(conn, school, 1500.0, 600.0)
        assert sites.due(conn, 1500.0, 9) == {}
        assert sites.look_soon(conn, school, 1601.0, 600.0)
        assert list(sites.due(conn, 1601.0, 9)) == ["http://a.vn/"]
        assert not sites.look_soon(conn, tree.schools[1].id, 1601.0, 600.0), "it has no site"


def test_what_indicators_are_told_of_each_school(tree: Tree) -> None:
    six = Look(Way("", 200), Way("", 200, is_https=True), Tls(is_trusted=True, expires_at=5.0))
    plain = Look(Way("", 200), Way("", 200), Tls(is_trusted=False, trouble="none"))
    for number, found in enumerate((UP, DOWN, six, plain, OUR_LINE)):
        put(tree, number, f"http://t{number}.vn/", float(number))
        looked(tree, UP, float(number) + 0.1)
        looked(tree, found, float(number) + 0.2, due=1e9)
    put(tree, 5, "http://never.vn/", 9.0)
    with begin_read(tree.engine) as conn:
        found = sites.facts(conn, EVERYTHING, 0.0)
        assert len(sites.facts(conn, EVERYTHING, 3.0)) == 2, "what was seen too long ago is not known today"
        assert set(sites.facts(conn, Scope("school", tree.schools[0].id), 0.0)) == {tree.schools[0].id}
    told = [found.get(school.id) for school in tree.schools[:6]]
    assert told[5] is None
    assert [
        (one.is_up, one.is_trusted, one.has_ipv6, one.has_https_over_ipv6) for one in told[:5] if one
    ] == [
        (True, True, False, False),
        (False, None, False, False),
        (True, True, True, True),
        (True, False, True, False),
        (None, None, None, None),
    ]
    assert [one.looked_at for one in told[:5] if one] == [0.2, 1.2, 2.2, 3.2, 4.2]


def test_which_sites_need_somebody(tree: Tree) -> None:
    def with_days(days: float, *, is_trusted: bool = True) -> Look:
        return msgspec.structs.replace(UP, tls=Tls(is_trusted=is_trusted, expires_at=1e6 + days * 86400))

    for number, found in enumerate(
        (with_days(40), with_days(20), with_days(10), with_days(5), DOWN, OUR_LINE)
    ):
        put(tree, number, f"http://t{number}.vn/", float(number))
        looked(tree, found, float(number) + 0.2, due=1e9)
    put(tree, 6, "http://ended.vn/", 8.0)
    looked(tree, with_days(-2.5, is_trusted=False), 9.0, due=1e9)
    with begin_read(tree.engine) as conn:
        rows = sites.listed(conn, EVERYTHING)
    assert standing.counted(rows, 1e6) == {
        "all": 7,
        "down": 1,
        "expiring_30": 4,
        "expiring_14": 3,
        "expiring_7": 2,
        "untrusted": 1,
        "no_ipv6": 6,
        "unknown": 1,
    }
    assert [standing.days_left(one, 1e6) for one in rows] == [40, 20, 10, 5, None, None, -3]


# --- the child ---------------------------------------------------------------------------------------


def rounds(tree: Tree, script: str) -> Rounds:
    section = Sites(enabled=True, references=("127.0.0.1:9",))
    config = msgspec.structs.replace(tree.config, sites=section)
    return Rounds(config, tree.engine, (sys.executable, "-I", "-c", script))


@pytest.mark.parametrize(
    "script",
    [
        "raise SystemExit(1)",
        "print('no JSON'); print('{}'); print('x' * 300_000)",
        """print('{"address":"http://other.vn/","look":{}}')""",
    ],
)
def test_a_child_that_ends_or_raves_leaves_its_sites_for_later(tree: Tree, script: str) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    began = time.time()
    assert rounds(tree, script).next(threading.Event()) == 0
    assert row(tree).look is None
    with begin_read(tree.engine) as conn:
        assert sites.due(conn, began + AGAIN - 1, 9) == {}
        assert list(sites.due(conn, time.time() + AGAIN + 1, 9)) == ["http://a.vn/"]


def test_a_child_that_hangs_ends_when_the_server_does(tree: Tree) -> None:
    put(tree, 0, "http://a.vn/", 0.0)
    stop = threading.Event()
    script = "import sys, time; print(flush=True); time.sleep(600)"
    waits = threading.Timer(0.3, stop.set)
    waits.start()
    began = time.monotonic()
    assert rounds(tree, script).next(stop) == 0
    assert time.monotonic() - began < 60
    with begin_read(tree.engine) as conn:
        assert list(sites.due(conn, time.time(), 9)) == ["http://a.vn/"], (
            "it is looked at after the next start"
        )


def test_what_is_said_is_kept_of_every_site_with_the_address_and_once(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "a secret")
    put(tree, 0, "http://a.vn/", 0.0)
    put(tree, 1, "http://a.vn/", 0.0)
    script = (
        "import json, os, sys\n"
        "job = json.load(sys.stdin)\n"
        "assert 'PGPASSWORD' not in os.environ and os.getcwd() == '/'\n"
        "for _ in range(2):\n"
        "    for address in job['addresses']:\n"
        "        print(json.dumps({'address': address, 'look': {'v4': {'trouble': '', 'status': 200}}}))\n"
    )
    began = time.time()
    assert rounds(tree, script).next(threading.Event()) == 2
    for number in (0, 1):
        assert (row(tree, number).is_up, row(tree, number).look is not None) == (True, True)
    with begin_read(tree.engine) as conn:
        assert sites.due(conn, began + 5 * HOUR, 9) == {}
        assert len(sites.due(conn, time.time() + 7 * HOUR, 9)) == 1


def test_sites_learn_who_asks_and_nothing_else(tree: Tree) -> None:
    http = msgspec.structs.replace(tree.config.http, public_url="https://so.vn")
    rules = rules_of(msgspec.structs.replace(tree.config, http=http))
    assert rules.agent.startswith("SchoolWatch/")
    assert rules.agent.endswith("(school website check; https://so.vn)")
    assert rules.ports == (80, 443, 8080, 8443)
    assert rules.allowed_networks == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("enabled = true", "sites.references: is empty"),
        ('references = ["vnnic.vn"]', "no HOST:PORT"),
        ('references = ["vnnic.vn:x"]', "names no port"),
        ('references = [":443"]', "no HOST:PORT"),
        ('allowed_networks = ["10.1.1.1/8"]', "sites.allowed_networks: 10.1.1.1/8 has host bits"),
        ("every_hours = 0.1", "sites.every_hours"),
    ],
)
def test_settings_that_cannot_be_used_say_so(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "server.toml"
    path.write_text(f"[sites]\n{lines}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load(path)


def test_it_is_off_until_somebody_switches_it_on() -> None:
    assert not ServerConfig().sites.enabled


@pytest.mark.parametrize("enabled", [True, False])
def test_the_server_looks_by_itself_once_it_is_switched_on(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, *, enabled: bool
) -> None:
    """By the real child, over a line that is down: nothing listens at the reference."""
    monkeypatch.setattr(site_rounds, "EVERY", 0.05)
    put(tree, 0, "http://a.vn/", tree.now)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reference = f"127.0.0.1:{listening.getsockname()[1]}"
    section = Sites(enabled=enabled, references=(reference,), seconds=5.0)
    stop, config = threading.Event(), msgspec.structs.replace(tree.config, sites=section)
    thread = threading.Thread(target=evaluate.run, args=(config, stop))
    thread.start()
    try:
        end = time.monotonic() + (60 if enabled else 1)
        while row(tree).look is None and time.monotonic() < end and thread.is_alive():
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    found = row(tree).look
    assert (found.trouble if found else None) == ("our_line" if enabled else None)
