"""Channels of one's own: confirmed by a code, told what its account sees, switched off by the department."""

import re
import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from sqlalchemy import func, select, update

from outbox import RULES, URL, WORDS, Mailbox
from schoolwatch_server import channels, notify, own_channels
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.database import notifications
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.own_channels import OwnChannelError
from schoolwatch_server.scope import Scope
from tree import Tree
from webhook import Webhook
from website import RunningSite, csrf, led

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def hook() -> Iterator[Webhook]:
    found = Webhook()
    yield found
    found.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture
def site(tree: Tree) -> Iterator[RunningSite]:
    allowed = msgspec.structs.replace(tree.config.notify, own_webhook_hosts=("127.0.0.1",))
    with RunningSite(msgspec.structs.replace(tree.config, notify=allowed)) as running:
        yield running


def post(who: httpx.Client, path: str, **form: object) -> httpx.Response:
    return who.post(path, data={"csrf": csrf(who), **form})


def numbers(tree: Tree) -> list[int]:
    with begin_read(tree.engine) as conn:
        return list(conn.scalars(select(t.channel.c.id).order_by(t.channel.c.id)))


def code_in(text: str) -> str:
    (code,) = set(re.findall(r"\b\d{6}\b", text))
    return code


def confirmed(tree: Tree, who: httpx.Client, hook: Webhook, **form: object) -> int:
    """A webhook of one's own that is told from now on; its number."""
    wish = {"name": "của tôi", "kind": "webhook", "address": hook.url, "least": "low", **form}
    assert post(who, "/me/channels", **wish).status_code == 303
    number = numbers(tree)[-1]
    code = code_in(hook.received[-1]["message"])
    assert post(who, f"/me/channels/{number}/confirm", code=code).status_code == 303
    return number


def open_again(tree: Tree, school: int, now: float, severity: str = "high") -> int:
    """The school's open incident is told as if it were new; its number."""
    with begin_write(tree.engine) as conn:
        i = t.incident.c
        query = select(i.id).where(i.school_id == tree.schools[school].id, i.closed_at.is_(None))
        number = conn.scalar(query)
        conn.execute(update(t.incident).where(i.id == number).values(severity=severity))
        notifications.put(conn, number, "reopened", (), now)
    return number


def send(tree: Tree, site: RunningSite) -> None:
    now = time.time() + 86400  # what waits for the morning too
    while notify.send_next(tree.engine, Channels(tree.config, tree.engine).now(), RULES, WORDS, URL, now):
        pass


def test_a_head_sets_up_a_channel_is_told_of_the_own_school_and_of_no_other(
    tree: Tree, site: RunningSite, hook: Webhook
) -> None:
    head = site.somebody("school_head", Scope("school", tree.schools[0].id))
    number = confirmed(tree, head, hook)
    mine, _ = open_again(tree, 0, time.time()), open_again(tree, 1, time.time())
    send(tree, site)
    told = [message["message"] for message in hook.of_incidents if "tái diễn" in message["title"]]
    assert [text.rsplit("/", 1)[1] for text in told] == [str(mine)]
    assert "đã xác nhận" in head.get("/me/channels").text
    assert "hook-s3cret" not in head.get("/me/channels").text
    for file in tree.folder.glob("*.db*"):
        assert b"hook-s3cret" not in file.read_bytes()
    hook.status = 404
    assert "mã 404" in led(head, post(head, f"/me/channels/{number}/test")).text
    hook.status = 200
    assert post(head, f"/me/channels/{number}/test").status_code == 303
    assert hook.titles[-1] == "[SchoolWatch] Thông báo thử"
    post(head, f"/me/channels/{number}/change", least="critical", quiet="yes")
    before = len(hook.received)
    open_again(tree, 0, time.time())
    send(tree, site)
    assert len(hook.received) == before, "only what is critical now"
    assert post(head, f"/me/channels/{number}/remove").status_code == 303
    assert numbers(tree) == []
    with begin_read(tree.engine) as conn:
        log = t.audit.c
        told_of = conn.scalars(select(log.action).where(log.action.like("own_channel%")).order_by(log.id))
        assert list(told_of) == [
            f"own_channel.{act}" for act in ["add", "code", "confirm", "test", "test", "change", "remove"]
        ]


