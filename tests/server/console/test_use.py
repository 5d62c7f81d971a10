"""Use of computers is shown of rooms, and of no computer anywhere; tests/server/database has the sums."""

import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from reports import Device, World
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import people
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.config import Privacy, of_data
from schoolwatch_server.database import pages, registry, room_use, told
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.rollup import DAY
from schoolwatch_server.use import newest_settled
from website import RunningSite

HOUR = 3600.0


LONG_AGO = time.time() - 60 * DAY
"""When the rooms of these tests got their computers."""


def room(world: World, name: str, role: str, devices: list[Device]) -> int:
    with begin_write(world.engine) as conn:
        made = registry.create_room(conn, world.school, name, role)
        for device in devices:
            registry.move_device(conn, device.id, world.school, made, LONG_AGO)
    return made


def tell(
    world: World, device: Device, on: float, active: float | None, boots: float, *, taken: float
) -> None:
    """One report that stands for all cycles of a day."""
    readings = (Reading("use.on", on), Reading("use.active", active), Reading("use.boots", boots),
                Reading("uptime.seconds", 7777.0), Reading("probe.ok", 1.0, {"probe": "use"}))  # fmt: skip
    facts = (Fact("use.input", "logind"),)
    seq = int(taken) % 100_000 + 1
    spool = f"{seq:016x}"
    take(world.engine, [device.message(1, at=taken, spool=spool, readings=readings, facts=facts)], Rules())


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    config = msgspec.structs.replace(of_data(world.folder), privacy=Privacy(room_devices=3))
    with RunningSite(config) as site:
        yield site


def signed_in(world: World, site: RunningSite) -> httpx.Client:
    people.create_account(
        world.engine, "head", "a password for tests", role="so_admin", scope=EVERYTHING, by="test"
    )
    login = people.log_in(world.engine, "head", "a password for tests", address="", now=time.time())
    assert login is not None
    client = site.anyone(cookies={SESSION_COOKIE: login.secret, "language": "vi"})
    client.headers["x-test-csrf"] = login.csrf
    return client


def test_nothing_shows_the_use_of_one_computer(world: World, site: RunningSite) -> None:
    """Everything that shows a device, asked by somebody who may see everything."""
    devices = world.enrol(3)
    room(world, "Phòng máy", "student_lab", devices)
    settled = newest_settled(time.time()) + 3 * DAY + 10 * HOUR
    for device in devices:
        tell(world, device, 12_345.0, 6_789.0, 43.0, taken=settled)
        tell(world, device, 12_345.0, 6_789.0, 43.0, taken=time.time() - 60)
    assert room_use.sum_weeks(world.engine, time.time()) > 0
    ask, person = site.ask(), signed_in(world, site)
    name = devices[0].device
    span = "&from=2026-01-01T00:00:00Z"
    shown = [
        ask.get("/api/v1/devices?limit=100"),
        ask.get(f"/api/v1/facts?device={name}&history=true"),
        *(ask.get(f"/api/v1/series?device={name}&metric=use.{what}{rest}")
          for what in ("on", "active", "boots") for rest in ("", span)),
        ask.get("/schools/S/indicators.csv"),
        person.get(f"/devices/{name}"),
        person.get(f"/devices/{name}/now"),
        person.get("/schools/S/indicators.csv"),
    ]  # fmt: skip
    assert "uptime.seconds" in shown[0].text, "what may be shown is"
    for answer in shown:
        assert answer.status_code in (200, 401, 303, 404), answer.url
        for secret in ("12345", "12.345", "12,345", "6789", "6.789", "6,789", "3 giờ 25", "3 hours 25"):
            assert secret not in answer.text, (answer.url, secret)
        assert '"points":[{' not in answer.text.replace(" ", ""), answer.url
    assert "use.on" not in shown[0].text
    school = person.get("/schools/S").text
    assert "3,4 giờ" in school, "12,345 s"
    assert "(3 máy, 3 ngày máy)" in school


def test_a_room_gets_another_kind_and_the_line_a_device_that_tests_it(
    world: World, site: RunningSite
) -> None:
    (device,) = world.enrol()
    office = room(world, "Văn phòng", "office", [device])
    person = signed_in(world, site)

    def send(path: str, **form: str) -> int:
        return person.post(path, data={**form, "csrf": person.headers["x-test-csrf"]}).status_code

    assert send(f"/schools/S/rooms/{office}", role="classroom") == 303
    assert send(f"/schools/S/rooms/{office}", role="kitchen") == 422
    assert send("/schools/S/rooms/999", role="office") == 404
    assert send("/schools/S/line", device=device.device) == 303
    assert send("/schools/S/line", device="f" * 32) == 422
    with begin_read(world.engine) as conn:
        assert [r.role for r in pages.rooms(conn, world.school)] == ["classroom"]
        assert told.line_tester(conn, world.school) == device.id
        assert {row.device_id for row in told.due(conn, 10)} == {device.id}
    assert send("/schools/S/line", device="") == 303
    with begin_read(world.engine) as conn:
        assert told.line_tester(conn, world.school) is None
