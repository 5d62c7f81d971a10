"""Channels, duty and exercises at the console: set up by the department, told in words, never an address."""

import time

import apprise
from httpx import Response
from sqlalchemy import select

from outbox import Mailbox
from schoolwatch_server import channels, exercises, rules, texts
from schoolwatch_server.database import channel_rows, incident_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from webhook import Webhook
from website import RunningSite, csrf, led


def test_a_mailbox_is_told_field_by_field(tree: Tree, site: RunningSite) -> None:
    who = site.somebody("so_admin")
    who.headers["Accept"] = "text/html"
    mailbox = Mailbox()
    form = {
        "csrf": csrf(who), "name": "Thư trực", "host": "127.0.0.1", "mode": "insecure",
        "port": str(mailbox.port), "sender": "so@example.vn", "receiver": "truc@example.vn",
    }  # fmt: skip
    try:
        for wrong, told in (
            ({"host": "http://x"}, "<strong>Máy chủ gửi thư (SMTP)</strong>: ghi tên máy chủ"),
            ({"port": "99999"}, "<strong>Cổng (để trống: cổng thường dùng)</strong>: ghi một số"),
            ({"receiver": "a@x.vn,b@x.vn"}, "<strong>Gửi tới địa chỉ thư</strong>: ghi một địa chỉ thư"),
        ):
            refused = who.post("/notifications/channels", data=form | wrong)
            assert (refused.status_code, told in refused.text) == (422, True), refused.text
        assert who.post("/notifications/channels", data=form).status_code == 303
        with begin_read(tree.engine) as conn:
            number = conn.scalar(t.channel.select().with_only_columns(t.channel.c.id))
        sent = who.post(f"/notifications/channels/{number}/test", data={"csrf": csrf(who)})
        tested = led(who, sent).text
        assert "Kênh “Thư trực” đã nhận thông báo thử" in tested
        (mail,) = mailbox.mails
        assert (mail["To"], mail["Subject"]) == ("truc@example.vn", "[SchoolWatch] Thông báo thử")
    finally:
        mailbox.close()


def test_a_mailbox_keeps_whatever_signs_its_password_has() -> None:
    box = channels.Mailbox(
        "smtp.example.vn", "starttls", "", "so@example.vn", "p@s/:#?&=ầ%20", "so@example.vn", "a@b.vn"
    )
    service = apprise.Apprise.instantiate(box.address())
    assert service is not None
    assert (service.user, service.password) == ("so@example.vn", "p@s/:#?&=ầ%20")
    assert (service.host, service.port) == ("smtp.example.vn", 587)


