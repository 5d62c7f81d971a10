"""Channels that accounts set up for themselves: kept, confirmed by a code, and as shifts of their scope."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, func, or_, select, update

from schoolwatch_server.database import channel_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.channel_rows import ChannelRow
from schoolwatch_server.duty.shift import NIGHT, Shift, Where
from schoolwatch_server.scope import Scope

_c, _a = t.channel.c, t.account.c


def of_account(conn: Connection, account_id: int) -> tuple[ChannelRow, ...]:
    """Those of an account, by name."""
    mine = set(conn.scalars(select(_c.id).where(_c.account_id == account_id, _c.least.is_not(None))))
    return tuple(row for row in channel_rows.listed(conn, mine))


def count(conn: Connection) -> int:
    """How many there are of all accounts."""
    return conn.scalar(select(func.count()).where(_c.least.is_not(None))) or 0


def set_wish(conn: Connection, channel_id: int, least: str, now: float, *, is_quiet: bool) -> None:
    """From which severity on it is told, and whether low and medium ones wait at night."""
    values = {"least": least, "is_quiet": is_quiet, "changed_at": now}
    conn.execute(update(t.channel).where(_c.id == channel_id).values(**values))


def set_code(conn: Connection, channel_id: int, digest: str, until: float) -> None:
    """A new code was made; the one before is void."""
    values = {"code": digest, "code_until": until, "code_tries": 0}
    conn.execute(update(t.channel).where(_c.id == channel_id).values(**values))


def confirm(conn: Connection, channel_id: int, digest: str, now: float, tries: int) -> bool:
    """Whether it is the code that was sent, in time and within so many tries; then it is void."""
    count_up = update(t.channel).where(_c.id == channel_id, _c.code_tries < tries, _c.code_until > now)
    if conn.execute(count_up.values(code_tries=_c.code_tries + 1)).rowcount != 1:
        return False
    right = update(t.channel).where(_c.id == channel_id, _c.code == digest, _c.code != "")
    return conn.execute(right.values(confirmed_at=now, code="", code_until=None)).rowcount == 1


def sent_since(conn: Connection, actor: str, since: float) -> int:
    """Codes and test messages that an account had sent to addresses of its own."""
    log = t.audit.c
    actions = ("own_channel.code", "own_channel.test")
    query = select(func.count()).where(log.at > since, log.actor == actor, log.action.in_(actions))
    return conn.scalar(query) or 0


def shifts(conn: Connection, where: Where) -> tuple[Shift, ...]:
    """What is to be told of an incident there to those who wished it: like a duty that never ends."""
    places = {"province": where.province_id, "commune": where.commune_id, "school": where.school_id}
    inside = [
        and_(_a.scope_level == level, _a.scope_id == id_) for level, id_ in places.items() if id_ is not None
    ]
    query = (
        select(_c.id, _c.name, _c.least, _c.is_quiet, _a.scope_level, _a.scope_id)
        .join(t.account, _a.id == _c.account_id)
        .where(
            _c.least.is_not(None),
            _c.is_on,
            _c.confirmed_at.is_not(None),
            _a.disabled_at.is_(None),
            or_(_a.scope_level == "all", *inside),
        )
        .order_by(_c.id)
    )
    return tuple(
        Shift(
            id=0,
            name=row.name,
            scope=Scope(row.scope_level, row.scope_id),
            least=row.least,
            weekdays=frozenset(range(7)),
            starts=0,
            ends=0,
            channels=(f"channel:{row.id}",),
            quiet=NIGHT if row.is_quiet else None,
        )
        for row in conn.execute(query)
    )


def apart(conn: Connection) -> frozenset[str]:
    """Those that are not on duty: who set one up sees on the own page whether it works."""
    on_duty = {channel for channels in conn.scalars(select(t.duty.c.channels)) for channel in channels}
    made = conn.scalars(select(_c.id).where(_c.least.is_not(None)))
    return frozenset(f"channel:{id_}" for id_ in made) - on_duty


def elsewhere(conn: Connection, told: Collection[str], own: Collection[Shift]) -> set[str]:
    """Those of these channels that an account set up and that are not told of this place (any more)."""
    made = {f"channel:{id_}" for id_ in conn.scalars(select(_c.id).where(_c.least.is_not(None)))}
    return {channel for channel in told if channel in made} - {shift.channels[0] for shift in own}
