"""Channels that are kept in the database: their addresses are sealed, and opened only to send."""

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, delete, insert, or_, select, update

from schoolwatch_server.alertmanager import KIND
from schoolwatch_server.channels import CARRIED, carried
from schoolwatch_server.database import sealed
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import for_good
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.sealing import AlteredError
from schoolwatch_server.texts import Language, is_language

log = logging.getLogger(__name__)

_c = t.channel.c

CHANNELS_MAX = 100


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as pages show it; nothing of its address. Instants are UTC seconds.

    One that `is_own` is an account's: it gets what the duty list says, and nothing that goes to all. One with
    `least` its account set up for itself: once confirmed, it gets incidents of its account's scope from that
    severity on. One that `carries` sends what goes to addresses that accounts set up.
    """

    id: int
    name: str
    kind: str
    language: Language
    is_on: bool
    is_own: bool
    account: str | None
    changed_at: float
    worked_at: float | None
    failed_at: float | None
    error: str
    carries: bool
    least: str | None
    is_quiet: bool
    confirmed_at: float | None

    @property
    def is_self_made(self) -> bool:
        """Whether its account set it up: the duty list and everybody's pages have nothing to do with it."""
        return self.least is not None

    @property
    def gets_messages(self) -> bool:
        """Whether anybody can be told by it: an Alertmanager decides itself whom it tells."""
        return self.kind != KIND

    @property
    def key(self) -> str:
        """What the outbox and the duty list call it."""
        return f"channel:{self.id}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel that is switched on, with its address."""

    key: str
    address: str
    language: Language
    is_everybodys: bool
    scope: Scope = EVERYTHING
    """What its account sees, where it is one's own."""


def listed(conn: Connection, ids: Collection[int] | None = None) -> tuple[ChannelRow, ...]:
    """All channels, or these, by name."""
    query = (
        select(
            _c.id, _c.name, _c.kind, _c.language, _c.is_on, _c.is_own, t.account.c.name.label("account"),
            _c.changed_at, _c.worked_at, _c.failed_at, _c.error, _c.carries, _c.least, _c.is_quiet,
            _c.confirmed_at,
        )
        .outerjoin(t.account, t.account.c.id == _c.account_id)
        .order_by(_c.name)
    )  # fmt: skip
    if ids is not None:
        query = query.where(_c.id.in_(list(ids)))
    return tuple(ChannelRow(*tuple(row)) for row in conn.execute(query))


def found(conn: Connection, channel_id: int) -> ChannelRow | None:
    """One channel."""
    return next(iter(listed(conn, [channel_id])), None)


def usable(conn: Connection) -> frozenset[str]:
    """What the outbox and the duty list call those that are on, whose person (if any) may still log in."""
    messages = _usable(_c.id).where(_c.kind != KIND)
    return frozenset(f"channel:{id_}" for id_ in conn.scalars(messages))


def _usable(*columns: Column[Any]) -> Select[Any]:
    lives = or_(~_c.is_own, and_(_c.account_id.is_not(None), t.account.c.disabled_at.is_(None)))
    query = select(*columns).outerjoin(t.account, t.account.c.id == _c.account_id)
    heard = or_(_c.least.is_(None), _c.confirmed_at.is_not(None))
    return query.where(_c.is_on, lives, heard).order_by(_c.id)


def opened(conn: Connection) -> tuple[Opened, ...]:
    """The usable ones, with their addresses. Raises `SealError`."""
    query = _usable(
        *(_c.id, _c.kind, _c.address, _c.language, _c.is_own, _c.least),
        *(t.account.c.scope_level, t.account.c.scope_id),
    ).where(_c.address.is_not(None))
    there = []
    carriers = _carriers(conn)
    for row in conn.execute(query):
        try:
            plain = sealed.keys(conn).unseal(sealed.CHANNEL.purpose(row.id), row.address).decode()
        except AlteredError:  # one row's trouble: the other channels are told all the same
            log.warning("channel %d: its address opens no more: write it anew", row.id)
            continue
        if row.least is not None and row.kind in CARRIED:
            if row.kind not in carriers:
                continue  # what it is to be told waits until the department has such a channel again
            plain = carried(carriers[row.kind], row.kind, plain)
        there.append(
            Opened(
                f"channel:{row.id}",
                plain,
                row.language if is_language(row.language) else "vi",
                not row.is_own,
                Scope(row.scope_level, row.scope_id) if row.is_own else EVERYTHING,
            )
        )
    return tuple(there)


