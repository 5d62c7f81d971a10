"""Who is turned away at the embedded broker's door, and that a login costs the same for whoever tries."""

import asyncio
import socket
import threading
from pathlib import Path

from schoolwatch_server.broker import access, connect, embedded, limits, passwords
from schoolwatch_server.broker.door import Door, Visitor
from schoolwatch_server.files import write_atomically

A, B = "a" * 32, "b" * 32


async def _nothing(*_: object) -> None:
    """What a connection comes to here."""


def test_who_is_often_wrong_is_turned_away_and_others_are_not() -> None:
    door = Door(_nothing)
    for _ in range(limits.WRONG_MAX):
        assert not door.is_full_for("192.0.2.1")
        door.was_wrong("192.0.2.1")
        door.was_wrong("2001:db8::1")
        door.was_wrong("127.0.0.1")
    assert door.is_full_for("192.0.2.1")
    assert door.is_full_for("2001:db8::2"), "a subscriber has a whole network of 64 bits"
    assert not door.is_full_for("192.0.2.2")
    assert not door.is_full_for("127.0.0.1"), "what the web server passes on comes from there"


def _is_closed(raw: socket.socket) -> bool:
    try:
        return raw.recv(1) == b""
    except BlockingIOError:
        return False


def test_connections_that_do_not_log_in_are_bounded() -> None:
    async def scene() -> tuple[int, bool]:
        release = asyncio.Event()

        async def wait(_reader: object, writer: asyncio.StreamWriter, visitor: Visitor) -> None:
            await release.wait()
            writer.close()
            await writer.wait_closed()

        door = Door(wait)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        await door.listen("127.0.0.1", port)
        raws = [socket.create_connection(("127.0.0.1", port)) for _ in range(limits.WAITING_MAX + 20)]
        for raw in raws:
            raw.setblocking(False)
        closed, turns = 0, 0
        while closed < 20 and turns < 400:
            await asyncio.sleep(0.05)
            turns += 1
            closed = sum(map(_is_closed, raws))
        await asyncio.sleep(0.2)  # no more of them
        closed = sum(map(_is_closed, raws))
        full = door.is_full_for("192.0.2.9")
        release.set()
        for raw in raws:
            raw.close()
        while door.is_full_for("192.0.2.9") and turns < 800:
            await asyncio.sleep(0.05)
            turns += 1
        empty = not door.is_full_for("192.0.2.9")
        await door.close()
        return closed, full and empty

    assert asyncio.run(scene()) == (20, True)


def test_an_unknown_user_costs_what_a_known_one_does_and_nothing_is_hashed_in_the_loop(
    tmp_path: Path, monkeypatch: object
) -> None:
    write_atomically(tmp_path / "passwords", access.password_file({A: passwords.hash_password("right")}))
    write_atomically(tmp_path / "acl", access.acl("server"))
    hashed: list[tuple[int, str]] = []
    true = passwords.verify

    def verify(password: str, against: str) -> bool:
        hashed.append((threading.get_ident(), against))
        return true(password, against)

    async def scene() -> list[bool]:
        broker = embedded.Embedded(tmp_path, "server", 1000)
        visitor = Visitor(Door(_nothing), "192.0.2.1")
        let_in = []
        for user, password in ((A, "wrong"), (B, "right"), (A, "right")):
            who = connect.Connect("x", user, password, True, 30, 0xC2, None, b"")
            try:
                await broker._admit(who, visitor)
            except connect.RefusedError:
                let_in.append(False)
            else:
                let_in.append(True)
        return let_in

    monkeypatch.setattr(passwords, "verify", verify)  # type: ignore[attr-defined]
    assert asyncio.run(scene()) == [False, False, True]
    assert len({against.split("$")[2] for _, against in hashed}) == 1, "as many rounds for each"
    assert len(hashed) == 3
    assert threading.get_ident() not in {thread for thread, _ in hashed}
