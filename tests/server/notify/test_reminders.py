"""Reminders of reports go out once a channel, name who has not handed in, and stop when nobody owes."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import select

from declaring import put_claim
from reports import NOW, World
from schoolwatch_server import channels, packs, reminders, texts
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.console import menu
from schoolwatch_server.database import registry, report_deadlines
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.reports import calendar, keeping
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.reports.keeping import Wanted
from schoolwatch_server.roles import Role
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.vietnam import ends
from webhook import Webhook

if TYPE_CHECKING:
    from schoolwatch_server.api.context import Context

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

WORDS = texts.load()
LAST = date(2027, 3, 19)
"""The last day for the report of March: "trước ngày 20"."""


def noon(days_before: int) -> float:
    return ends(LAST - timedelta(days=days_before)) - 43200


@pytest.fixture
def monthly(world: World) -> World:
    """A world in which only schools owe, and only each month."""
    with begin_write(world.engine) as conn:
        (province,) = registry.provinces(conn, EVERYTHING)
        for level in ("school", "commune"):
            for kind in ("quarterly", "half_year", "year", "self_assessment"):
                values = {"before": "", "document": "", "clause": "", "changed_at": 0.0, "changed_by": ""}
                report_deadlines.set_deadline(conn, province.id, kind, level, values)
        (commune,) = registry.communes(conn, EVERYTHING)
        registry.create_school(conn, commune.id, "T", "Trường thứ hai", "THCS", noon(60))
    return world


def outbox(world: World) -> list[tuple[int, str, bool]]:
    r = t.report_reminder.c
    with begin_read(world.engine) as conn:
        query = select(r.days, r.channel, r.sent_at.is_not(None)).order_by(r.id)
        return [tuple(row) for row in conn.execute(query)]


def send_all(world: World, addresses: dict[str, str], now: float) -> None:
    while reminders.send_next(world.engine, addresses, WORDS, "https://schoolwatch.example", now):
        pass


def hand_in(world: World, code: str, school_id: int, now: float, *, is_accepted: bool = True) -> None:
    """Hands a school's report in; the commune that manages it accepts it, unless it is to wait."""
    wanted = Wanted("school", code, "monthly")
    judged = Judged(packs.load())
    row = keeping.freeze(world.engine, wanted, judged, EVERYTHING, by="lan", now=now)
    head = Principal("account", "lan", ROLES["school_head"], Scope("school", school_id), "school_head")
    keeping.act(world.engine, row.sha256, head, "hand_in", "", now=now)
    if is_accepted:
        with begin_read(world.engine) as conn:
            (commune,) = registry.communes(conn, EVERYTHING)
        officer = Principal("account", "xa", ROLES["commune"], Scope("commune", commune.id), "commune")
        keeping.act(world.engine, row.sha256, officer, "accept", "", now=now)


def test_a_reminder_goes_out_seven_and_two_days_before_once_and_names_who_owes(
    monthly: World, webhook: Webhook
) -> None:
    name = channels.name(webhook.url)
    addresses = {name: webhook.url}
    assert reminders.put_due(monthly.engine, addresses, noon(8)) == 0
    assert reminders.put_due(monthly.engine, (), noon(7)) == 0, "nobody to tell"
    assert reminders.put_due(monthly.engine, addresses, noon(7) - 5.1 * 3600) == 0, "nobody is woken"
    assert reminders.put_due(monthly.engine, addresses, noon(7)) == 1
    for days in (7, 6, 3):  # another server, a restart, the next hour
        assert reminders.put_due(monthly.engine, addresses, noon(days)) == 0
    send_all(monthly, addresses, noon(7))
    (said,) = webhook.received
    assert said["title"] == "Còn 7 ngày: 2 đơn vị chưa nộp Báo cáo tháng 3/2027"
    assert "Trường, Trường thứ hai" in said["message"]
    assert "hạn cuối 19/03/2027" in said["message"]
    assert "Kế hoạch 27/KH-SGDĐT" in said["message"], "a date is told with its source"
    hand_in(monthly, "S", monthly.school, noon(5))
    assert reminders.put_due(monthly.engine, addresses, noon(1)) == 1, "whoever was down says it later"
    send_all(monthly, addresses, noon(1))
    assert webhook.received[1]["title"].startswith("Còn 1 ngày: 1 đơn vị")
    assert "Trường thứ hai" in webhook.received[1]["message"]
    assert outbox(monthly) == [(7, name, True), (2, name, True)]