def address(conn: Connection, channel_id: int) -> str | None:
    """The address of one, for its test; None where nothing can be sent to now. Raises `SealError`."""
    row = conn.execute(select(_c.address, _c.kind, _c.least).where(_c.id == channel_id)).first()
    if row is None or row.address is None:
        return None
    plain = sealed.keys(conn).unseal(sealed.CHANNEL.purpose(channel_id), row.address).decode()
    if row.least is None or row.kind not in CARRIED:
        return plain
    carrier = _carriers(conn).get(row.kind)
    return None if carrier is None else carried(carrier, row.kind, plain)


def _carriers(conn: Connection) -> dict[str, str]:
    """Kind → address of the common channel that carries what goes to people's own of that kind."""
    query = select(_c.id, _c.kind, _c.address).where(_c.carries, _c.is_on, _c.address.is_not(None))
    found = {}
    for row in conn.execute(query).all():
        with suppress(AlteredError):  # `opened` says so
            found[row.kind] = sealed.keys(conn).unseal(sealed.CHANNEL.purpose(row.id), row.address).decode()
    return found


def carriers(conn: Connection) -> frozenset[str]:
    """Kinds of which the department carries messages to people's own addresses."""
    return frozenset(conn.scalars(select(_c.kind).where(_c.carries, _c.is_on)))


def carry(conn: Connection, channel_id: int, kind: str, now: float, *, carries: bool) -> None:
    """Whether a common channel carries those messages; there is one of a kind."""
    if carries:
        conn.execute(update(t.channel).where(_c.kind == kind, _c.carries).values(carries=False))
    conn.execute(update(t.channel).where(_c.id == channel_id).values(carries=carries, changed_at=now))


def add(
    conn: Connection, name: str, kind: str, text: str, language: str, account_id: int | None, now: float
) -> int:
    """A new channel, switched on; its id. Raises `SealError`, and IntegrityError for a name that is taken."""
    row: dict[str, object] = {"name": name, "kind": kind, "language": language, "account_id": account_id}
    row |= {"is_own": account_id is not None, "changed_at": now}
    key = conn.execute(insert(t.channel).values(**row)).inserted_primary_key
    assert key is not None  # a row was inserted
    set_address(conn, int(key[0]), kind, text, now)
    return int(key[0])


def set_address(conn: Connection, channel_id: int, kind: str, text: str, now: float) -> None:
    """Another address in place of the one before. Raises `SealError`."""
    secret = sealed.keys(conn).seal(sealed.CHANNEL.purpose(channel_id), text.encode())
    fresh = {"worked_at": None, "failed_at": None, "error": ""}
    change = update(t.channel).where(_c.id == channel_id)
    conn.execute(change.values(address=secret, kind=kind, changed_at=now, **fresh))


def switch(conn: Connection, channel_id: int, now: float, *, is_on: bool) -> None:
    """On or off; off, what waits for it is not sent any more."""
    conn.execute(update(t.channel).where(_c.id == channel_id).values(is_on=is_on, changed_at=now))
    if not is_on:
        drop_waiting(conn, f"channel:{channel_id}", "the channel was switched off")


def remove(conn: Connection, channel_id: int) -> bool:
    """Takes a channel away, and out of the duty list; whether there was one."""
    for_good(conn)
    key = f"channel:{channel_id}"
    drop_waiting(conn, key, "the channel was taken away")
    for row in conn.execute(select(t.duty.c.id, t.duty.c.channels)).all():
        if key in row.channels:
            left = [one for one in row.channels if one != key]
            conn.execute(update(t.duty).where(t.duty.c.id == row.id).values(channels=left))
    return conn.execute(delete(t.channel).where(_c.id == channel_id)).rowcount > 0


def noted(conn: Connection, key: str, error: str, now: float) -> None:
    """How the last attempt went; the file's channels are not kept here."""
    kind, _, number = key.partition(":")
    if kind != "channel" or not number.isdigit():
        return
    values = {"failed_at": now, "error": error} if error else {"worked_at": now, "error": ""}
    conn.execute(update(t.channel).where(_c.id == int(number)).values(**values))


def drop_waiting(conn: Connection, key: str, why: str) -> None:
    """What waits for a channel that is no more is given up, and says so."""
    n, d = t.notification, t.delivery
    over = {"due_at": None, "error": why}
    conn.execute(update(n).where(n.c.channel == key, n.c.due_at.is_not(None)).values(**over))
    conn.execute(update(d).where(d.c.channel == key, d.c.due_at.is_not(None)).values(**over))


def give_up_stale(conn: Connection, before: float) -> int:
    """What has waited since `before` for a channel that is off, or whose person may not log in; how many.

    A person who is let in again months later is not told of what was then.
    """
    there = usable(conn)
    count = 0
    for table in (t.notification, t.delivery):
        c = table.c
        is_stale = c.due_at < before, c.channel.startswith("channel:"), c.channel.not_in(there)
        over = update(table).where(*is_stale).values(due_at=None, error="the channel was switched off")
        count += conn.execute(over).rowcount
    return count
