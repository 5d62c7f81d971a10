"""Whoever was told of an incident learns in a short message that somebody took or closed it; not at night."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from outbox import Mailbox, closed, opened, send
from reports import NOW, World
from schoolwatch_server import handling, people
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.database import channel_rows, duty_rows, incidents, notifications, serious
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty.shift import Acts, Shift
from schoolwatch_server.handling import Act, Wish
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING
from webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

DAY = NOW + 12 * 3600
"""Morning in Vietnam: NOW is 21:13."""

NIGHT = NOW + 3600

LAN = Principal("account", "lan", ROLES["so_admin"], EVERYTHING, "so_admin")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


def do(world: World, numbers: list[int], act: Act, at: float, who: Principal = LAN) -> None:
    outcomes = handling.handle(world.engine, who, numbers, Wish(act), at)
    assert all(outcome.is_done for outcome in outcomes)


def on_duty(world: World, channel: str, acts: Acts = "all", **more) -> None:
    with begin_write(world.engine) as conn:
        duty_rows.put(
            conn,
            Shift(0, channel, EVERYTHING, "low", frozenset(range(7)), 0, 0, (channel,), acts=acts, **more),
            NOW,
        )


def starts(webhook: Webhook) -> list[str]:
    """What each message is about, without where."""
    return [title.removeprefix("[SchoolWatch] ").split(":")[0] for title in webhook.titles]


def test_those_told_learn_that_it_was_taken_closed_and_opened_again(world: World, webhook: Webhook) -> None:
    (number,) = opened(world, 1, ("a",), DAY)
    addresses = {"a": webhook.url, "b": webhook.url}
    acts: tuple[Act, ...] = ("acknowledge", "resolve", "reopen", "false_alarm")
    for n, act in enumerate(acts):
        send(world, addresses, DAY + 60 * n)
        do(world, [number], act, DAY + 60 * n)
    send(world, addresses, DAY + 300)
    assert starts(webhook) == [
        "Sự cố mới mức cao", "Đã có người nhận xử lý", "Đã đóng, đã khắc phục", "Sự cố được mở lại, mức cao",
        "Báo động giả",
    ]  # fmt: skip
    texts = [message["message"] for message in webhook.received[1:]]
    assert all(text.endswith(f"/incidents/{number}") for text in texts)
    assert not any("lan" in text for text in texts), "no message names a person"
    assert len(texts[0].splitlines()) == 2, "short"


def test_who_was_not_told_is_not_told_of_its_end_nor_who_did_it(world: World, webhook: Webhook) -> None:
    people.create_account(
        world.engine, "lan", "a password for tests", role="so_admin", scope=EVERYTHING, by="x"
    )
    with begin_write(world.engine) as conn:
        account = conn.scalar(select(t.account.c.id).where(t.account.c.name == "lan"))
        own = channel_rows.add(conn, "Lan", "webhook", webhook.url, "vi", account, NOW)
    on_duty(world, f"channel:{own}")
    (number,) = opened(world, 1, ("a",), DAY)
    send(world, {f"channel:{own}": webhook.url}, DAY)
    lan = Principal("account", "lan", ROLES["so_admin"], EVERYTHING, "so_admin", account=account)
    do(world, [number], "resolve", DAY + 1, lan)
    send(world, {f"channel:{own}": webhook.url, "a": webhook.url}, DAY + 2)
    assert starts(webhook) == ["Sự cố mới mức cao"]


def test_a_duty_entry_says_of_what_it_is_told(world: World, webhook: Webhook) -> None:
    for channel, acts in (("a", "all"), ("b", "closed"), ("c", "none")):
        on_duty(world, channel, acts)
    (number,) = opened(world, 1, ("a", "b", "c"), DAY)
    send(world, dict.fromkeys("abc", webhook.url), DAY)
    do(world, [number], "acknowledge", DAY + 1)
    send(world, dict.fromkeys("abc", webhook.url), DAY + 1)
    assert starts(webhook)[3:] == ["Đã có người nhận xử lý"]
    do(world, [number], "resolve", DAY + 2)
    send(world, dict.fromkeys("abc", webhook.url), DAY + 2)
    assert starts(webhook)[4:] == ["Đã đóng, đã khắc phục"] * 2


def test_at_night_only_of_what_is_serious(world: World, webhook: Webhook) -> None:
    high, marked = opened(world, 2, ("a",), NIGHT)
    (critical,) = opened(world, 1, ("a",), NIGHT, "critical")
    with begin_write(world.engine) as conn:
        serious.set_mark(conn, marked, is_serious=True, reason="máy chứa điểm thi", by="lan", now=NIGHT)
    send(world, {"a": webhook.url}, NIGHT)
    do(world, [high, marked, critical], "acknowledge", NIGHT + 90)
    send(world, {"a": webhook.url}, NIGHT + 90)
    told = [message["message"].rsplit("/", 1)[1] for message in webhook.received[3:]]
    assert sorted(told) == sorted([str(marked), str(critical)])
    do(world, [high], "false_alarm", NIGHT + 120)
    send(world, {"a": webhook.url}, NIGHT + 4 * 3600)
    assert len(webhook.received) == 5
    send(world, {"a": webhook.url}, NIGHT + 8 * 3600)
    assert webhook.titles[5:] == ["[SchoolWatch] 1 thông báo về sự cố đã có người nhận hoặc đã đóng"]
    assert "Đã có người nhận: 0. Đã khắc phục: 0. Báo động giả: 1." in webhook.received[5]["message"], (
        "that it was taken is told no more: it is over since"
    )


def test_a_slip_of_the_thumb_that_nobody_was_told_of_is_no_message(world: World, webhook: Webhook) -> None:
    (number,) = opened(world, 1, ("a",), NIGHT)
    send(world, {"a": webhook.url}, NIGHT)
    do(world, [number], "resolve", NIGHT + 1)
    do(world, [number], "reopen", NIGHT + 2)
    send(world, {"a": webhook.url}, NIGHT + 12 * 3600)
    assert starts(webhook) == ["Sự cố mới mức cao"]
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(func.count()).where(t.notification.c.delivery_id.is_(None))) == 0


def test_many_closed_at_once_are_one_message_and_it_alarms_nobody(world: World, webhook: Webhook) -> None:
    numbers = opened(world, 40, ("a",), DAY, "critical")
    send(world, {"a": webhook.url}, DAY)
    do(world, numbers, "resolve", DAY + 400)
    send(world, {"a": webhook.url}, DAY + 400)
    assert webhook.titles[1:] == ["[SchoolWatch] 40 thông báo về sự cố đã có người nhận hoặc đã đóng"]
    assert "NGHIÊM TRỌNG (" not in webhook.received[1]["message"]


def test_what_comes_back_after_it_was_closed_unheard_is_told_and_not_that_it_was_closed(
    world: World, webhook: Webhook
) -> None:
    (number,) = opened(world, 1, ("a",), NIGHT)
    send(world, {"a": webhook.url}, NIGHT)
    do(world, [number], "resolve", NIGHT + 1)
    with begin_write(world.engine) as conn:
        mark = conn.scalar(select(t.incident.c.fingerprint))
        incidents.close_incident(conn, mark, NIGHT + 2, {"at": NIGHT + 2}, NIGHT + 2)
        device = conn.scalar(select(t.incident.c.device_id))
        again = incidents.NewIncident(
            "antivirus_off", 1, "high", subject.device(device), NIGHT + 60, NIGHT + 60, late=False,
            evidence={}, reopen_within=3600,
        )  # fmt: skip
        found = incidents.open_incident(conn, again, NIGHT + 60)
        assert found == incidents.Opened(number, "reopened")
        notifications.put(conn, number, "reopened", ("a",), NIGHT + 60)
    send(world, {"a": webhook.url}, NIGHT + 60)
    send(world, {"a": webhook.url}, NIGHT + 12 * 3600)
    assert starts(webhook) == ["Sự cố mới mức cao", "Sự cố tái diễn mức cao"]


def test_mails_of_one_incident_are_one_thread(world: World, mailbox: Mailbox) -> None:
    address = f"mailto://127.0.0.1:{mailbox.port}?from=so@example.vn&to=truc@example.vn&smtp=127.0.0.1"
    first, second = opened(world, 2, ("m",), DAY)
    send(world, {"m": address}, DAY)
    do(world, [first], "acknowledge", DAY + 1)
    send(world, {"m": address}, DAY + 1)
    closed(world, [second], DAY + 2)
    send(world, {"m": address}, DAY + 2)
    one, two, taken, over = mailbox.mails
    assert (one["References"], two["References"]) == (None, None)
    for mail, follows in ((taken, one), (over, two)):
        assert mail["References"] == mail["In-Reply-To"] == follows["Message-ID"]
        assert mail["Message-ID"] not in (one["Message-ID"], two["Message-ID"])


def test_500_closed_at_once_are_one_message(world: World, webhook: Webhook) -> None:
    numbers = opened(world, 500, ("a",), DAY)
    send(world, {"a": webhook.url}, DAY)
    do(world, numbers, "resolve", DAY + 400)
    send(world, {"a": webhook.url}, DAY + 400)
    assert "Đã khắc phục: 500." in webhook.received[1]["message"]
