"""Incidents at a real Alertmanager: those that are open, by their labels; over when they are over."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import select, update

from alertmanager import LOGIN, Answering, RunningAlertmanager
from schoolwatch_server import alert_push, alertmanager, channels, handling, notify, people, rules, texts
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.alertmanager import LASTS, RESEND, Said, Told
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.database import channel_rows, incident_rows
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.handling import Wish
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite, csrf

URL = "https://schoolwatch.example"
WORDS = texts.load()
RULES = rules.load()
TOLD = Told(7, "antivirus_off", "high", 1e9, None, False, "P1", "C1", "S1", "máy 1, Trường X", {})
SAID = Said("tiêu đề", "vì sao", "việc cần làm")


def made(told: Told = TOLD, **more) -> alertmanager.Alert:
    return alertmanager.alert(told, SAID, SAID, summary="tóm tắt", public_url=URL, until=2e9 + LASTS, **more)


# --- what is sent -------------------------------------------------------------------------------------


def test_an_alert_has_what_does_not_change_in_its_labels_and_what_people_read_beside_them() -> None:
    alert = made()
    assert alert["labels"] == {
        "alertname": "antivirus_off", "source": "schoolwatch", "severity": "high", "incident": "7",
        "province": "P1", "commune": "C1", "school": "S1",
    }  # fmt: skip
    assert alert["generatorURL"] == f"{URL}/incidents/7"
    assert alert["annotations"]["runbook_url"] == f"{URL}/rules/antivirus_off"
    assert (alert["startsAt"], alert["endsAt"]) == ("2001-09-09T01:46:40.000Z", "2033-05-18T03:38:20.000Z")
    assert RESEND * 2 < LASTS, "one that was lost on its way does not end it"


def test_one_that_is_over_ends_when_it_was_closed_and_never_before_it_began() -> None:
    assert made(Told(**{**fields(TOLD), "closed_at": 1e9 + 60}))["endsAt"] == "2001-09-09T01:47:40.000Z"
    assert made(Told(**{**fields(TOLD), "closed_at": 1e9 - 60}))["endsAt"] == "2001-09-09T01:46:40.000Z"
    ahead = made(Told(**{**fields(TOLD), "since": 3e9}))
    assert ahead["startsAt"] == ahead["endsAt"]


def test_exercises_and_made_up_data_are_marked_and_empty_labels_left_out() -> None:
    marked = made(Told(**{**fields(TOLD), "is_exercise": True, "school": ""}), is_simulated=True)["labels"]
    assert (marked["exercise"], marked["simulated"]) == ("true", "true")
    assert "school" not in marked
    assert not {"exercise", "simulated"} & made()["labels"].keys()


def fields(told: Told) -> dict:
    return {name: getattr(told, name) for name in Told.__slots__}


@pytest.mark.parametrize(
    ("address", "url", "authorization"),
    [
        ("alertmanager://h", "http://h:9093/api/v2/alerts", ""),
        ("alertmanagers://h:443/am/", "https://h:443/am/api/v2/alerts", ""),
        ("alertmanager://u:p%40ss@[::1]:1", "http://[::1]:1/api/v2/alerts", "Basic dTpwQHNz"),
        ("alertmanagers://h?bearer=t0k%2Ben", "https://h:9093/api/v2/alerts", "Bearer t0k+en"),
    ],
)
def test_an_address_names_place_and_secret(address: str, url: str, authorization: str) -> None:
    channels.check(address)
    assert channels.kind(address) == "alertmanager"
    assert alertmanager.target(address) == alertmanager.Target(url, authorization)


@pytest.mark.parametrize(
    "address",
    [
        "alertmanager://", "alertmanager://h:99999", "alertmanager://h?token=s3cret", "alertmanager://h#x",
        "alertmanager://u:s3cret@h?bearer=s3cret", "alertmanager://h?bearer=", "alertmanager://s3crét@h",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_quoting_it(address: str) -> None:
    with pytest.raises(channels.AddressError) as told:
        channels.check(address)
    assert "s3cr" not in str(told.value)


def test_a_pause_is_never_longer_than_it_takes_to_tell_all_again() -> None:
    assert [alertmanager.pause(n) for n in (1, 2, 3, 9)] == [5, 10, 20, RESEND]


# --- at a real one ------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    tree = Tree(tmp_path / "tree")
    yield tree
    tree.engine.dispose()


@pytest.fixture
def running(peer, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[RunningAlertmanager]:
    one = RunningAlertmanager(peer("prometheus-alertmanager"), tmp_path / "am", free_port())
    one.start()
    yield one
    one.stop()


class Telling:
    """The part of `evaluate` that tells, with a clock of the test's own."""

    def __init__(self, tree: Tree) -> None:
        self.tree, self.now = tree, time.time() - 3 * RESEND  # what ends then is over for who is asked

    def __enter__(self) -> Self:
        self.pusher = alert_push.Pusher(self.tree.engine, WORDS, URL, lambda do: do())
        return self

    def __exit__(self, *_: object) -> None:
        self.pusher.close()

    def look(self, later: float = 0.0) -> None:
        """Looks once, and waits until all is told."""
        self.now += later
        book = Channels(self.tree.config, self.tree.engine).now()
        self.pusher.look(book.alertmanagers, RULES, self.now)
        while self.pusher._busy:
            time.sleep(0.01)


