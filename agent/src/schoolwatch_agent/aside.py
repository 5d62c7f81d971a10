"""Runs what may hang in a thread aside, and leaves that thread behind when it does not come back.

A thread that waits for a broken disk cannot be ended; the agent goes on without it.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from schoolwatch_agent import deadline

_Answer = TypeVar("_Answer")
_Task = tuple[Callable[[], Any], SimpleQueue[tuple[Any, Exception | None]]]
_mine = threading.local()


def within(timeout: float, what: str, ask: Callable[[], _Answer]) -> _Answer:
    """What `ask` returns or raises; `TimedOut` naming `what` after `timeout` seconds, or the probe's time."""
    timeout = deadline.cut(timeout)
    tasks: SimpleQueue[_Task] | None = getattr(_mine, "tasks", None)
    if tasks is None:
        tasks = _mine.tasks = SimpleQueue()
        threading.Thread(target=_work, args=(tasks,), daemon=True, name="aside").start()
    reply: SimpleQueue[tuple[_Answer, Exception | None]] = SimpleQueue()
    tasks.put((ask, reply))
    try:
        answer, error = reply.get(timeout=timeout)
    except Empty:
        _mine.tasks = None  # the thread is lost; the next question gets another
        raise deadline.silent(what, timeout) from None
    if error is not None:
        raise error
    return answer


def _work(tasks: "SimpleQueue[_Task]") -> None:
    while True:
        ask, reply = tasks.get()
        try:
            reply.put((ask(), None))
        except Exception as error:  # noqa: BLE001  carried to the asking thread and raised there
            reply.put((None, error))
