"""What is written in one turn of the event loop goes out as one write, in order, and nothing waits longer."""

import asyncio
from collections.abc import Callable

from schoolwatch_server.api.gathered import AT_ONCE, Gathered


class Plain(asyncio.Transport):
    """Keeps what was written; `None` is that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes | None] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.seen.append(bytes(data))

    def close(self) -> None:
        self.seen.append(None)

    def is_closing(self) -> bool:
        return None in self.seen


def after(do: Callable[[Gathered], None]) -> list[bytes | None]:
    """What came to the plain transport, after the turn in which that was done."""
    plain = Plain()

    async def run() -> None:
        do(Gathered(plain, asyncio.get_running_loop()))
        assert b"soon" not in plain.seen
        await asyncio.sleep(0)

    asyncio.run(run())
    return plain.seen


def test_head_and_body_are_one_write() -> None:
    assert after(lambda line: [line.write(part) for part in (b"head", b"", b"body")]) == [b"headbody"]


def test_what_comes_in_another_turn_is_another_write() -> None:
    plain = Plain()

    async def run() -> None:
        line = Gathered(plain, asyncio.get_running_loop())
        for part in (b"one", b"two"):
            line.write(part)
            await asyncio.sleep(0)

    asyncio.run(run())
    assert plain.seen == [b"one", b"two"]


def test_long_parts_go_by_themselves_after_what_came_before() -> None:
    long = b"x" * AT_ONCE
    assert after(lambda line: [line.write(part) for part in (b"head", long, b"end")]) == [
        b"head",
        long,
        b"end",
    ]
    many = after(lambda line: [line.write(b"x" * 1000) for _ in range(100)])
    assert sum(len(part or b"") for part in many) == 100_000
    assert max(len(part or b"") for part in many) <= AT_ONCE


def test_a_connection_is_closed_after_what_was_written() -> None:
    assert after(lambda line: [line.write(b"all"), line.close()]) == [b"all", None]


def test_a_connection_that_ended_meanwhile_gets_nothing() -> None:
    assert after(lambda line: [line.write(b"soon"), line.plain.close()]) == [None]