def test_a_channel_that_refuses_is_tried_again_and_what_nobody_owes_is_not_sent(
    monthly: World, webhook: Webhook
) -> None:
    name = channels.name(webhook.url)
    addresses = {name: webhook.url}
    webhook.status = 503
    reminders.put_due(monthly.engine, addresses, noon(2))
    send_all(monthly, addresses, noon(2))
    assert (webhook.refused, webhook.received) == (1, [])
    webhook.status = 200
    send_all(monthly, addresses, noon(2) + 10)
    assert webhook.received == [], "it waits before it is tried again"
    with begin_read(monthly.engine) as conn:
        second = registry.school_by_code(conn, "T", EVERYTHING)
    hand_in(monthly, "S", monthly.school, noon(2))
    hand_in(monthly, "T", second.id, noon(2))
    send_all(monthly, addresses, noon(2) + 60)
    assert webhook.received == [], "everybody has handed in"
    assert outbox(monthly) == [(2, name, False)]
    send_all(monthly, addresses, noon(2) + 90000)
    assert webhook.received == []


MONDAY = ends(date(2026, 9, 20)) + 8 * 3600
"""08:00 of 21 September 2026 in Vietnam: no report is due within a week of it."""


def test_once_a_week_it_is_said_what_waits_for_whom_and_what_came_back(
    world: World, webhook: Webhook
) -> None:
    name = channels.name(webhook.url)
    addresses = {name: webhook.url}
    with begin_write(world.engine) as conn:
        (province,) = registry.provinces(conn, EVERYTHING)
        for level in ("school", "commune"):
            for kind in calendar.KINDS:
                values = {"before": "", "document": "", "clause": "", "changed_at": 0.0, "changed_by": ""}
                report_deadlines.set_deadline(conn, province.id, kind, level, values)
    assert reminders.put_due(world.engine, addresses, MONDAY) == 0, "nothing waits"
    put_claim(world.engine, world.school, "submitted", "studio", now=MONDAY)
    put_claim(world.engine, world.school, "approved", "website", now=MONDAY)
    put_claim(world.engine, world.school, "accepted", "network_diagram", now=MONDAY)
    put_claim(world.engine, world.school, "returned", "firewall", now=MONDAY)
    put_claim(world.engine, world.school, "returned", "backup_tested", now=MONDAY)
    put_claim(world.engine, world.school, "draft", "backup_tested", now=MONDAY)  # it is being answered anew
    hand_in(world, "S", world.school, MONDAY, is_accepted=False)
    assert reminders.put_due(world.engine, addresses, MONDAY - 2 * 3600) == 0, "nobody is woken"
    assert reminders.put_due(world.engine, addresses, MONDAY) == 1
    assert reminders.put_due(world.engine, addresses, MONDAY + 3 * 86400) == 0, "once a week"
    send_all(world, addresses, MONDAY)
    (said,) = webhook.received
    assert said["title"] == "Đang chờ xử lý ở Tỉnh: 4 câu trả lời khai báo, 1 báo cáo"
    assert said["message"].splitlines() == [
        "Khai báo chờ hiệu trưởng phê duyệt: 1 (Trường: 1)",
        "Khai báo chờ UBND xã, phường: 1 (Xã: 1)",
        "Khai báo chờ Sở GDĐT công nhận: 1 (Trường: 1)",
        "Khai báo chờ đơn vị sửa lại (bị trả lại kèm ý kiến): 1 (Trường: 1)",
        "Báo cáo chờ UBND xã, phường: 1 (Xã: 1)",
        "Xem: https://schoolwatch.example/claims",
    ]
    assert reminders.put_due(world.engine, addresses, MONDAY + 7 * 86400) == 1, "and again"
    send_all(world, addresses, MONDAY + 15 * 86400)
    assert len(webhook.received) == 1, "a week that is over is not told of"


def test_who_has_something_to_do_sees_how_much_beside_the_menu(world: World) -> None:
    put_claim(world.engine, world.school, "approved", "website", now=NOW)
    put_claim(world.engine, world.school, "returned", "firewall", now=NOW)
    hand_in(world, "S", world.school, NOW, is_accepted=False)
    with begin_read(world.engine) as conn:
        school = registry.school(conn, world.school, EVERYTHING)
    context = cast("Context", SimpleNamespace(engine=world.engine))

    def counts(role: Role, level: str, id_: int | None) -> tuple[int, int]:
        menu._known.clear()
        who = Principal("account", role, ROLES[role], Scope(level, id_), role)
        found = menu.counts(context, who)
        return found.claims, found.reports

    assert counts("school_head", "school", school.id) == (1, 0), "what came back; nothing waits for its head"
    assert counts("technician", "school", school.id) == (1, 0)
    assert counts("commune", "commune", school.commune_id) == (1, 1)
    assert counts("so_admin", "all", None) == (0, 0)
    again = Wanted("school", "S", "monthly", note="nháp sau khi nộp")
    keeping.freeze(world.engine, again, Judged(packs.load()), EVERYTHING, by="lan", now=NOW + 60)
    assert counts("commune", "commune", school.commune_id) == (1, 1), "a draft takes nothing off the desk"
    assert menu.counts(context, None) == menu.Counts()
