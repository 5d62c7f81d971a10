"""The client against servers that misbehave: it ends in time, keeps to its budget, and says what happened."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from schoolwatch_agent.bandwidth import client
from schoolwatch_agent.bandwidth.leave import NoLeaveError
from schoolwatch_agent.bandwidth.order import Family, Outcome
from schoolwatch_contract import ndt7
from schoolwatch_contract.slot import Slot

SECONDS = 1.0
Behave = Callable[[ServerConnection], None]


@contextmanager
def server(behave: Behave, protocol: str = ndt7.SUBPROTOCOL) -> Iterator[Slot]:
    """A WebSocket server that does as it likes, and a slot for it."""

    def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            behave(connection)

    with serve(
        handle, "127.0.0.1", 0, subprotocols=[Subprotocol(protocol)], compression=None, max_size=None
    ) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        port = listening.socket.getsockname()[1]
        try:
            yield Slot(
                f"ws://127.0.0.1:{port}/d", f"ws://127.0.0.1:{port}/u", 20.0, SECONDS, 1e8, assumed=False
            )
        finally:
            listening.shutdown()
            thread.join()


def measured(behave: Behave, bytes_left: int = 10**11, protocol: str = ndt7.SUBPROTOCOL) -> Outcome:
    began = time.monotonic()
    with server(behave, protocol) as slot:
        outcome = asyncio.run(client.measure(slot, 4, bytes_left, None))
    assert time.monotonic() - began < 2 * ndt7.CUT_SECONDS
    return outcome


def is_download(connection: ServerConnection) -> bool:
    return connection.request is not None and connection.request.path == "/d"


def silent(connection: ServerConnection) -> None:
    connection.recv()


def closing(connection: ServerConnection) -> None:
    connection.close()


def shouting(connection: ServerConnection) -> None:
    while True:
        connection.send("no measurement")


def huge(connection: ServerConnection) -> None:
    connection.send(bytes(ndt7.MESSAGE_MAX + 1))
    connection.recv()


@pytest.mark.parametrize("behave", [silent, closing, shouting, huge])
def test_a_server_that_misbehaves_gives_no_result(behave: Behave) -> None:
    outcome = measured(behave)
    assert outcome.skipped in ("interrupted", "unreachable"), outcome
    assert outcome.download is None


def test_an_upload_that_nobody_counted_is_no_result() -> None:
    """What this end has sent is not what arrived."""

    def behave(connection: ServerConnection) -> None:
        end = time.monotonic() + SECONDS
        if is_download(connection):
            while time.monotonic() < end:
                connection.send(bytes(1 << 16))
        else:
            while True:
                connection.recv()

    outcome = measured(behave)
    assert outcome.skipped == "interrupted"
    assert "upload" in outcome.detail
    assert outcome.bytes > 1 << 16  # and it has cost its bytes


def test_no_more_is_spent_than_is_left() -> None:
    def behave(connection: ServerConnection) -> None:
        while True:
            connection.send(bytes(1 << 16))

    outcome = measured(behave, bytes_left=1_000_000)
    assert outcome.skipped == "budget"
    assert outcome.bytes <= 1_000_000 + (1 << 16)


def test_a_server_of_another_protocol_is_none() -> None:
    assert measured(silent, protocol="chat").skipped in ("refused", "unreachable")


@pytest.mark.parametrize(
    ("host", "wanted", "used"), [("127.0.0.1", 6, 4), ("::1", 4, 6), ("127.0.0.1", 4, 4)]
)
def test_the_family_is_one_that_the_host_has(host: str, wanted: Family, used: Family) -> None:
    assert client.choose(host, wanted) == used


@pytest.mark.parametrize("host", ["", "a" * 300, "\udcff"])
def test_a_host_that_is_none_is_a_reason(host: str) -> None:
    with pytest.raises(NoLeaveError):
        client.choose(host, 4)
