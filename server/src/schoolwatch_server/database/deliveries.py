"""Messages: each holds rows of the outbox, is claimed before it is sent, and keeps one id for life.

The id goes out with the message (`Idempotency-Key`, `Message-ID`). A sender that was killed between claim and
answer leaves `claimed_at`, and so does an answer that did not come in time: whoever sends that message again
knows that it may be the second time.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, func, insert, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.duty.fold import STORM_EVERY, Batch, Made, Waiting
from schoolwatch_server.short_answers import may_have_come

_n, _d = t.notification.c, t.delivery.c


class TakenError(Exception):
    """Another sender has put one of these rows into a message meanwhile."""


STUCK_AFTER = 6
"""Failed attempts after which a message no longer holds up what came after it: it may be its own fault."""

BESIDES_EVERY = 3600.0
"""Seconds after which one more goes besides where two are refused: they may both be their own fault."""

ASKED_AFTER = 3
"""Attempts after which one of which nobody knows whether it came no longer does: some service takes each
message and answers none in time, and what comes next must not wait for its questions of the next hours."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that its claimer sends now; `may_be_second` when the last try never ended."""

    id: int
    nonce: str
    channel: str
    kind: str
    attempts: int
    may_be_second: bool
    made_at: float


def channels_due(conn: Connection, channels: Collection[str], now: float) -> tuple[str, ...]:
    """Those to which there is something to send, or to put into a message."""
    ready = select(_d.channel).where(_d.due_at <= now, _d.channel.in_(list(channels))).distinct()
    return tuple(sorted({*channels_waiting(conn, channels, now), *conn.scalars(ready)}))


def channels_waiting(conn: Connection, channels: Collection[str], now: float) -> tuple[str, ...]:
    """Those with rows that are due and may become messages now.

    A channel that does not answer keeps what comes meanwhile waiting: once it is back, that is one message.
    """
    query = select(_n.channel).where(
        _n.due_at <= now, _n.delivery_id.is_(None), _n.channel.in_(list(channels))
    )
    waiting = set(conn.scalars(query.distinct()))
    failing = select(_d.channel, _d.attempts, _d.error, _d.made_at).where(
        _d.due_at.is_not(None), _d.attempts > 0, _d.error != "", _d.channel.in_(waiting)
    )
    refused: defaultdict[str, list[float]] = defaultdict(list)
    for channel, attempts, error, made_at in conn.execute(failing).all():
        is_asked = may_have_come(error)
        if not is_asked:
            refused[channel].append(made_at)
        if attempts < (ASKED_AFTER if is_asked else STUCK_AFTER):
            waiting.discard(channel)
    waiting -= {
        one for one, at in refused.items() if len(at) > 1 and 0 <= now - max(at) < BESIDES_EVERY
    }  # fmt: skip
    return tuple(sorted(waiting))


def waiting(conn: Connection, channel: str, now: float, attacks: Collection[str] = ()) -> tuple[Waiting, ...]:
    """What is due for a channel and in no message yet; `attacks` are the rules that tell of one."""
    i = t.incident.c
    query = (
        select(_n.id, i.severity, _n.event, _n.is_digest, i.is_exercise, i.rule)
        .join(t.incident, i.id == _n.incident_id)
        .where(_n.due_at <= now, _n.delivery_id.is_(None), _n.channel == channel)
        .order_by(_n.id)
    )
    return tuple(
        Waiting(
            row.id,
            row.severity,
            row.event.partition(":")[0],
            row.is_digest,
            row.is_exercise,
            row.rule in attacks,
        )
        for row in conn.execute(query)
    )


def made(conn: Connection, channel: str, now: float) -> tuple[Made, ...]:
    """The messages that were made for a channel lately."""
    query = select(_d.made_at, _d.kind, _d.is_exercise)
    since = now - 2 * STORM_EVERY
    return tuple(Made(*row) for row in conn.execute(query.where(_d.channel == channel, _d.made_at > since)))


def make(conn: Connection, channel: str, batch: Batch, now: float) -> None:
    """Puts rows into a new message. Raises `TakenError`: then the transaction must not be committed."""
    row = {
        "nonce": secrets.token_hex(16),
        "channel": channel,
        "kind": batch.kind,
        "is_exercise": batch.is_exercise,
        "made_at": now,
        "due_at": now,
    }
    key = conn.execute(insert(t.delivery).values(**row)).inserted_primary_key
    assert key is not None  # a row was inserted
    taken = 0
    for part in in_parts(batch.ids):
        mine = and_(_n.id.in_(part), _n.delivery_id.is_(None))
        taken += conn.execute(update(t.notification).where(mine).values(delivery_id=int(key[0]))).rowcount
    if taken != len(batch.ids):
        raise TakenError


def next_due(conn: Connection, channels: Collection[str], now: float) -> int | None:
    """The id of the message that has been due for longest; None when nothing is due.

    It waits for earlier messages of its incidents to its channel: "closed" never overtakes "opened".
    """
    d, earlier = t.delivery, t.delivery.alias("earlier")
    mine, theirs = t.notification.alias("mine"), t.notification.alias("theirs")
    waits = exists(
        select(earlier.c.id)
        .join(theirs, theirs.c.delivery_id == earlier.c.id)
        .join(mine, mine.c.incident_id == theirs.c.incident_id)
        .where(
            earlier.c.channel == d.c.channel,
            earlier.c.id < d.c.id,
            earlier.c.due_at.is_not(None),
            mine.c.delivery_id == d.c.id,
        )
        .correlate(d)
    )
    query = (
        select(d.c.id)
        .where(d.c.due_at <= now, d.c.channel.in_(list(channels)), ~waits)
        .order_by(d.c.due_at, d.c.id)
        .limit(1)
    )
    found: int | None = conn.scalar(query)
    return found


