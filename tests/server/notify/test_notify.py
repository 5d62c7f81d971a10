"""Notifications reach a real webhook, once each, in order, and nothing of an address leaks."""

import logging
import stat
from pathlib import Path

import pytest
from sqlalchemy import exc, insert, select, update

from outbox import send
from reports import NOW, World
from schoolwatch_server import channels, messages, notify, people, questions, rules, short_answers, texts
from schoolwatch_server.channel_book import Book
from schoolwatch_server.config import Http, ServerConfig
from schoolwatch_server.database import channel_rows, deliveries, incidents, notifications, retention
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.told_of import Due
from schoolwatch_server.duty.fold import Batch
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING
from webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

RULES = rules.load()
WORDS = texts.load()
URL = "https://schoolwatch.example"


def opened(world: World, *names: str, late: bool = False) -> int:
    """An incident that opened, with its notifications in the outbox."""
    (device,) = world.enrol()
    new = incidents.NewIncident(
        "antivirus_off", 1, "high", subject.device(device.id), NOW, NOW + 600, late, {}
    )
    with begin_write(world.engine) as conn:
        incident = incidents.open_incident(conn, new, NOW)
        assert incident is not None
        notifications.put(conn, incident.id, "opened", names, NOW)
    return incident.id


def closed(world: World, incident: int, *names: str) -> None:
    with begin_write(world.engine) as conn:
        mark = conn.scalar(select(t.incident.c.fingerprint))
        assert incidents.close_incident(conn, mark, NOW + 900, {}, NOW) == incident
        notifications.put(conn, incident, "closed", names, NOW)


def send_all(world: World, addresses: dict[str, str]) -> int:
    times = 0
    while notify.send_next(world.engine, Book(addresses), RULES, WORDS, URL):
        times += 1
    return times


def outbox(world: World) -> list[tuple]:
    n = t.notification.c
    with begin_read(world.engine) as conn:
        query = select(n.event, n.attempts, n.sent_at.is_not(None), n.error).order_by(n.id)
        return [tuple(row) for row in conn.execute(query)]


def due_now(world: World) -> None:
    with begin_write(world.engine) as conn:
        for table in (t.notification, t.delivery):
            conn.execute(update(table).where(table.c.due_at.is_not(None)).values(due_at=NOW))


def test_a_message_says_school_device_what_since_when_and_what_to_do(world: World, webhook: Webhook) -> None:
    addresses = {"a": webhook.url}
    incident = opened(world, "a")
    assert send_all(world, addresses) == 1
    (message,) = webhook.received
    assert message["title"] == (
        "[SchoolWatch] Sự cố mới mức cao: Phần mềm diệt vi-rút không chạy hoặc không có · Trường (S)"
    )
    assert message["message"].startswith("Mức độ: cao\nSự việc: ")
    assert "Nhà trường: Trường (S)" in message["message"]
    assert "Thiết bị: máy 0" in message["message"]
    # 1,790,000,000 s are 2026-09-21 14:13:20 UTC
    assert "Từ lúc: 21:13 ngày 21/09/2026 (giờ Việt Nam)" in message["message"]
    assert "Cần làm: Mở phần mềm diệt vi-rút" in message["message"]
    assert f"Xem chi tiết: {URL}/incidents/{incident}" in message["message"]
    assert "Phát hiện muộn" not in message["message"]
    assert outbox(world) == [("opened", 1, True, "")]


def test_a_late_detection_says_so(world: World, webhook: Webhook) -> None:
    opened(world, "a", late=True)
    send_all(world, {"a": webhook.url})
    assert "Phát hiện muộn" in webhook.received[0]["message"]


def test_each_channel_gets_each_event_once(world: World, webhook: Webhook) -> None:
    other = Webhook()
    try:
        incident = opened(world, "a", "b")
        closed(world, incident, "a", "b")
        closed_again = {"a": webhook.url, "b": other.url}
        assert send_all(world, closed_again) == 4
        assert send_all(world, closed_again) == 0
        for hook in (webhook, other):
            assert [title.split(":")[0] for title in hook.titles] == [
                "[SchoolWatch] Sự cố mới mức cao",
                "[SchoolWatch] Đã khắc phục",
            ]
    finally:
        other.close()


