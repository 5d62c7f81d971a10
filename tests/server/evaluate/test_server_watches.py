"""What is wrong with the server itself, from reports and refused messages to who is told, as it runs."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from databases import settings_of
from outbox import opened
from reports import FINE, World
from schoolwatch_server import channels, evaluate, notify, watches
from schoolwatch_server.config import Evaluation, Notify, ServerConfig
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules.load import SHIPPED
from webhook import Webhook, eventually

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def other() -> Iterator[Webhook]:
    found = Webhook()
    yield found
    found.close()


def settings(world: World, *addresses: str) -> ServerConfig:
    """Watches look all the time, and wait for nothing: their own waiting is tested with the rules."""
    urls, sheets = world.folder / "urls", world.folder / "rules"
    urls.write_text("".join(f"{address}\n" for address in addresses), encoding="utf-8")
    urls.chmod(0o600)
    sheets.mkdir()
    shipped = (SHIPPED / "server_clock.yaml").read_text(encoding="utf-8")
    own = re.sub(r"^version: \d+$", "version: 2", shipped, flags=re.MULTILINE)
    own = re.sub(r"^open_after: \d+$", "open_after: 0", own, flags=re.MULTILINE)
    (sheets / "server_clock.yaml").write_text(own, encoding="utf-8")
    evaluation = Evaluation(every=0.2, watch_every=0.2, rules=str(sheets))
    return settings_of(world.folder, evaluation=evaluation, notify=Notify(urls_file=str(urls)))


@contextmanager
def running(config: ServerConfig) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=evaluate.run, args=(config, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def told(webhook: Webhook, title: str) -> list[str]:
    """What came about it: how each message begins."""
    return [said["title"].split(":")[0] for said in webhook.of_incidents if title in said["title"]]


def test_a_channel_that_refuses_is_told_by_another_until_it_takes_what_waits(
    world: World, webhook: Webhook, other: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(notify, "LONGEST_PAUSE", 0.5)
    webhook.status = 503
    names = (channels.name(webhook.url), channels.name(other.url))
    with running(settings(world, webhook.url, other.url)):
        opened(world, 1, names, time.time())
        assert eventually(lambda: len(told(other, "Kênh thông báo không nhận")) == 1, 60)
        with begin_read(world.engine) as conn:
            i = t.incident.c
            (subject,) = conn.scalars(select(i.subject).where(i.rule == "server_channels"))
        assert subject == f"server:0:{names[0]}"[:60]
        webhook.status = 200
        assert eventually(lambda: len(told(other, "Kênh thông báo không nhận")) == 2, 60)
    begins = [begin.partition(" mức")[0] for begin in told(other, "Kênh thông báo không nhận")]
    assert begins == ["[SchoolWatch] Sự cố mới", "[SchoolWatch] Đã khắc phục"]
    assert told(webhook, "Phần mềm diệt vi-rút"), "what waited came"


def test_a_clock_that_all_computers_say_is_wrong_is_told_until_it_is_right(
    world: World, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "EVERY", {})  # else clocks are looked at every few minutes
    devices = world.enrol(20, clock=300.0)

    def report(start: str) -> None:
        """All are switched on: at each start the clock is measured anew."""
        now, spool = time.time(), start * 16
        sent = [device.message(1, at=now, spool=spool, readings=FINE) for device in devices]
        take(world.engine, sent, Rules())

    report("a")
    with running(settings(world, webhook.url)):
        assert eventually(lambda: len(told(webhook, "Đồng hồ máy chủ")) == 1, 60)
        for device in devices:
            device.clock = 0.0
        report("b")
        assert eventually(lambda: len(told(webhook, "Đồng hồ máy chủ")) == 2, 60)
    assert [begin.partition(" mức")[0] for begin in told(webhook, "Đồng hồ máy chủ")] == [
        "[SchoolWatch] Sự cố mới", "[SchoolWatch] Đã khắc phục",
    ]  # fmt: skip
