"""What each of the two brokers lets whom do, with real clients."""

from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from brokers import RunningBroker
from mqtt import Client, wait_for
from schoolwatch_contract.topics import REPORTS, topic
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.broker.passwords import hash_password

A, B = "a" * 32, "b" * 32


@pytest.fixture
def server(broker: RunningBroker) -> Iterator[Client]:
    with Client(broker, broker.user, broker.password, name="server") as client:
        assert client.subscribe(REPORTS)
        yield client


def test_a_device_reports_under_its_own_name(broker: RunningBroker, server: Client) -> None:
    with Client(broker, A, broker.add(A)) as device:
        assert device.publish(topic(A, "report"), b"mine")
    wait_for(lambda: server.got == [(topic(A, "report"), b"mine")])


def test_a_device_reports_under_no_other_name(broker: RunningBroker, server: Client) -> None:
    password = broker.add(A)
    for forged in (topic(B, "report"), "schoolwatch/1/report", f"schoolwatch/2/{A}/report"):
        with Client(broker, A, password) as device:
            device.paho.publish(forged, b"forged", qos=1)
            wait_for(lambda: not device.paho.want_write())
    with Client(broker, A, password) as device:
        device.publish(topic(A, "report"), b"mine")
        wait_for(lambda: server.got)
    assert server.got == [(topic(A, "report"), b"mine")]


def test_nobody_comes_in_without_the_right_password(broker: RunningBroker) -> None:
    right = broker.add(A)
    for user, password in ((None, None), (A, None), (A, "wrong"), (B, right), ("", ""), (A, right[:-1])):
        client = Client(broker, user, password)
        with client:
            assert client.code != "Success"
    with Client(broker, A, right) as client:
        assert client.code == "Success"


def test_an_acknowledgement_is_read_by_its_device_only(broker: RunningBroker, server: Client) -> None:
    server.publish(topic(A, "ack"), b"for A", retain=True)
    with (
        Client(broker, B, broker.add(B)) as other,
        Client(broker, A, broker.add(A)) as device,
    ):
        other.subscribe(topic(A, "ack"))
        other.subscribe("schoolwatch/#")
        other.subscribe("#")
        device.subscribe(topic(A, "ack"))
        wait_for(lambda: device.got == [(topic(A, "ack"), b"for A")])
        server.publish(topic(A, "ack"), b"again", retain=True)
        wait_for(lambda: len(device.got) == 2)
        server.publish(topic(B, "settings"), b"for B")
        other.subscribe(topic(B, "settings"))
        server.publish(topic(B, "settings"), b"for B")
        wait_for(lambda: other.got)
    assert {t for t, _ in other.got} == {topic(B, "settings")}


def test_a_retained_acknowledgement_comes_to_nobody_by_connecting(
    broker: RunningBroker, server: Client
) -> None:
    password = broker.add(A)
    with Client(broker, A, password, name="a", clean=False) as device:
        device.subscribe(topic(A, "ack"))
        server.publish(topic(A, "ack"), b"for A", retain=True)
        wait_for(lambda: device.got)
    with Client(broker, B, broker.add(B), name="b", clean=False) as other:
        other.subscribe(topic(B, "ack"))
        server.publish(topic(B, "ack"), b"for B", retain=True)
        wait_for(lambda: other.got)
    assert other.got[0] == (topic(B, "ack"), b"for B")


def test_a_device_cannot_acknowledge_for_the_server(broker: RunningBroker, server: Client) -> None:
    password = broker.add(A)
    with Client(broker, A, password) as forger:
        forger.subscribe(topic(A, "ack"))
        forger.paho.publish(topic(A, "ack"), b"forged", qos=1, retain=True)
        wait_for(lambda: not forger.paho.want_write())
    with Client(broker, A, password) as device:
        device.subscribe(topic(A, "ack"))
        server.publish(topic(A, "ack"), b"true")
        wait_for(lambda: device.got)
    assert (forger.got, device.got) == ([], [(topic(A, "ack"), b"true")])