def test_what_is_refused_is_tried_again_and_each_attempt_is_recorded(world: World, webhook: Webhook) -> None:
    addresses = {"a": webhook.url}
    opened(world, "a")
    webhook.status = 503
    assert send_all(world, addresses) == 1  # the next try is only due later
    due_now(world)
    assert send_all(world, addresses) == 1
    webhook.status = 200
    due_now(world)
    assert send_all(world, addresses) == 1
    assert (webhook.refused, len(webhook.received)) == (2, 1)
    assert outbox(world) == [("opened", 3, True, "")]
    with begin_read(world.engine) as conn:
        e = t.incident_event.c
        kinds = conn.execute(select(e.kind, e.detail).order_by(e.id)).all()
    assert [kind for kind, _ in kinds] == ["opened", "notify_failed", "notify_failed", "notified"]
    assert [detail.get("error") for _, detail in kinds[1:]] == ["answered 503", "answered 503", None]


def test_closed_never_overtakes_opened(world: World, webhook: Webhook) -> None:
    addresses = {"a": webhook.url}
    incident = opened(world, "a")
    webhook.status = 500
    send_all(world, addresses)
    closed(world, incident, "a")
    webhook.status = 200
    assert send_all(world, addresses) == 0
    due_now(world)
    assert send_all(world, addresses) == 2
    assert [title.split(":")[0] for title in webhook.titles] == [
        "[SchoolWatch] Sự cố mới mức cao",
        "[SchoolWatch] Đã khắc phục",
    ]


def test_a_channel_that_fails_does_not_hold_up_another(world: World, webhook: Webhook) -> None:
    opened(world, "a", "b")
    send_all(world, {"a": "json://127.0.0.1:1/x", "b": webhook.url})
    assert len(webhook.received) == 1


def cut_off(world: World, channel: str) -> deliveries.Delivery:
    """A message as a sender that was killed in the middle leaves it."""
    notify.make(world.engine, [channel], NOW)
    with begin_write(world.engine) as conn:
        found = deliveries.next_due(conn, [channel], NOW)
        assert found is not None
        first = deliveries.claim(conn, found, NOW, NOW + notify.CLAIMED)
        assert first is not None
        assert not first.may_be_second
    return first


def test_what_nobody_sent_to_the_end_is_sent_again(world: World, webhook: Webhook) -> None:
    opened(world, "a")
    first = cut_off(world, "a")
    with begin_write(world.engine) as conn:
        assert deliveries.next_due(conn, ["a"], NOW + 1) is None
        assert deliveries.claim(conn, first.id, NOW + 1, NOW + 2) is None
    assert send_all(world, {"a": webhook.url}) == 1  # the claim of NOW has run out long ago
    (message,) = webhook.received
    assert message["message"].endswith(f"lần gửi trước bị gián đoạn. Mã thông báo: {first.nonce}")
    assert webhook.keys == [first.nonce]


@pytest.mark.parametrize("state", ["open", "acknowledged", "closed"])
def test_people_are_asked_whether_it_came_and_told_how_it_stands_now(
    world: World, webhook: Webhook, state: str
) -> None:
    """A phone can't tell a second copy by its id: it gets no message twice."""
    incident = opened(world, "a")
    cut_off(world, "a")
    fate = {"open": {}, "acknowledged": {"acknowledged_at": NOW}, "closed": {"closed_at": NOW}}
    if fate[state]:
        with begin_write(world.engine) as conn:
            conn.execute(update(t.incident).values(**fate[state]))
    assert send_all(world, {"a": webhook.phone}) == 1
    (message,) = webhook.received
    stands = WORDS.get("vi", f"notify.question.{state}", title="", place="", severity="").rpartition(": ")[2]
    assert message["title"] == (
        "[SchoolWatch] Hỏi lại: đã nhận được thông báo này chưa?"
        f" Phần mềm diệt vi-rút không chạy hoặc không có · Trường (S), mức cao: {stands}"
    )
    assert "không rõ thông báo đã tới hay chưa" in message["message"]
    assert message["message"].endswith(f"{URL}/incidents/{incident}")
    with begin_read(world.engine) as conn:
        e = t.incident_event.c
        told = conn.scalars(select(e.detail).where(e.kind == "notified")).one()
    assert told["second"] is True