def add(tree: Tree, address: str, account: int | None = None, name: str = "am") -> int:
    with begin_write(tree.engine) as conn:
        return channel_rows.add(conn, name, channels.kind(address), address, "vi", account, tree.now - 1)


def open_numbers(tree: Tree, scope: Scope = EVERYTHING) -> set[str]:
    with begin_read(tree.engine) as conn:
        return {str(row.id) for row in incident_rows.incidents(conn, scope, is_open=True)}


def close(tree: Tree, number: int) -> None:
    who = Principal("account", "test", ROLES["so_admin"], EVERYTHING, "so_admin")
    (done,) = handling.handle(tree.engine, who, [number], Wish("resolve", ""), time.time())
    assert done.is_done


def standing(tree: Tree) -> channel_rows.ChannelRow:
    with begin_read(tree.engine) as conn:
        (row,) = channel_rows.listed(conn)
    return row


def test_open_incidents_fire_and_end_and_a_new_alertmanager_is_told_again(
    tree: Tree, running: RunningAlertmanager, peer
) -> None:
    add(tree, f"alertmanager://127.0.0.1:{running.port}")
    with Telling(tree) as told:
        told.look()
        numbers = open_numbers(tree)
        assert running.alerts().keys() == numbers
        assert numbers
        number = min(numbers, key=int)
        alert, school = running.alerts()[number], tree.schools[0]
        assert alert["labels"]["school"] == school.code
        assert {alert["labels"]["province"], alert["labels"]["commune"]} == set(school.above)
        assert alert["annotations"]["summary"].startswith("Phần mềm diệt vi-rút không chạy")
        assert f"Trường {school.code}" in alert["annotations"]["where"]
        shown = subprocess.run(
            [str(peer("amtool")), f"--alertmanager.url={running.url}", "alert", f"school={school.code}"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
        assert "antivirus_off" in shown
        running.stop()
        told.look(later=RESEND)
        assert "no answer" in standing(tree).error
        running.folder = running.folder.with_name("another")
        running.start()
        told.look(later=RESEND)
        assert running.alerts().keys() == numbers
        assert standing(tree).error == ""
        close(tree, int(number))
        told.look(later=RESEND / 2)
        assert running.alerts().keys() == numbers - {number}, "before all is told again"


def test_one_that_has_nothing_to_be_told_is_asked_all_the_same(
    tree: Tree, running: RunningAlertmanager
) -> None:
    add(tree, f"alertmanager://127.0.0.1:{running.port}")
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.incident).values(closed_at=1.0))
    with Telling(tree) as told:
        told.look()
        assert standing(tree).worked_at == told.now
        assert running.alerts() == {}
        running.stop()
        told.look(later=RESEND)
        assert standing(tree).failed_at == told.now


def test_what_changed_its_labels_ends_under_the_old_ones(tree: Tree, running: RunningAlertmanager) -> None:
    add(tree, f"alertmanager://127.0.0.1:{running.port}")
    number = min(open_numbers(tree), key=int)
    with Telling(tree) as told:
        told.look()
        with begin_write(tree.engine) as conn:
            worse = update(t.incident).where(t.incident.c.id == int(number)).values(severity="critical")
            conn.execute(worse)
        told.look(later=RESEND)
        answer = running.client.get("/api/v2/alerts", params={"filter": f'incident="{number}"'}).json()
        assert [one["labels"]["severity"] for one in answer] == ["critical"]


def test_an_accounts_alertmanager_is_told_of_what_the_account_sees(
    tree: Tree, running: RunningAlertmanager
) -> None:
    commune = Scope("commune", tree.schools[0].commune)
    account = people.create_account(
        tree.engine, "commune-am", "a password for tests", role="commune", scope=commune, by="test"
    )
    add(tree, f"alertmanager://127.0.0.1:{running.port}", account)
    with Telling(tree) as told:
        told.look()
        assert running.alerts().keys() == open_numbers(tree, commune)
        assert len(open_numbers(tree, commune)) < len(open_numbers(tree))
        with begin_write(tree.engine) as conn:
            conn.execute(update(t.account).where(t.account.c.id == account).values(disabled_at=tree.now))
        assert Channels(tree.config, tree.engine).now().alertmanagers == ()


