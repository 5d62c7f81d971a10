"""The evaluating process is killed fifty times in the middle of its work, and real receivers count."""

import os
import random
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

import killing
from reports import FINE, NONE, NOW, World, known_fine
from schoolwatch_contract.records import Reading
from schoolwatch_server import incidents
from schoolwatch_server.database import journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.batch import take
from webhook import Webhook, eventually

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

KILLS = 50
DEVICES = 40


def owner(world: World) -> str:
    with begin_read(world.engine) as conn:
        return conn.scalar(select(t.meta.c.value).where(t.meta.c.key == "lease.evaluate")) or ""


def start(parent: subprocess.Popen, world: World) -> int:
    """The process id of a new one, once it leads."""
    before = owner(world)
    parent.stdin.write("\n")
    parent.stdin.flush()
    child = int(parent.stdout.readline())
    deadline = time.monotonic() + 60
    while owner(world) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return child


def is_told(world: World) -> bool:
    with begin_read(world.engine) as conn:
        if journal.rows_after(conn, journal.position(conn, incidents.CURSOR), 1):
            return False
        return not conn.scalar(select(func.count()).where(t.notification.c.sent_at.is_(None)))


def of_which_kills(webhook: Webhook, lives: list[int]) -> Counter[str]:
    """Copies by the kill that took the answer to the one before; `lives`: how many had come at each start."""
    last: dict[str, int] = {}
    found: Counter[str] = Counter()
    for at, key in enumerate(webhook.keys):
        if key in last:
            found["aimed" if (bisect_right(lives, last[key]) - 1) % 2 else "random"] += 1
        last[key] = at
    return found


def doubles(webhook: Webhook) -> int:
    """How many messages came again; each with the id of the first, and saying so."""
    told: dict[str, tuple[str, str]] = {}
    both = zip(webhook.keys, webhook.received, strict=True)
    for key, message in [one for one in both if one[1]["title"].startswith("[SchoolWatch] ")]:
        link = next(line for line in message["message"].splitlines() if "/incidents/" in line)
        if key in told:  # the answer was lost with the process
            assert "Thông báo này có thể đã tới rồi" in message["message"]
        said = (message["title"][:30], link)
        assert told.setdefault(key, said) == said
    assert len(told) == len({*told.values()}) == 2 * DEVICES
    return len(webhook.of_incidents) - len(told)


def asked(phone: Webhook) -> int:
    """How many messages asked whether one before had come; people got no message twice, and heard of each."""
    messages = [(one["title"], one["message"]) for one in phone.of_incidents]
    assert len(messages) == len({*messages})  # not even a question
    told: Counter[tuple[str, str]] = Counter()
    about: Counter[str] = Counter()
    for title, body in messages:
        link = next(line for line in body.splitlines() if "/incidents/" in line)
        if "Hỏi lại" in title:
            about[link] += 1
        else:
            told[title[:30], link] += 1
    assert set(told.values()) == {1}
    heard = Counter(link for _, link in told)
    links = {*heard, *about}
    assert len(links) == DEVICES
    assert all(heard[link] + about[link] >= 2 for link in links)  # of its opening and of its end
    return about.total()


@pytest.fixture
def phone() -> Iterator[Webhook]:
    phone = Webhook()
    yield phone
    phone.close()


def test_killed_fifty_times_no_incident_is_lost_or_doubled_and_each_is_told_once(
    world: World, webhook: Webhook, phone: Webhook
) -> None:
    webhook.slow = phone.slow = 0.03  # kills fall between what was sent and its answer
    urls = world.folder / "urls"
    urls.write_text(f"{webhook.url}\n{phone.phone}\n", encoding="utf-8")
    urls.chmod(0o600)
    devices = known_fine(world, DEVICES)

    def report(seq: int, minute: int, readings: tuple[Reading, ...]) -> None:
        told = [device.message(seq, at=NOW + minute * 60, readings=readings) for device in devices]
        take(world.engine, told, Rules())

    report(1, 0, NONE)
    chance, lives = random.Random(50), list[int]()
    command = [sys.executable, killing.__file__, str(world.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        for kill in range(KILLS):
            lives.append(len(webhook.keys))
            child = start(parent, world)
            if kill == 3:
                report(2, 10, NONE)
            if kill == KILLS // 2:
                report(3, 20, FINE)
            begun = webhook.begun
            if kill % 2:  # while a receiver has the message and has not answered
                deadline = time.monotonic() + 0.2
                while webhook.begun == begun and time.monotonic() < deadline:
                    time.sleep(0.002)
            else:
                time.sleep(chance.uniform(0.0, 0.1))
            os.kill(child, signal.SIGKILL)
        child = start(parent, world)
        try:
            assert eventually(lambda: is_told(world), 60)
        finally:
            os.kill(child, signal.SIGKILL)
        parent.stdin.close()
    with begin_read(world.engine) as conn:
        events = Counter(conn.scalars(select(t.incident_event.c.kind)))
        assert conn.scalar(select(func.count()).select_from(t.incident)) == DEVICES
        assert (events["opened"], events["closed"], events["notified"]) == (DEVICES, DEVICES, 4 * DEVICES)
        assert conn.scalar(select(func.count()).select_from(t.delivery)) == 4 * DEVICES
    copies, questions = doubles(webhook), asked(phone)
    assert copies <= KILLS
    lost = of_which_kills(webhook, lives)
    print(f"{KILLS} kills, {2 * DEVICES} messages a channel")
    print(f"people: no message twice, {questions} questions whether one had come")
    print(f"programs: {copies} copies with the id of the first:", end=" ")
    print(
        f"{lost['aimed']} of {KILLS // 2} kills before an answer, {lost['random']} of as many at any moment"
    )
