"""Messages as receivers get them: in storms, by mail, and after an hour in which nobody answered."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import func, select, update

from outbox import RULES, URL, WORDS, Mailbox, closed, opened, send
from reports import NOW, World
from schoolwatch_server import channels, exercises, messages, notify, rule_changes, rules
from schoolwatch_server.database import (
    channel_rows,
    duty_rows,
    escalations,
    incident_lists,
    incidents,
    notifications,
    open_incidents,
    replaying,
)
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty.shift import Shift
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.short_answers import UNANSWERED
from webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ALL_DAYS = frozenset(range(7))


def told_in(world: World) -> int:
    with begin_read(world.engine) as conn:
        return conn.scalar(select(func.count()).where(t.notification.c.sent_at.is_not(None))) or 0


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


def test_a_thousand_incidents_at_once_are_one_message_a_channel_and_so_is_their_end(
    world: World, webhook: Webhook
) -> None:
    other = Webhook()
    addresses = {"a": webhook.url, "b": other.url}
    try:
        ids = opened(world, 999, ("a", "b"), NOW)
        ids += opened(world, 1, ("a", "b"), NOW, "critical")
        send(world, addresses, NOW)
        for hook in (webhook, other):
            (message,) = hook.received
            assert message["title"] == (
                "[SchoolWatch] 1.000 thông báo sự cố cùng lúc, nặng nhất: mức nghiêm trọng"
            )
            text = message["message"]
            assert "Mới xảy ra: 1.000." in text
            assert "nghiêm trọng: 1, cao: 999" in text
            assert "NGHIÊM TRỌNG (1): Phần mềm diệt vi-rút không chạy hoặc không có – Trường (S)" in text
            assert "Nơi bị nhiều nhất: Xã: 1.000" in text
            assert text.endswith(f"{URL}/incidents?state=all&message={hook.keys[0]}")
        with begin_read(world.engine) as conn:
            told = incident_lists.counts(conn, EVERYTHING, incident_lists.Wanted(message=webhook.keys[0]))
        assert told["open"] == 1000, "the link leads to exactly those"
        closed(world, ids, NOW + 60)
        send(world, addresses, NOW + 60)
        assert len(webhook.received) == 1, "the storm lasts: its end is counted in the next message"
        send(world, addresses, NOW + 301)
        assert "Đã khắc phục: 1.000." in webhook.received[1]["message"]
        assert len(webhook.received) == 2
        assert told_in(world) == 4000
    finally:
        other.close()


def test_a_storm_hides_no_attack(world: World, webhook: Webhook) -> None:
    addresses = {"a": webhook.url}
    opened(world, 50, ("a",), NOW)
    send(world, addresses, NOW)
    (number,) = opened(world, 1, ("a",), NOW + 5, rule="malware_found")
    send(world, addresses, NOW + 5)
    assert len(webhook.received) == 2
    assert "phát hiện mã độc" in webhook.received[1]["title"]
    assert webhook.received[1]["message"].endswith(f"{URL}/incidents/{number}")


def test_attacks_that_are_a_storm_are_named_in_its_message(world: World, webhook: Webhook) -> None:
    opened(world, 40, ("a",), NOW)
    opened(world, 12, ("a",), NOW, rule="malware_found")
    send(world, {"a": webhook.url}, NOW)
    (message,) = webhook.received
    named = "MÃ ĐỘC, DẤU HIỆU TẤN CÔNG (12): Phần mềm diệt vi-rút phát hiện mã độc – Trường (S); "
    assert named in message["message"]


def test_an_endpoint_that_is_down_for_an_hour_gets_each_message_once(world: World, webhook: Webhook) -> None:
    addresses = {"a": webhook.url}
    webhook.status = 503
    ids = []
    for minute in range(0, 60, 2):
        ids += opened(world, 1, ("a",), NOW + minute * 60)
        send(world, addresses, NOW + minute * 60 + 1)
    assert webhook.received == []
    webhook.status = 200
    for minute in range(60, 200):
        send(world, addresses, NOW + minute * 60)
    text = "\n".join(message["message"] for message in webhook.received)
    assert len(webhook.received) <= 3, "what came meanwhile is one message"
    assert sum(map(int, re.findall(r"Mới xảy ra: (\d+)\.", text))) == 29
    assert text.count(f"/incidents/{ids[0]}\n") + text.endswith(f"/incidents/{ids[0]}") == 1
    assert told_in(world) == 30
    with begin_read(world.engine) as conn:
        e = t.incident_event.c
        told = conn.execute(
            select(e.incident_id, func.count()).where(e.kind == "notified").group_by(e.incident_id)
        )
        assert {number: count for number, count in told} == dict.fromkeys(ids, 1)  # noqa: C416


def test_what_comes_after_a_refusal_is_told_soon_after_the_endpoint_is_back(
    world: World, webhook: Webhook
) -> None:
    addresses = {"a": webhook.url}
    webhook.status = 503
    opened(world, 1, ("a",), NOW)
    for minute in range(70):
        send(world, addresses, NOW + minute * 60)
    webhook.status = 200
    opened(world, 1, ("a",), NOW + 4200, "critical")
    for minute in range(70, 82):
        send(world, addresses, NOW + minute * 60)
    assert len(webhook.received) == 2, "it was up to an hour"
    with begin_read(world.engine) as conn:
        e = t.incident_event.c
        kinds = conn.scalars(select(e.kind).where(e.kind.in_(("notify_failed", "notified")))).all()
    assert 6 < len(kinds) < 12, "its timeline is not filled with attempts"


@pytest.mark.parametrize("service", ["phone", "url"])
def test_a_service_that_takes_all_and_answers_nothing_holds_up_no_other_incident(
    world: World, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """A mail server that examines each mail for longer than is waited for does so to every one."""
    came: dict[str, list[float]] = {}
    now = NOW

    def taken(*message: str) -> str:
        came.setdefault(message[3], []).append(now - NOW)
        return UNANSWERED

    monkeypatch.setattr(channels, "deliver", taken)
    at = (0, 60, 600, 3600)
    for second in range(0, 4000, 15):
        now = NOW + second
        if second in at:
            opened(world, 1, ("a",), now, "critical")
        send(world, {"a": getattr(webhook, service)}, now)
    assert len(came) == len(at)
    late = [times[0] - opened_at for times, opened_at in zip(came.values(), at, strict=True)]
    assert max(late) <= 60, late
    if service == "phone":
        assert [len(times) for times in came.values()] == [5, 5, 4, 4], "each question rings once more"


def test_messages_that_are_refused_for_what_they_say_do_not_silence_a_channel(
    world: World, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: dict[str, float] = {}
    now = NOW

    def taken(*message: str) -> str:
        came.setdefault(message[3], now - NOW)
        return "answered 400" if list(came).index(message[3]) < 3 else ""

    monkeypatch.setattr(channels, "deliver", taken)
    for minute in range(200):
        now = NOW + minute * 60
        if minute in (0, 1, 30, 140):
            opened(world, 1, ("a",), now)
        send(world, {"a": webhook.url}, now)
    first, second, third, fourth = came.values()
    assert (first, second < 600, third - second, fourth) == (0, True, 3600, 140 * 60)


def test_a_mail_has_a_readable_subject_and_the_id_of_its_message(world: World, mailbox: Mailbox) -> None:
    address = f"mailto://127.0.0.1:{mailbox.port}?from=so@example.vn&to=truc@example.vn&smtp=127.0.0.1"
    (number,) = opened(world, 1, ("m",), NOW, "critical")
    send(world, {"m": address}, NOW)
    (mail,) = mailbox.mails
    assert mail["Subject"] == (
        "[SchoolWatch] Sự cố mới mức nghiêm trọng: Phần mềm diệt vi-rút không chạy hoặc không có · Trường (S)"
    )
    with begin_read(world.engine) as conn:
        nonce = conn.scalar(select(t.delivery.c.nonce))
    assert mail["Message-ID"] == f"<{nonce}@schoolwatch>"
    assert f"{URL}/incidents/{number}" in mail.get_content()
    again = channels.deliver(address, "x", "y", nonce)
    assert (again, mailbox.mails[1]["Message-ID"]) == ("", f"<{nonce}@schoolwatch>")


def test_who_is_not_on_duty_is_not_told_and_what_can_wait_comes_as_one_digest(
    world: World, webhook: Webhook
) -> None:
    with begin_write(world.engine) as conn:
        number = channel_rows.add(conn, "Lan", "webhook", webhook.url, "vi", None, NOW)
        lan = Shift(
            0, "Lan", EVERYTHING, "low", ALL_DAYS, 0, 0, (f"channel:{number}",), quiet=(20 * 60, 6 * 60)
        )
        duty_rows.put(conn, lan, NOW)
    addresses = {f"channel:{number}": webhook.url, "everybody": "json://127.0.0.1:1/x"}
    opened(world, 3, ("everybody",), NOW, "medium")  # NOW is 21:13 in Vietnam
    opened(world, 1, ("everybody",), NOW, "critical")
    send(world, addresses, NOW + 1)
    assert [title.split(":")[0] for title in webhook.titles] == ["[SchoolWatch] Sự cố mới mức nghiêm trọng"]
    send(world, addresses, NOW + 8 * 3600)
    assert len(webhook.titles) == 1
    send(world, addresses, NOW + 9 * 3600)
    assert webhook.titles[1] == (
        "[SchoolWatch] Bản tin: 3 thông báo sự cố không gấp, nặng nhất: mức trung bình"
    )
    assert told_in(world) == 4


def test_the_next_step_is_told_until_somebody_acknowledges(world: World, webhook: Webhook) -> None:
    chief = Webhook()
    try:
        with begin_write(world.engine) as conn:
            for step, channel in ((1, "a"), (2, "b"), (3, "a")):
                duty_rows.put(
                    conn, Shift(0, channel, EVERYTHING, "low", ALL_DAYS, 0, 0, (channel,), step=step), NOW
                )
        addresses = {"a": webhook.url, "b": chief.url}
        first, second = opened(world, 2, ("a", "b"), NOW, "critical")

        def after(minutes: float) -> None:
            notify.climb(world.engine, ("a", "b"), NOW + minutes * 60)
            send(world, addresses, NOW + minutes * 60)

        after(14.9)
        assert (len(webhook.titles), len(chief.titles)) == (2, 0)
        with begin_write(world.engine) as conn:
            conn.execute(update(t.incident).where(t.incident.c.id == second).values(acknowledged_at=NOW))
        after(15)
        after(15)
        assert [title.split(":")[0] for title in chief.titles] == [
            "[SchoolWatch] Chưa ai nhận sự cố mức nghiêm trọng"
        ]
        after(30.1)
        after(60)
        assert [title.split(" mức")[0] for title in webhook.titles] == [
            "[SchoolWatch] Sự cố mới", "[SchoolWatch] Sự cố mới", "[SchoolWatch] Chưa ai nhận sự cố",
        ]  # fmt: skip
        with begin_read(world.engine) as conn:
            e = t.incident_event.c
            steps = conn.execute(select(e.incident_id, e.detail).where(e.kind == "escalated")).all()
            assert [(number, detail["step"]) for number, detail in steps] == [(first, 2), (first, 3)]
            assert escalations.due(conn, NOW + 1e6) == ()
    finally:
        chief.close()


def test_who_comes_next_is_told_again_when_an_incident_comes_again(world: World, webhook: Webhook) -> None:
    with begin_write(world.engine) as conn:
        for step, channel in ((1, "a"), (2, "b")):
            shift = Shift(0, channel, EVERYTHING, "low", ALL_DAYS, 0, 0, (channel,), step=step)
            duty_rows.put(conn, shift, NOW)
    everybody = ("a", "b")
    (first,) = opened(world, 1, everybody, NOW, "critical")
    assert notify.climb(world.engine, everybody, NOW + 900) == 1
    closed(world, [first], NOW + 1000)
    with begin_write(world.engine) as conn:
        (device,) = conn.scalars(select(t.incident.c.device_id))
        again = incidents.NewIncident(
            "antivirus_off", 1, "critical", subject.device(device), NOW + 1100, NOW + 1100, late=False,
            evidence={}, reopen_within=3600,
        )  # fmt: skip
        assert incidents.open_incident(conn, again, NOW + 1100) == incidents.Opened(first, "reopened")
        notifications.put(conn, first, "reopened", everybody, NOW + 1100)
    assert notify.climb(world.engine, everybody, NOW + 2000) == 1
    with begin_read(world.engine) as conn:
        n = t.notification.c
        told = conn.execute(select(n.channel, n.event).order_by(n.id)).all()
    assert [tuple(row) for row in told] == [
        ("a", "opened"), ("b", "escalated"), ("a", "closed"), ("b", "closed"), ("a", "reopened"),
        ("b", "escalated:2"),
    ]  # fmt: skip


def test_an_exercise_goes_on_when_its_rule_is_switched_off(world: World) -> None:
    world.enrol()
    rule = next(one for one in RULES if one.id == "antivirus_off")
    exercises.start(world.engine, exercises.Wanted(rule, EVERYTHING, 1, 600.0, "thử"), (), "lan", NOW)
    off = rules.Book.of([msgspec.structs.replace(rule, enabled=False)])
    rule_changes.Withdrawing().look(world.engine, off, NOW + 1)
    with begin_read(world.engine) as conn:
        assert list(conn.scalars(select(t.incident.c.closed_at))) == [None]
        assert open_incidents.of_rules(conn, [rule.id]) == {}, "an exercise is nothing that a rule found"
        assert replaying.real(conn, [rule.id], NOW, NOW + 2) == ()


def test_an_exercise_is_marked_told_and_ends_by_itself(world: World, webhook: Webhook) -> None:
    world.enrol()
    rule = next(one for one in RULES if one.id == "antivirus_off")
    wanted = exercises.Wanted(rule, EVERYTHING, 1, 600.0, "thử trực đêm")
    number = exercises.start(world.engine, wanted, ("a",), "lan", NOW)
    with pytest.raises(exercises.ExerciseError, match="another"):
        exercises.start(world.engine, wanted, ("a",), "lan", NOW)
    (real,) = opened(world, 1, ("a",), NOW)
    send(world, {"a": webhook.url}, NOW)
    assert sorted(title.startswith("[DIỄN TẬP] [SchoolWatch] Sự cố mới") for title in webhook.titles) == [
        False, True,
    ]  # fmt: skip
    assert exercises.end_due(world.engine, NOW + 599) == 0
    assert exercises.end_due(world.engine, NOW + 600) == 1
    assert not exercises.end(world.engine, number, "lan", NOW + 601)
    send(world, {"a": webhook.url}, NOW + 600)
    assert webhook.titles[-1].startswith("[DIỄN TẬP] [SchoolWatch] Đã khắc phục")
    with begin_read(world.engine) as conn:
        i = t.incident.c
        rows = conn.execute(select(i.id, i.is_exercise, i.closed_at).order_by(i.id)).all()
        assert [(row.is_exercise, row.closed_at) for row in rows if row.id != real] == [(True, NOW + 600)]
        assert [(row.is_exercise, row.closed_at) for row in rows if row.id == real] == [(False, None)]
        a = t.audit.c
        assert list(conn.scalars(select(a.action).where(a.action.like("exercise%")).order_by(a.id))) == [
            "exercise.start", "exercise.end",
        ]  # fmt: skip


def test_a_long_message_is_cut_before_its_link() -> None:
    body = "\n".join(["dòng " * 50] * 100 + ["Xem chi tiết: https://x.vn/incidents/7"])
    cut = channels.fit(body, 2000)
    assert len(cut) <= 2000
    assert cut.endswith("…\nXem chi tiết: https://x.vn/incidents/7")
    assert channels.fit("kurz", 2000) == "kurz"
    assert messages.stem("escalated:2") == "escalated"


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("", "missing"),
        ("x" * 3000, "too_long"),
        ("json://a b", "spaces"),
        ("127.0.0.1:80", "no_scheme"),
        ("syslog://_/local0", "local"),
        ("zzz://host/s3cret", "unknown_scheme"),
        ("zalo://not-a-token", "incomplete"),
    ],
)
def test_what_is_wrong_with_an_address_is_a_word_and_never_the_address(address: str, fault: str) -> None:
    with pytest.raises(channels.AddressError) as caught:
        channels.check(address)
    assert caught.value.fault == fault
    assert "s3cret" not in str(caught.value)
    assert f"channel.fault.{fault}" in WORDS.entries


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("zalo://123456:abcDEF/9876", "zalo"),
        ("mailtos://u:p@mail.example.vn?to=a@b.vn", "email"),
        ("jsons://host/x", "webhook"),
        ("tgram://123456789:abcdefghijklmnopqrstuvwxyzABCDEFGH/12345", "telegram"),
        ("ntfy://host/topic", "ntfy"),
    ],
)
def test_kinds_are_called_what_people_call_them(address: str, kind: str) -> None:
    channels.check(address)
    assert channels.kind(address) == kind