def claim(conn: Connection, delivery_id: int, now: float, until: float) -> Delivery | None:
    """Takes a due message for the caller alone until `until`; None when somebody else took it."""
    before = conn.execute(select(t.delivery).where(_d.id == delivery_id, _d.due_at <= now)).first()
    if before is None:
        return None
    mine = and_(_d.id == delivery_id, _d.due_at == before.due_at, _d.attempts == before.attempts)
    values = {"due_at": until, "claimed_at": now, "attempts": before.attempts + 1}
    if conn.execute(update(t.delivery).where(mine).values(**values)).rowcount != 1:
        return None
    return Delivery(
        before.id,
        before.nonce,
        before.channel,
        before.kind,
        before.attempts + 1,
        before.claimed_at is not None,
        before.made_at,
    )


def sent(conn: Connection, delivery: Delivery, now: float) -> None:
    """The channel took it: so does the timeline of each incident that it tells of."""
    over = {"due_at": None, "sent_at": now, "error": ""}
    conn.execute(update(t.delivery).where(_d.id == delivery.id).values(claimed_at=None, **over))
    mine = _n.delivery_id == delivery.id
    conn.execute(update(t.notification).where(mine).values(attempts=delivery.attempts, **over))
    _tell(conn, delivery, "notified", "", now)


def failed(conn: Connection, delivery: Delivery, error: str, again_at: float | None, now: float) -> None:
    """The channel did not take it; None gives up. Of a message of many, first and last failure are told, of
    any other the first ones, each sixth and the last.

    What may have come in an attempt before stays so: the next one says it too. What was given up meanwhile,
    as its channel was taken away or switched off, stays given up.
    """
    mine = update(t.delivery).where(_d.id == delivery.id)
    fate = {} if delivery.may_be_second or may_have_come(error) else {"claimed_at": None}
    values = {"due_at": again_at, "error": error, **fate}
    if conn.execute(mine.where(_d.due_at.is_not(None)).values(**values)).rowcount == 0:
        conn.execute(mine.values(claimed_at=None))
        return
    rest = {"attempts": delivery.attempts, "error": error} | ({} if again_at else {"due_at": None})
    conn.execute(update(t.notification).where(_n.delivery_id == delivery.id).values(**rest))
    is_told = delivery.kind == "one" and (delivery.attempts <= STUCK_AFTER or delivery.attempts % 6 == 0)
    if is_told or delivery.attempts == 1 or again_at is None:
        _tell(conn, delivery, "notify_failed", error, now)


def _tell(conn: Connection, delivery: Delivery, kind: str, error: str, now: float) -> None:
    rows = conn.execute(select(_n.incident_id, _n.event).where(_n.delivery_id == delivery.id).order_by(_n.id))
    told = {"channel": delivery.channel, "attempt": delivery.attempts, "message": delivery.nonce}
    told |= {"error": error} if error else {}
    told |= {"folded": delivery.kind} if delivery.kind != "one" else {}
    told |= {"second": True} if delivery.may_be_second and kind == "notified" else {}
    events = [
        {"incident_id": row.incident_id, "at": now, "kind": kind, "detail": {"event": row.event, **told}}
        for row in rows
    ]
    if events:
        conn.execute(insert(t.incident_event), events)


def doubt(conn: Connection, now: float) -> int:
    """Of what waits in an older copy that took the database's place nobody knows whether it was sent since.

    So it is with a message whose sender was killed: programs are told that it may be the second one, people
    are asked. What was not due by then waits as it did. How many messages that are.
    """
    i = t.incident.c
    query = (
        select(_n.channel, i.is_exercise, _n.id)
        .join(t.incident, i.id == _n.incident_id)
        .where(_n.due_at <= now, _n.delivery_id.is_(None))
    )
    waiting: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for channel, is_exercise, number in conn.execute(query.order_by(_n.id)):
        waiting[channel, is_exercise].append(number)
    for (channel, is_exercise), ids in waiting.items():
        make(conn, channel, Batch("one" if len(ids) == 1 else "fold", tuple(ids), is_exercise), now)
    return conn.execute(update(t.delivery).where(_d.due_at.is_not(None)).values(claimed_at=now)).rowcount


def refused(conn: Connection, attempts: int) -> dict[str, int]:
    """Channel → how many messages it has refused so often, and still waits for."""
    waiting = _d.due_at.is_not(None), _d.attempts >= attempts
    query = select(_d.channel, func.count()).where(*waiting).group_by(_d.channel)
    return {channel: int(count) for channel, count in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the page lists it: to which channel, of how many events, and what became of it."""

    channel: str
    kind: str
    is_exercise: bool
    made_at: float
    attempts: int
    due_at: float | None
    sent_at: float | None
    error: str
    nonce: str
    events: int


def newest(conn: Connection, limit: int) -> tuple[Sent, ...]:
    """The newest messages first."""
    count = select(func.count()).where(_n.delivery_id == _d.id).scalar_subquery()
    query = select(
        _d.channel,
        _d.kind,
        _d.is_exercise,
        _d.made_at,
        _d.attempts,
        _d.due_at,
        _d.sent_at,
        _d.error,
        _d.nonce,
        count,
    )
    return tuple(Sent(*tuple(row)) for row in conn.execute(query.order_by(_d.id.desc()).limit(limit)))