def test_a_last_will_in_anothers_name_is_not_heard(broker: RunningBroker, server: Client) -> None:
    server.subscribe("schoolwatch/1/+/presence")
    password = broker.add(A)
    liar = Client(broker, A, password, name="liar", will=(topic(B, "presence"), b"forged"))
    with liar:
        liar.drop()
    broker.let_relay(A)
    honest = Client(broker, A, password, name="honest", will=(topic(A, "presence"), b"gone"))
    with honest:
        assert honest.code == "Success"
        honest.drop()
    wait_for(lambda: server.got)
    assert server.got == [(topic(A, "presence"), b"gone")]


def test_a_new_credential_works_and_a_revoked_one_ends_without_a_restart(
    broker: RunningBroker, server: Client
) -> None:
    pid = broker.pid
    password = broker.add(B)
    with Client(broker, A, broker.add(A)) as device, Client(broker, B, password) as other:
        assert other.code == device.code == "Success"
        broker.remove(B)
        wait_for(other.closed.is_set)
        assert not device.closed.is_set()
    with Client(broker, B, password) as again:
        assert again.code != "Success"
    assert server.code == "Success"
    assert not server.closed.is_set()
    assert broker.pid == pid


def test_a_renewed_credential_replaces_the_old_one(broker: RunningBroker) -> None:
    old = broker.add(A)
    broker.set_hash(A, hash_password("new"))
    with Client(broker, A, old) as refused, Client(broker, A, "new") as let_in:
        assert refused.code != "Success"
        assert let_in.code == "Success"


def test_another_users_session_cannot_be_taken_over(broker: RunningBroker, server: Client) -> None:
    password, others = broker.add(A), broker.add(B)
    with (
        Client(broker, B, others, name=B) as victim,
        Client(broker, A, password, name="server"),
        Client(broker, A, password, name=B) as device,
        Client(broker, A, "wrong", name=B),
        Client(broker, A, "wrong", name="server"),
    ):
        assert device.publish(topic(A, "report"), b"x")
        wait_for(lambda: server.got)
        assert not server.closed.is_set()
        assert not victim.closed.is_set()


def test_only_a_gateway_says_that_it_is_there_and_passes_on_reports(
    broker: RunningBroker, server: Client
) -> None:
    server.subscribe("schoolwatch/1/+/relay")
    server.subscribe("schoolwatch/1/+/presence")
    broker.let_relay(B)
    passwords = {A: broker.add(A), B: broker.add(B)}
    for name in (A, B):
        for at, leaf in ((A, "relay"), (A, "presence"), (B, "relay"), (B, "presence")):
            with Client(broker, name, passwords[name]) as device:
                device.paho.publish(topic(at, leaf), name.encode(), qos=1)
                wait_for(lambda: not device.paho.want_write())
            with Client(broker, name, passwords[name]) as device:  # who was refused may have been cut off
                device.publish(topic(name, "report"), b"done")
    wait_for(lambda: sum(payload == b"done" for _, payload in server.got) == 8)
    told = {(at, payload) for at, payload in server.got if payload != b"done"}
    assert told == {(topic(B, "relay"), B.encode()), (topic(B, "presence"), B.encode())}


def test_mqtt_5_is_answered_in_a_way_that_a_client_understands(broker: RunningBroker) -> None:
    with Client(broker, A, broker.add(A), protocol=paho.MQTTv5) as client:
        assert (client.code == "Success") == (broker.kind == "mosquitto")


def test_a_folder_with_a_space_has_no_socket_because_mosquitto_would_put_it_elsewhere(tmp_path: Path) -> None:
    assert mosquitto.socket_in(tmp_path) == str(tmp_path / "socket")
    spaced = tmp_path / "data folder"
    assert mosquitto.socket_in(spaced) == ""
    with pytest.raises(ValueError, match="space"):
        mosquitto.settings(mosquitto.Setup(spaced, (), 1, str(spaced / "socket")))