def test_without_its_code_nothing_is_sent_there_and_a_code_is_guessed_five_times(
    tree: Tree, site: RunningSite, hook: Webhook
) -> None:
    head = site.somebody("school_head", Scope("school", tree.schools[0].id))
    post(head, "/me/channels", name="a", kind="webhook", address=hook.url, least="low")
    (number,) = numbers(tree)
    right = code_in(hook.received[0]["message"])
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(own_channels.CODE_TRIES):
        answer = post(head, f"/me/channels/{number}/confirm", code=wrong)
        assert answer.status_code == 422
        assert "Mã không đúng" in answer.text
    assert post(head, f"/me/channels/{number}/confirm", code=right).status_code == 422, "too many tries"
    assert post(head, f"/me/channels/{number}/test").status_code == 404
    open_again(tree, 0, time.time())
    send(tree, site)
    assert len(hook.received) == 1, "the code alone"
    for _ in range(own_channels.SENT_AN_HOUR - 1):
        assert post(head, f"/me/channels/{number}/code").status_code == 303
    answer = post(head, f"/me/channels/{number}/code")
    assert answer.status_code == 422
    assert "6 thư trong một giờ" in answer.text
    assert code_in(hook.received[-1]["message"])
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.channel).values(code_until=time.time() - 1))
    old = post(head, f"/me/channels/{number}/confirm", code=code_in(hook.received[-1]["message"]))
    assert old.status_code == 422, "too old"


def test_it_is_told_what_its_account_sees_now_and_nothing_when_that_is_switched_off(
    tree: Tree, site: RunningSite, hook: Webhook
) -> None:
    technician = site.somebody("technician", Scope("school", tree.schools[0].id))
    confirmed(tree, technician, hook)
    number = open_again(tree, 0, time.time())
    send(tree, site)
    before = len(hook.received)
    with begin_write(tree.engine) as conn:
        a = t.account.c
        mine = select(t.channel.c.account_id).scalar_subquery()
        conn.execute(update(t.account).where(a.id == mine).values(scope_id=tree.schools[1].id))
        notifications.put(conn, number, "closed", (), time.time())
    send(tree, site)
    assert len(hook.received) == before, "who went to another school is not told of this one's end"
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.account).where(t.account.c.id == mine).values(disabled_at=1.0))
    open_again(tree, 1, time.time())
    send(tree, site)
    assert len(hook.received) == before


def test_the_department_sees_them_switches_one_off_and_its_owner_cant_bring_it_back(
    tree: Tree, site: RunningSite, hook: Webhook
) -> None:
    head, admin = site.somebody("school_head", Scope("school", tree.schools[0].id)), site.somebody("so_admin")
    other = site.somebody("technician", Scope("school", tree.schools[0].id))
    number = confirmed(tree, head, hook)
    for path in ("code", "confirm", "change", "test", "remove"):
        assert post(other, f"/me/channels/{number}/{path}", code="1").status_code == 404, path
    assert "school_head" not in other.get("/me/channels").text
    page = admin.get("/notifications").text
    assert "của tôi" in page
    assert "s3cret" not in page
    assert post(admin, f"/notifications/channels/{number}/address", address=hook.url).status_code == 404
    assert post(admin, f"/notifications/channels/{number}/switch", on="no").status_code == 303
    before = len(hook.received)
    open_again(tree, 0, time.time())
    send(tree, site)
    assert len(hook.received) == before
    assert "Sở đã tắt" in head.get("/me/channels").text
    assert post(head, f"/me/channels/{number}/remove").status_code == 422
    assert post(head, f"/me/channels/{number}/test").status_code == 404