def test_what_may_have_come_is_asked_about_until_it_is_taken(world: World, webhook: Webhook) -> None:
    opened(world, "a")
    cut_off(world, "a")
    webhook.status = 500
    assert send_all(world, {"a": webhook.phone}) == 1
    webhook.status = 200
    due_now(world)
    assert send_all(world, {"a": webhook.phone}) == 1
    (title,) = webhook.titles
    assert "Hỏi lại" in title


def test_an_answer_that_comes_too_late_leaves_it_open_whether_it_came(world: World, webhook: Webhook) -> None:
    opened(world, "a")
    webhook.slow = 1.5
    impatient = f"{webhook.phone}?rto=0.5"
    assert send_all(world, {"a": impatient}) == 1
    assert outbox(world) == [("opened", 1, False, short_answers.UNANSWERED)]
    webhook.slow = 0.0
    due_now(world)
    assert send_all(world, {"a": impatient}) == 1
    first, second = webhook.titles
    assert "Sự cố mới" in first
    assert "Hỏi lại" in second


@pytest.mark.parametrize("status", short_answers.OF_PROXIES)
def test_a_proxy_that_got_no_answer_leaves_it_open_whether_it_came(
    world: World, webhook: Webhook, status: int
) -> None:
    """People are asked; a program gets the same message with the same id."""
    opened(world, "phone", "program")
    addresses = {"phone": webhook.phone, "program": webhook.url}
    webhook.status = status
    assert send_all(world, addresses) == 2
    assert {error for _, _, _, error in outbox(world)} == {f"no answer in time: answered {status}"}
    webhook.status = 200
    due_now(world)
    assert send_all(world, addresses) == 2
    assert sorted("Hỏi lại" in title for title in webhook.titles) == [False, True]
    with begin_read(world.engine) as conn:
        nonce = conn.scalar(select(t.delivery.c.nonce).where(t.delivery.c.channel == "program"))
    assert nonce in webhook.keys


def test_a_phone_whose_service_never_answers_in_time_is_not_rung_all_night(
    world: World, webhook: Webhook
) -> None:
    """It gets the message, three questions soon after, then one an hour, none once somebody took it."""
    incident = opened(world, "a")
    webhook.slow = 0.6
    book = Book({"a": f"{webhook.phone}?rto=0.2"})
    at, rung = NOW, []
    for _ in range(6):
        assert notify.send_next(world.engine, book, RULES, WORDS, URL, at)
        with begin_read(world.engine) as conn:
            due = conn.scalar(select(t.delivery.c.due_at))
        assert due is not None
        rung.append(due - at)
        at = due
    assert rung == [15, 30, 60, 3600, 3600, 3600]
    with begin_write(world.engine) as conn:
        conn.execute(update(t.incident).where(t.incident.c.id == incident).values(acknowledged_at=at))
    assert notify.send_next(world.engine, book, RULES, WORDS, URL, at)
    assert not notify.send_next(world.engine, book, RULES, WORDS, URL, at + 7200)
    assert outbox(world) == [("opened", 7, False, short_answers.UNANSWERED)]


def test_a_message_of_many_that_may_have_come_is_asked_about_with_all_it_held(
    world: World, webhook: Webhook
) -> None:
    incidents_of = [opened(world, "a") for _ in range(questions.NAMED + 5)]
    with begin_write(world.engine) as conn:
        batch = Batch("fold", tuple(conn.scalars(select(t.notification.c.id))), is_exercise=False)
        deliveries.make(conn, "a", batch, NOW)
    cut_off(world, "a")
    assert send_all(world, {"a": webhook.phone}) == 1
    (message,) = webhook.received
    assert len(incidents_of) == questions.NAMED + 5
    assert message["message"].count("chưa ai nhận xử lý") == questions.NAMED
    assert "và 5 sự cố khác" in message["message"]


