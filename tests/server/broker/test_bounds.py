"""What the brokers refuse, what they keep, and that they go on afterwards."""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brokers import QUEUED, RunningBroker
from end_to_end import wrong_logins
from mqtt import Client, wait_for
from schoolwatch_contract.frame import FRAME_MAX
from schoolwatch_contract.topics import REPORTS, topic
from schoolwatch_server.broker import connect
from schoolwatch_server.broker.limits import CONNECTION_BYTES

A, B = "a" * 32, "b" * 32


def test_the_largest_frame_fits_and_one_byte_over_a_packet_does_not(broker: RunningBroker) -> None:
    with Client(broker, broker.user, broker.password) as server:
        server.subscribe(REPORTS)
        with Client(broker, A, broker.add(A)) as device:
            assert device.publish(topic(A, "report"), bytes(FRAME_MAX))
            wait_for(lambda: server.got)
            device.paho.publish(topic(A, "report"), bytes(FRAME_MAX + 2048), qos=1)
            wait_for(device.closed.is_set)
        assert [len(p) for _, p in server.got] == [FRAME_MAX]
        with Client(broker, A, broker.add(A)) as device:
            assert device.publish(topic(A, "report"), b"after")
        wait_for(lambda: len(server.got) == 2)


def test_a_packet_that_claims_ten_megabytes_is_refused_from_its_header(broker: RunningBroker) -> None:
    password = broker.add(A)
    with socket.create_connection((broker.host, broker.port), timeout=10) as raw:
        who = connect.Connect(
            "raw", A, password, clean=True, keep_alive=30, flags=0xC2, will_topic=None, will=b""
        )
        raw.sendall(_connect(who))
        assert raw.recv(4) == b"\x20\x02\x00\x00"
        raw.sendall(b"\x32" + _length(10_000_000) + struct.pack("!H", 5))  # the body never comes
        with contextlib.suppress(ConnectionResetError):
            assert raw.recv(100) == b""  # a time-out would mean that it waits for the body


def _connect(who: connect.Connect) -> bytes:
    body = connect.build(who)[2:]  # `build` leaves the password out
    body = (
        body[:7]
        + bytes((who.flags,))
        + body[8:]
        + struct.pack("!H", len(who.password))
        + who.password.encode()
    )
    return b"\x10" + _length(len(body)) + body


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\x00" * 64,
        b"\x10\xff\xff\xff\x7f",
        b"\x10\xff\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x30\x05abc",
    ],
    ids=["silence", "zeros", "a CONNECT of 256 MB", "an endless length", "HTTP", "no CONNECT"],
)
def test_noise_does_not_stop_the_broker(broker: RunningBroker, noise: bytes) -> None:
    for _ in range(20):
        connection = socket.create_connection((broker.host, broker.port), timeout=10)
        with connection as raw, contextlib.suppress(OSError):  # it may have hung up already
            raw.sendall(noise)
            raw.shutdown(socket.SHUT_WR)
    with Client(broker, A, broker.add(A)) as device:
        assert device.publish(topic(A, "report"), b"after")


def test_what_a_killed_intake_had_not_acknowledged_comes_again(broker: RunningBroker) -> None:
    with Client(broker, broker.user, broker.password, name="intake", clean=False, manual=True) as first:
        first.subscribe(REPORTS)
        with Client(broker, A, broker.add(A)) as device:
            for n in range(10):
                assert device.publish(topic(A, "report"), b"%d" % n)
            wait_for(lambda: len(first.got) == 10)
            for message in first.messages[:4]:
                first.paho.ack(message.mid, message.qos)
            wait_for(lambda: not first.paho.want_write())
            first.drop()
            for n in range(10, 15):
                assert device.publish(topic(A, "report"), b"%d" % n)
    with Client(broker, broker.user, broker.password, name="intake", clean=False) as second:
        wait_for(lambda: len(second.got) >= 11)
        assert {int(p) for _, p in second.got} >= set(range(4, 15))


def test_what_waits_survives_the_brokers_own_kill_on_mosquitto(mosquitto: RunningBroker) -> None:
    with Client(mosquitto, mosquitto.user, mosquitto.password, name="intake", clean=False) as intake:
        intake.subscribe(REPORTS)
    with Client(mosquitto, A, mosquitto.add(A)) as device:
        for n in range(50):
            assert device.publish(topic(A, "report"), b"%d" % n)
    wait_for(lambda: _saved(mosquitto.folder, 50))
    mosquitto.kill()
    mosquitto.start()
    with Client(mosquitto, mosquitto.user, mosquitto.password, name="intake", clean=False) as intake:
        wait_for(lambda: len(intake.got) == 50)
    assert [int(p) for _, p in intake.got] == list(range(50))