def test_mail_to_an_own_address_goes_through_the_mailbox_that_the_department_chose(
    tree: Tree, site: RunningSite, mailbox: Mailbox
) -> None:
    head, admin = site.somebody("school_head", Scope("school", tree.schools[0].id)), site.somebody("so_admin")
    wish = {"name": "thư", "kind": "email", "address": "hieutruong@truong.example.vn", "least": "low"}
    none = post(head, "/me/channels", **wish)
    assert none.status_code == 422
    assert "chưa chọn hộp thư" in none.text
    assert "Sở chưa mở loại kênh nào" not in head.get("/me/channels").text, "webhooks are"
    address = f"mailto://127.0.0.1:{mailbox.port}?from=so@example.vn&to=truc@example.vn&smtp=127.0.0.1"
    post(admin, "/notifications/channels", name="Hộp thư Sở", address=address)
    (carrier,) = numbers(tree)
    assert post(admin, f"/notifications/channels/{carrier}/carry", on="yes").status_code == 303
    assert post(head, "/me/channels", **{**wish, "address": "a@b.vn, c@d.vn"}).status_code == 422
    assert "Đã gửi mã" in led(head, post(head, "/me/channels", **wish)).text
    (mail,) = mailbox.mails
    assert mail["To"] == "hieutruong@truong.example.vn"
    code = code_in(mail["Subject"])
    number = numbers(tree)[-1]
    assert post(head, f"/me/channels/{number}/confirm", code=code).status_code == 303
    open_again(tree, 0, time.time(), "critical")
    send(tree, site)
    assert [mail["To"] for mail in mailbox.mails[1:]] == ["hieutruong@truong.example.vn"]
    post(admin, f"/notifications/channels/{carrier}/carry", on="no")
    with begin_read(tree.engine) as conn:
        assert conn.scalar(select(func.count()).where(t.channel.c.carries)) == 0
    assert list(Channels(tree.config, tree.engine).now().addresses) == [f"channel:{carrier}"]


def test_three_channels_an_account(tree: Tree, site: RunningSite, hook: Webhook) -> None:
    head = site.somebody("school_head", Scope("school", tree.schools[0].id))
    for n in range(own_channels.EACH):
        assert post(head, "/me/channels", name=f"{n}", kind="webhook", address=hook.url).status_code == 303
    assert post(head, "/me/channels", name="4", kind="webhook", address=hook.url).status_code == 422
    assert 'id="new"' not in head.get("/me/channels").text


@pytest.mark.parametrize(
    ("kind", "address", "fault"),
    [
        ("email", "x@y.vn\nBcc: z@y.vn", "email"),
        ("email", "x@y.vn,z@y.vn", "email"),
        ("email", "x", "email"),
        ("zalo", "12/../34", "zalo"),
        ("webhook", "json://hook.example.vn/x", "webhook"),
        ("webhook", "jsons://evil.example.vn/x", "host"),
        ("webhook", "jsons://hook.example.vn@10.0.0.1/x", "host"),
        ("webhook", "tgram://123456789:abcdefghijklmnopqrstuvwxyzABCDEFGH/12345", "webhook"),
        ("webhook", "jsons://[::1", "webhook"),
    ],
)
def test_what_may_be_no_channel_of_an_account(kind: str, address: str, fault: str) -> None:
    with pytest.raises(OwnChannelError) as caught:
        own_channels.check(kind, address, ("hook.example.vn",), channels.CARRIED)
    assert caught.value.fault == fault
    own_channels.check("webhook", "jsons://hook.example.vn/x", ("hook.example.vn",), ())


def test_the_receiver_takes_the_place_of_the_carriers_own() -> None:
    mail = channels.carried(
        "mailtos://u:p%40ss@mail.example.vn:587?from=so@e.vn&to=a@e.vn&cc=b@e.vn", "email", "x@y.vn"
    )
    assert mail == "mailtos://u:p%40ss@mail.example.vn:587?from=so%40e.vn&to=x%40y.vn"
    channels.check(mail)
    assert channels.carried("zalo://123:abc/9", "zalo", "42ab") == "zalo://123:abc/42ab"