def test_a_channel_is_added_tested_and_put_on_duty(tree: Tree, site: RunningSite, webhook: Webhook) -> None:
    who = site.somebody("so_admin")
    token = csrf(who)

    def post(path: str, **form: object) -> Response:
        return who.post(path, data={"csrf": token, **form})

    who.headers["Accept"] = "text/html"
    bad = post("/notifications/channels", name="x", address="zalo://s3cret")
    assert bad.status_code == 422
    assert "<strong>Địa chỉ gửi</strong>" in bad.text
    assert "địa chỉ thiếu hoặc sai một phần" in bad.text
    assert "s3cret" not in bad.text
    assert post("/notifications/channels", name="Trực đêm", address=webhook.url).status_code == 303
    page = who.get("/notifications").text
    assert "Trực đêm" in page
    assert "s3cret" not in page
    with begin_read(tree.engine) as conn:
        number = conn.scalar(t.channel.select().with_only_columns(t.channel.c.id))
    sent = post(f"/notifications/channels/{number}/test")
    tested = led(who, sent).text
    assert "Kênh “Trực đêm” đã nhận thông báo thử" in tested
    assert webhook.titles == ["[SchoolWatch] Thông báo thử"]
    webhook.status = 401
    assert "nơi nhận trả lời mã 401" in led(who, post(f"/notifications/channels/{number}/test")).text
    for wrong, told in (
        ({"days": "9"}, "<strong>Các ngày bắt đầu ca</strong>: chọn ít nhất một ngày"),
        ({"to": "channel:0"}, "<strong>Báo qua kênh</strong>: chọn ít nhất một kênh"),
        ({"name": " "}, "<strong>Người, tổ trực</strong>: ghi ai trực"),
        ({"starts": "25:00"}, "<strong>Từ giờ</strong>: ghi giờ như 22:00"),
    ):
        refused = post("/duty", **{"name": "Lan", "days": "1", "to": f"channel:{number}"} | wrong)
        assert (refused.status_code, told in refused.text) == (422, True), refused.text
    done = post(
        "/duty",
        name="Lan",
        days=["5", "6"],
        to=f"channel:{number}",
        starts="22:00",
        ends="06:00",
        least="high",
        last_day="2099-12-31",
    )
    assert done.status_code == 303
    page = who.get("/duty").text
    assert "Giờ không ai trực" in page
    assert "Chủ nhật 06:00 – Chủ nhật 22:00" in page
    assert "… – 31/12/2099" in page
    asked = who.get("/duty?at=2027-01-03T02:00&severity=critical").text  # a Sunday, in Saturday's shift
    assert "<strong>Trực đêm</strong>: Lan, báo ngay" in asked
    asked = who.get("/duty?at=2027-01-04T12:00&severity=low").text
    assert "kênh chung, vì không ai trực lúc đó" in asked
    assert "Không ai được báo" in who.get("/duty?at=2027-01-03T02:00&severity=low").text
    for odd in ("yesterday", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert who.get(f"/duty?at={odd}").status_code == 422
    assert post(f"/notifications/channels/{number}/remove").status_code == 303
    assert "kênh không còn" not in who.get("/duty").text
    for file in tree.folder.glob("*.db*"):
        assert b"hook-s3cret" not in file.read_bytes()
    with begin_read(tree.engine) as conn:
        told = conn.execute(t.audit.select().where(t.audit.c.action.like("channel%"))).all()
    assert {row.action for row in told} == {"channel.add", "channel.test", "channel.remove"}
    assert "s3cret" not in str(told)


def test_an_exercise_is_started_seen_and_ended(tree: Tree, site: RunningSite) -> None:
    who = site.somebody("so_admin")
    token = csrf(who)
    form = {"csrf": token, "rule": "antivirus_off", "schools": "1", "minutes": "30"}
    assert "ghi nội dung" in who.post("/exercises", data=form).text
    assert who.post("/exercises", data={**form, "note": "thử trực"}).status_code == 303
    page = who.get("/exercises").text
    assert "đang diễn ra" in page
    with begin_read(tree.engine) as conn:
        x = t.exercise.c
        number, (incident,) = conn.execute(t.exercise.select().with_only_columns(x.id, x.incidents)).one()
    assert "diễn tập" in who.get(f"/incidents/{incident}").text
    assert who.get(f"/api/v1/incidents/{incident}").json()["exercise"] is True
    assert who.post(f"/exercises/{number}/end", data={"csrf": token}).status_code == 303
    assert "kết thúc lúc" in who.get("/exercises").text
    with begin_read(tree.engine) as conn:
        i = t.incident.c
        closed = conn.scalar(t.incident.select().where(i.id == incident).with_only_columns(i.closed_at))
    assert abs(closed - time.time()) < 60


def test_messages_name_channel_and_failure_in_words_and_a_school_reads_nobodys_name(
    tree: Tree, site: RunningSite
) -> None:
    with begin_write(tree.engine) as conn:
        made = channel_rows.add(conn, "Zalo Lan", "zalo", "json://127.0.0.1:9/x", "vi", None, tree.now)
        scope = Scope("school", tree.schools[0].id)
        incident = incident_rows.incidents(conn, scope, limit=1)[0].id
        for kind, error in (
            ("notified", ""),
            ("notify_failed", "answered 401"),
            ("notify_failed", "no answer"),
        ):
            detail = {"event": "escalated", "channel": f"channel:{made}", "attempt": 2, "error": error}
            row = {"incident_id": incident, "at": tree.now, "kind": kind, "detail": detail}
            conn.execute(t.incident_event.insert().values(**row))
    page = site.somebody("so_admin").get(f"/incidents/{incident}").text
    assert "Đã gửi thông báo “chưa ai nhận” qua kênh Zalo Lan" in page
    assert "qua kênh Zalo Lan, lần 2: nơi nhận trả lời mã 401" in page
    assert "lần 2: không có trả lời; kiểm tra địa chỉ" in page
    page = site.somebody("school_head", scope).get(f"/incidents/{incident}").text
    assert "Đã gửi thông báo “chưa ai nhận” qua kênh của người trực" in page
    assert "Lan" not in page
    with begin_write(tree.engine) as conn:
        channel_rows.remove(conn, made)
    assert "qua kênh đã xóa" in site.somebody("so_admin").get(f"/incidents/{incident}").text


def test_every_event_that_is_told_has_a_short_name() -> None:
    words = texts.load()
    told = {
        key.split(".")[1] for key in words.entries if key.startswith("notify.") and key.endswith(".title")
    }
    of_none = {"fold", "digest", "calm", "question", "test", "reminder", "waits"}  # of many, or of none
    of_none.add("unseen")  # how one that is closed is told
    for event in told - of_none:
        assert words.get("vi", f"event.short.{event}")


def test_an_exercise_is_about_what_its_rule_is_about(tree: Tree) -> None:
    school = tree.schools[0]
    book = {rule.id: rule for rule in rules.load()}

    def held(rule: str, scope: Scope, places: int = 2) -> list[str]:
        now = time.time()
        wanted = exercises.Wanted(book[rule], scope, places, 600.0, "thử")
        try:
            number = exercises.start(tree.engine, wanted, (), "lan", now)
        except exercises.ExerciseError as error:
            return [str(error)]
        assert exercises.end(tree.engine, number, "lan", now)
        with begin_read(tree.engine) as conn:
            found = conn.scalar(select(t.exercise.c.incidents).where(t.exercise.c.id == number))
            return list(conn.scalars(select(t.incident.c.subject).where(t.incident.c.id.in_(found))))

    commune = Scope("commune", school.commune)
    assert held("outage_commune", commune) == [f"commune:{school.commune}"]
    assert len(held("outage_commune", EVERYTHING)) == 2
    assert [one.partition(":")[0] for one in held("outage_province", EVERYTHING, 1)] == ["province"]
    assert held("server_clock", EVERYTHING) == ["server:0"]
    assert held("server_clock", commune) == held("outage_province", commune) == ["nobody_there"]
    assert held("outage_commune", Scope("school", school.id)) == ["nobody_there"]
    assert [one.partition(":")[0] for one in held("line_down", commune, 1)] == ["school"]