def test_what_waited_in_an_older_copy_is_asked_about_and_not_told_as_news(
    world: World, webhook: Webhook
) -> None:
    """It was copied before these were sent; the digest of tomorrow was not sent by then."""
    for _ in range(2):
        opened(world, "a", "b")
    notify.make(world.engine, ["b"], NOW)
    opened(world, "a", "b")
    tomorrow = opened(world, "a")
    with begin_write(world.engine) as conn:
        mine = t.notification.c.incident_id == tomorrow
        conn.execute(update(t.notification).where(mine).values(due_at=NOW + 86400))
        assert deliveries.doubt(conn, NOW + 3600) == 4
    send(world, {"a": webhook.phone}, NOW + 3600)
    (question,) = webhook.received
    assert question["title"].startswith("[SchoolWatch] Hỏi lại: ")
    assert question["message"].count("chưa ai nhận xử lý") == 3
    send(world, {"b": webhook.url}, NOW + 3600)
    assert len(webhook.received) == 4
    assert all("Thông báo này có thể đã tới rồi" in one["message"] for one in webhook.received[1:])
    send(world, {"a": webhook.phone}, NOW + 86400)
    assert webhook.received[-1]["title"].startswith("[SchoolWatch] Sự cố mới")


def test_pauses_grow_to_an_hour() -> None:
    assert [notify.pause(n) for n in (1, 2, 3, 9, 30)] == [15, 30, 60, 3600, 3600]
    assert [notify.pause(n, notify.REFUSED_PAUSE) for n in (6, 7, 30)] == [480, 600, 600]


def test_after_the_last_attempt_it_is_given_up(world: World) -> None:
    opened(world, "a")
    notify.make(world.engine, ["a"], NOW)
    with begin_write(world.engine) as conn:
        long_ago = NOW - notify.GIVEN_UP_AFTER
        conn.execute(update(t.delivery).values(attempts=notify.ATTEMPTS - 1, made_at=long_ago))
    assert send_all(world, {"a": "json://127.0.0.1:1/x"}) == 1
    with begin_read(world.engine) as conn:
        assert conn.execute(select(t.notification.c.due_at, t.notification.c.error)).all() == [
            (None, "no answer")
        ]


def test_what_is_under_way_to_a_channel_that_is_taken_away_is_not_tried_again(world: World) -> None:
    with begin_write(world.engine) as conn:
        number = channel_rows.add(conn, "Lan", "webhook", "json://127.0.0.1:9/x", "vi", None, NOW)
    key = f"channel:{number}"
    opened(world, key)
    notify.make(world.engine, [key], NOW)
    with begin_write(world.engine) as conn:
        found = deliveries.next_due(conn, [key], NOW)
        assert found is not None
        claimed = deliveries.claim(conn, found, NOW, NOW + notify.CLAIMED)
        assert claimed is not None
    with begin_write(world.engine) as conn:
        channel_rows.remove(conn, number)
    with begin_write(world.engine) as conn:
        deliveries.failed(conn, claimed, "no answer", NOW + 15, NOW + 10)
        rows = select(t.delivery.c.due_at, t.delivery.c.error)
        assert conn.execute(rows).all() == [(None, "the channel was taken away")]


def test_who_is_let_in_again_is_not_told_of_what_was_months_ago(world: World, webhook: Webhook) -> None:
    people.create_account(world.engine, "lan", "a password", role="so_admin", scope=EVERYTHING, by="test")
    with begin_write(world.engine) as conn:
        account = conn.scalar(select(t.account.c.id))
        number = channel_rows.add(conn, "Lan", "webhook", webhook.url, "vi", account, NOW)
        conn.execute(update(t.account).values(disabled_at=NOW))
    opened(world, key := f"channel:{number}")
    retention.prune(world.engine, NOW + 86400)
    assert outbox(world)[0][3] == "", "a day is no time: it may have been a slip"
    retention.prune(world.engine, NOW + 3 * 86400)
    with begin_write(world.engine) as conn:
        conn.execute(update(t.account).values(disabled_at=None))
    assert send_all(world, {key: webhook.url}) == 0
    assert webhook.received == []
    assert outbox(world) == [("opened", 0, False, "the channel was switched off")]


