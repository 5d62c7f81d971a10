"""POST /api/v1/speedtest/slot: only an enrolled device gets in, by proof, and each proof is good once."""

from collections.abc import Iterator

import httpx
import msgspec
import pytest

from reports import NOW, Device, World
from schoolwatch_contract import slot
from schoolwatch_contract.slot import Slot
from schoolwatch_server.access import ROLES, TOKENS
from schoolwatch_server.challenges import VALID, Challenges
from schoolwatch_server.config import Speedtest, of_data
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_write
from website import RunningSite


def site_of(world: World, own: Speedtest) -> RunningSite:
    return RunningSite(msgspec.structs.replace(of_data(world.folder), speedtest=own))


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    with site_of(world, Speedtest(enabled=True, host="0.0.0.0", port=18090)) as running:
        yield running


def challenge(client: httpx.Client) -> str:
    answer = client.post(slot.PATH)
    assert answer.status_code == 401
    return slot.parameters(answer.headers["www-authenticate"])["nonce"]


def show(client: httpx.Client, header: str) -> httpx.Response:
    return client.post(slot.PATH, headers={"Authorization": header})


def proved(client: httpx.Client, device: Device) -> httpx.Response:
    return show(client, slot.authorization(device.key, device.device, challenge(client)))


def test_a_device_is_told_where_to_test(world: World, site: RunningSite) -> None:
    (device,) = world.enrol()
    answer = proved(site.anyone(), device)
    assert answer.status_code == 201
    told = msgspec.json.decode(answer.content, type=Slot)
    base = "ws://127.0.0.1:18090/ndt/v7"
    assert told.download.startswith(f"{base}/download?access_token=")
    assert told.upload.partition("=")[2] == told.download.partition("=")[2]
    assert (told.rate, told.assumed, told.seconds) == (100e6, True, 10.0)


def test_the_address_is_the_public_one_when_there_is_one(world: World) -> None:
    with site_of(world, Speedtest(enabled=True, public_url="wss://do.so.example")) as site:
        answer = proved(site.anyone(), world.enrol()[0])
    assert answer.json()["upload"].startswith("wss://do.so.example/ndt/v7/upload?access_token=")


def test_a_proof_is_good_once_even_when_it_was_refused_a_slot(world: World, site: RunningSite) -> None:
    (device,) = world.enrol()
    client = site.anyone()
    headers = [slot.authorization(device.key, device.device, challenge(client)) for _ in range(2)]
    assert show(client, headers[0]).status_code == 201
    assert show(client, headers[1]).status_code == 409  # its line is busy
    for header in headers:
        again = show(client, header)
        assert again.status_code == 401
        assert "access_token" not in again.text


@pytest.mark.parametrize("case", ["key", "device", "nonce", "old", "form", "empty", "unknown"])
def test_what_proves_nothing_is_refused_alike(world: World, site: RunningSite, case: str) -> None:
    one, other = world.enrol(2)
    client = site.anyone()
    nonce = challenge(client)
    headers = {
        "key": slot.authorization(other.key, one.device, nonce),
        "device": slot.authorization(one.key, other.device, nonce),
        "nonce": slot.authorization(one.key, one.device, "9999999999-" + "0" * 16 + "-" + "0" * 32),
        "old": slot.authorization(one.key, one.device, Challenges().issue()),
        "form": f"{slot.SCHEME} device=x",
        "empty": slot.SCHEME,
        "unknown": slot.authorization(one.key, "0" * 32, nonce),
    }
    assert show(client, headers[case]).status_code == 401
    right = slot.authorization(one.key, one.device, nonce)
    assert show(client, right).status_code == 201  # a wrong answer does not use the challenge up


def test_a_device_that_is_no_longer_one_is_refused(world: World, site: RunningSite) -> None:
    revoked, retired = world.enrol(2)
    with begin_write(world.engine) as conn:
        credentials.revoke(conn, revoked.id, NOW)
        registry.retire_device(conn, retired.id, NOW)
    for device in (revoked, retired):  # its key is right: it may still ask how it stands, and nothing else
        answer = proved(site.anyone(), device)
        assert answer.status_code == 403
        assert "access_token" not in answer.text


def test_a_busy_line_says_when_to_ask_again(world: World, site: RunningSite) -> None:
    one, other = world.enrol(2)
    client = site.anyone()
    assert proved(client, one).status_code == 201
    answer = proved(client, other)
    assert answer.status_code == 409
    assert 1 <= int(answer.headers["retry-after"]) <= 21
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_server_without_speed_tests_says_so(world: World) -> None:
    with site_of(world, Speedtest()) as site:
        answer = proved(site.anyone(), world.enrol()[0])
    assert answer.status_code == 404
    assert "speedtest.enabled" in answer.json()["detail"]


def test_a_device_may_do_nothing_else_and_people_not_this(world: World, site: RunningSite) -> None:
    (device,) = world.enrol()
    client = site.anyone()
    for path in ("/api/v1/devices", "/api/v1/schools", "/api/v1/incidents"):
        header = slot.authorization(device.key, device.device, challenge(client))
        assert client.get(path, headers={"Authorization": header}).status_code == 403
    assert site.ask().post(slot.PATH).status_code == 403
    assert not any("speedtest" in held for held in (*ROLES.values(), *TOKENS.values()))


def test_challenges_hold_for_a_minute_and_are_spent_once() -> None:
    challenges = Challenges()
    nonce = challenges.issue(now=100.0)
    assert challenges.is_ours(nonce, now=100.0 + VALID - 1)
    assert not challenges.is_ours(nonce, now=100.0 + VALID + 1)
    assert challenges.spend(nonce, now=101.0)
    assert not challenges.spend(nonce, now=102.0)
    assert len({challenges.issue(now=100.0) for _ in range(100)}) == 100
    for _ in range(50):
        challenges.spend(challenges.issue(now=1000.0), now=1000.0)
    challenges.spend(challenges.issue(now=5000.0), now=5000.0)
    assert len(challenges._spent) == 1  # the memory does not grow
