"""Tells people before a serious incident's deadline, and when it was missed: once, by the usual outbox."""

from collections.abc import Collection

from sqlalchemy import Engine

from schoolwatch_server.database import notifications, serious
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incidents import add_event
from schoolwatch_server.serious.timers import due_timers


def put_due(engine: Engine, channels: Collection[str], now: float) -> int:
    """Puts into the outbox what is to be told by now and was not yet; how many incidents' deadlines.

    That it was told stands in the incident's timeline, so it is told once however often this is called.
    """
    if not channels:
        return 0  # nobody would hear it: it is told when there is a channel
    with begin_read(engine) as conn:
        wanted = due_timers(serious.owing(conn), now)
        told = serious.reminded(conn, {incident for incident, _ in wanted}) if wanted else frozenset()
    fresh = [one for one in wanted if one not in told]
    for incident, event in fresh:
        with begin_write(engine) as conn:
            if (incident, event) in serious.reminded(conn, {incident}):
                continue  # another evaluator was here first
            notifications.remind(conn, incident, event, channels, now)
            add_event(conn, incident, event, {}, now)
    return len(fresh)