def _saved(folder: Path, count: int) -> bool:
    saved = folder / "mosquitto.db"
    return saved.exists() and saved.read_bytes().count(topic(A, "report").encode()) >= count


def test_a_flood_that_nobody_reads_keeps_the_brokers_memory_bounded(broker: RunningBroker) -> None:
    with Client(broker, broker.user, broker.password, name="intake", clean=False) as intake:
        intake.subscribe(REPORTS)
    frame = os.urandom(FRAME_MAX)
    with Client(broker, A, broker.add(A)) as device:
        for _ in range(1600):  # 400 MB against a bound of 256 MB
            device.paho.publish(topic(A, "report"), frame, qos=1).wait_for_publish(30)
    assert psutil.Process(broker.pid).memory_info().rss < 450e6
    with Client(broker, broker.user, broker.password, name="intake", clean=False) as intake:
        wait_for(lambda: len(intake.got) > 100)
        assert intake.got[0] == (topic(A, "report"), frame)


def test_a_flood_without_acknowledgement_for_a_server_that_stands_still_keeps_memory_bounded(
    peer: Callable[[str], Path], free_port: Callable[[], int], tmp_path: Path
) -> None:
    broker = RunningBroker("mosquitto", tmp_path / "broker", free_port(), peer("mosquitto"), connections=1000)
    broker.start()
    flood = wrong_logins.packet(0x30, wrong_logins.field(topic(A, "report").encode()) + os.urandom(250_000))
    try:
        with Client(broker, broker.user, broker.password, name="intake") as intake:
            intake.subscribe(REPORTS)
            goes_on, keep = threading.Event(), intake.paho.on_message
            intake.paho.on_message = lambda *message: goes_on.wait(60) and keep(*message)
            with Client(broker, B, broker.add(B)) as honest:
                with _logged_in(broker, A) as thief, contextlib.suppress(OSError):
                    thief.settimeout(2)
                    for _ in range(1800):  # 450 MB
                        thief.sendall(flood)
                assert psutil.Process(broker.pid).memory_info().rss < QUEUED + 1000 * CONNECTION_BYTES + 60e6
                goes_on.set()
                wait_for(lambda: len(intake.got) > 50)
                assert honest.publish(topic(B, "report"), b"after")
                assert not honest.closed.is_set()
                wait_for(lambda: (topic(B, "report"), b"after") in intake.got)
    finally:
        broker.stop()


def _logged_in(broker: RunningBroker, user: str) -> socket.socket:
    raw = socket.create_connection((broker.host, broker.port), timeout=10)
    raw.sendall(wrong_logins.connect("raw", user, broker.add(user)))
    assert raw.recv(4) == b"\x20\x02\x00\x00"
    return raw


def test_a_device_is_granted_its_own_two_topics_and_no_filter_more(amqtt: RunningBroker) -> None:
    """Each filter that is kept makes every message of everybody cost more: 100,000 stood the broker still."""
    names = [f"schoolwatch/1/{A}/{n}" for n in range(2000)]
    wide = [f"schoolwatch/1/{A}/#", f"schoolwatch/1/{A}/+", f"$share/g/{topic(A, 'ack')}", topic(A, "report")]
    with Client(amqtt, A, amqtt.add(A)) as device:
        granted: list[bool] = []
        device.paho.on_subscribe = lambda _c, _d, _m, codes, _p: granted.extend(
            not code.is_failure for code in codes
        )
        filters = (*names, *wide, topic(A, "ack"), topic(A, "settings"))
        device.paho.subscribe([(each, 1) for each in filters])
        wait_for(lambda: len(granted) == len(filters))
    assert granted == [False] * (len(filters) - 2) + [True, True]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_bytes_are_a_connect_or_are_refused(body: bytes) -> None:
    try:
        parsed = connect.parse(body)
    except connect.RefusedError as error:
        parsed = None
        assert error.args[0]  # noqa: PT017  refused is one of the two right answers
    assert parsed is None or (parsed.user is not None and parsed.flags & 0xC0 == 0xC0)


def test_a_connect_is_read_back_as_it_was_written() -> None:
    who = connect.Connect("id", A, "pass", clean=True, keep_alive=9, flags=0xC6, will_topic="t", will=b"w")
    assert connect.parse(_connect(who)[2:]) == who