def test_no_address_is_in_the_database_or_the_log(
    world: World, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = {channels.name(webhook.url): webhook.url}
    caplog.set_level(logging.DEBUG)
    opened(world, *addresses)
    webhook.status = 500
    send_all(world, addresses)
    assert "s3cret" not in caplog.text
    assert "answered 500" in caplog.text
    for file in world.folder.glob("*.db*"):
        assert b"s3cret" not in file.read_bytes()


def test_the_file_of_addresses_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text("# phòng CNTT\n\njson://127.0.0.1:9/s3cret\n  slack://a/b/c  \n", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(channels.ChannelError, match="chmod 600") as caught:
        channels.read(path)
    assert "s3cret" not in str(caught.value)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    found = channels.read(path)
    assert list(found.values()) == ["json://127.0.0.1:9/s3cret", "slack://a/b/c"]
    assert [name.split("-")[0] for name in found] == ["json", "slack"]
    assert not any("s3cret" in name for name in found)


def test_no_file_is_no_channel(tmp_path: Path) -> None:
    assert channels.read(None) == {}
    assert channels.read(tmp_path / "none") == {}


@pytest.mark.parametrize("address", ["nonsense", "json://", "://", "json:// /x", "ư://x"])
def test_a_wrong_address_is_an_answer(address: str) -> None:
    error = channels.deliver(address, "t", "b")
    assert error
    assert address not in error


def test_a_test_message_says_whether_it_was_taken(webhook: Webhook) -> None:
    assert notify.send_test(webhook.url) == ""
    assert notify.send_test("json://127.0.0.1:1/x") == "no answer"
    assert webhook.titles == ["[SchoolWatch] Thông báo thử"]


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        (Http(public_url="https://sw.edu.vn/"), "https://sw.edu.vn"),
        (Http(host="127.0.0.1", port=1234), "http://127.0.0.1:1234"),
        (Http(host="::1", port=1234), "http://[::1]:1234"),
        (Http(host="192.0.2.7", port=1234), "https://192.0.2.7:1234"),
    ],
)
def test_the_link_is_how_people_reach_the_console(http: Http, expected: str) -> None:
    assert messages.public_url(ServerConfig(http=http)) == expected


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("kind", ["opened", "closed", "reopened", "again:2", "escalated:2", "put_back"])
def test_a_message_of_a_rule_that_is_gone_still_reads(world: World, kind: str, language: str) -> None:
    due = Due(
        7, 3, kind, "a", "gone", "high", NOW, NOW, None, None, True, False, "f" * 32, "", *(5 * (None,))
    )
    title, body = messages.of_one(due, {}, WORDS, URL, language)
    assert "gone" in title
    assert "ffffffff" in body
    assert "{" not in body


def test_a_message_says_where_with_the_commune_and_without_a_word_twice() -> None:
    def where(room: str | None) -> list[str]:
        due = Due(
            7, 3, "opened", "a", "antivirus_off", "high", NOW, NOW, None, None, False, False,
            "f" * 32, "PM1-01", room, "Trường Kim Đồng", "S", None, "Xã Yên Khánh",
        )  # fmt: skip
        return messages.of_one(due, {}, WORDS, URL)[1].split("\n")[2:4]

    assert where("Phòng máy 1") == [
        "Nhà trường: Trường Kim Đồng (S), Xã Yên Khánh",
        "Thiết bị: PM1-01, Phòng máy 1",
    ]
    assert where("Tin học 2")[1] == "Thiết bị: PM1-01, phòng Tin học 2"
    assert where(None)[1] == "Thiết bị: PM1-01"


def test_a_message_about_an_alert_of_grafana_names_its_rule() -> None:
    told = {"finding.grafana_rule": "Chỉ tiêu tụt", "finding.grafana_summary": "Xã A: 45 %"}
    due = Due(
        7, 3, "opened", "a", "grafana_alert", "high", NOW, NOW, None, None, False, False,
        None, None, None, None, None, None, None, evidence={"last": {"facts": told}},
    )  # fmt: skip
    body = messages.of_one(due, {rule.id: rule for rule in RULES}, WORDS, URL)[1]
    assert "Quy tắc trong Grafana: Chỉ tiêu tụt · Xã A: 45 %" in body.split("\n")


def test_an_outbox_row_is_unique(world: World) -> None:
    incident = opened(world, "a")
    with begin_write(world.engine) as conn:
        notifications.put(conn, incident, "opened", ["a", "b"], NOW)
    assert len(outbox(world)) == 2
    row = {"incident_id": incident, "event": "opened", "channel": "a"}
    with pytest.raises(exc.IntegrityError, match=r"(?i)unique"), begin_write(world.engine) as conn:
        conn.execute(insert(t.notification).values(**row))
