"""How long one question may take, and how many large ones are answered at once."""

import threading
import time

import pytest

from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.patience import LARGE, Patience, Room


def test_its_time_and_whoever_asked() -> None:
    Patience().check(10**9)  # without a room nothing is counted
    with pytest.raises(QueryError, match="takes too long"):
        Patience(time.monotonic() - 1).check()
    with pytest.raises(QueryError, match="has gone"):
        Patience(is_gone=lambda: True).check()


def test_a_large_question_takes_a_place_until_it_is_answered() -> None:
    room = Room(places=1, waiting=0)
    first, second = Patience(room=room), Patience(room=room)
    first.check(LARGE)
    second.check(LARGE)  # so much has no need of one
    first.check(1)
    first.check(1)
    with pytest.raises(QueryError, match="too many large questions at once"):
        second.check(1)
    second.end()  # it has none to give back
    with pytest.raises(QueryError):
        Patience(room=room).check(LARGE + 1)
    first.end()
    second.check(1)


def test_it_waits_for_a_place_as_long_as_somebody_waits_for_it() -> None:
    room = Room(places=1, waiting=1)
    first, gone = Patience(room=room), threading.Event()
    first.check(LARGE + 1)
    with pytest.raises(QueryError, match="takes too long"):
        Patience(time.monotonic() + 0.1, room=room).check(LARGE + 1)
    threading.Timer(0.1, gone.set).start()
    with pytest.raises(QueryError, match="has gone"):
        Patience(is_gone=gone.is_set, room=room).check(LARGE + 1)
    second = Patience(time.monotonic() + 60, room=room)
    threading.Timer(0.1, first.end).start()
    second.check(LARGE + 1)
    second.end()