def test_a_password_opens_it_and_stays_sealed(
    tree: Tree, peer, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    running = RunningAlertmanager(peer("prometheus-alertmanager"), tmp_path / "am", free_port())
    running.auth = LOGIN
    try:
        running.start()
        here = f"127.0.0.1:{running.port}"
        good = f"alertmanager://{LOGIN[0]}:a%20password%3A%20for%20%40lerts@{here}"
        assert notify.send_test(f"alertmanager://{here}") == "answered 401"
        assert notify.send_test(good) == ""
        assert running.alerts().keys() == {"schoolwatch_test"}
        add(tree, good)
        with begin_read(tree.engine) as conn:
            assert b"password" not in conn.scalar(select(t.channel.c.address))
    finally:
        running.stop()


# --- what must not happen -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 401, 500])
def test_who_refuses_is_asked_ever_more_slowly_and_the_page_says_so(tree: Tree, status: int) -> None:
    server = Answering(status)
    add(tree, server.address)
    try:
        with Telling(tree) as told:
            for later, asked in ((0, 1), (1, 1), (4, 2), (5, 2), (5, 3), (19, 3), (1, 4)):
                told.look(later=later)
                assert server.asked == asked
            assert standing(tree).error == f"answered {status}"
            server.status = 200
            told.look(later=60)
            told.look(later=1)
            assert (server.asked, standing(tree).error) == (5, ""), "nothing new, nothing sent"
    finally:
        server.close()


def test_a_clock_that_was_ahead_and_is_set_right_silences_nobody(tree: Tree) -> None:
    """All alerts would end there five minutes later, as if all were well."""
    server = Answering(200)
    add(tree, server.address)
    try:
        with Telling(tree) as told:
            told.look(later=86_400)
            told.look(later=-86_400)
            assert server.asked == 2
            told.look(later=1)
            assert server.asked == 2, "nothing new, nothing sent"
            server.status = 500
            told.look(later=RESEND)
            told.look(later=-86_400)
            assert server.asked == 4
    finally:
        server.close()


def test_an_answer_without_an_end_is_not_read(tree: Tree) -> None:
    endless = Answering(200)
    endless.is_endless = True
    add(tree, endless.address)
    with Telling(tree) as telling:
        telling.now = time.time()
        asking = threading.Thread(target=telling.look, daemon=True)
        asking.start()
        asking.join(20)
        is_over = not asking.is_alive()
        endless.is_endless = False
    assert is_over
    assert endless.asked == 1
    endless.close()


def test_of_very_many_none_is_taken_for_over(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than were read at once, those that were left out were told as ended, each minute others."""
    monkeypatch.setattr(alert_push, "PART", 7)
    monkeypatch.setattr(alertmanager, "TOGETHER", 5)
    with begin_write(tree.engine) as conn:
        for n in range(60):
            about = subject.Subject("device", tree.schools[0].devices[0].id, f"crowd{n}")
            incident = kept.NewIncident("crowd", 1, "high", about, tree.now, tree.now, False, {})
            assert kept.open_incident(conn, incident, tree.now)
    server = Answering(200)
    add(tree, server.address)
    with begin_read(tree.engine) as conn:
        numbers = set(map(str, conn.scalars(select(t.incident.c.id).where(t.incident.c.closed_at.is_(None)))))
    try:
        with Telling(tree) as told:
            told.look()
            assert server.firing == numbers
            once = server.alerts
            for _ in range(2):
                told.look(later=RESEND)
                assert server.firing == numbers
            close(tree, int(max(numbers, key=int)))
            told.look(later=1)
            assert server.firing == numbers - {max(numbers, key=int)}
            assert server.alerts == 3 * once + 1, "in between what is new"
    finally:
        server.close()


def test_one_that_hangs_holds_up_no_other(tree: Tree) -> None:
    slow, quick = Answering(200), Answering(200)
    slow.holds.clear()
    add(tree, slow.address, name="slow")
    add(tree, quick.address, name="quick")
    try:
        with Telling(tree) as told:
            book = Channels(tree.config, tree.engine).now()
            assert book.addresses == {}, "no message goes to either"
            assert len(book.alertmanagers) == 2
            told.pusher.look(book.alertmanagers, RULES, told.now)
            deadline = time.monotonic() + 60
            while not quick.asked and time.monotonic() < deadline:
                time.sleep(0.01)
            assert quick.asked == 1
            assert not slow.holds.is_set(), "the other has no answer yet"
            slow.holds.set()
    finally:
        slow.holds.set()
        for server in (slow, quick):
            server.close()


def test_it_stands_on_no_duty_list_and_in_no_outbox(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        form = {"csrf": csrf(admin), "name": "Alertmanager của Sở"}
        bad = admin.post("/notifications/channels", data={**form, "address": "alertmanager://h?to=s3cret"})
        assert (bad.status_code, "s3cret" in bad.text) == (422, False)
        good = {**form, "address": "alertmanager://u:s3cret@127.0.0.1:9"}
        assert admin.post("/notifications/channels", data=good).status_code == 303
        page = admin.get("/notifications").text
        assert "Prometheus Alertmanager" in page
        assert "s3cret" not in page
        assert "Alertmanager của Sở" not in admin.get("/duty").text
        with begin_read(tree.engine) as conn:
            (row,) = channel_rows.listed(conn)
            assert row.key not in channel_rows.usable(conn)
        shift = {"csrf": csrf(admin), "name": "Lan", "days": "1", "to": row.key}
        assert admin.post("/duty", data=shift).status_code == 422
