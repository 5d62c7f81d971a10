"""What a device proves itself with: the key of its frames, and the hash of its password at the broker."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, func, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.arrays import among
from schoolwatch_server.database.registry import within
from schoolwatch_server.database.roles import GATEWAY
from schoolwatch_server.database.sealed import FRAME_KEY, NEXT_KEY
from schoolwatch_server.database.sealed import keys as master_keys
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.scope import Scope
from schoolwatch_server.sealing import AlteredError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Credential:
    """The key that a device's frames are made with; `revoked` ones prove nothing any more.

    The frames of a `pending` device are not taken yet.
    """

    device_id: int
    frame_key: bytes = field(repr=False)
    revoked: bool
    pending: bool = False


def set_credential(
    conn: Connection, device_id: int, frame_key: bytes, password_hash: str, now: float
) -> None:
    """Gives a device its credential, in place of any earlier one; the hash is in mosquitto's format.

    The key is kept sealed. Raises `SealError`.
    """
    key = master_keys(conn).seal(FRAME_KEY.purpose(device_id), frame_key)
    row = {"device_id": device_id, "frame_key": key, "password_hash": password_hash}
    upsert(conn, t.credential, [{**row, "changed_at": now, "revoked_at": None, **_NOTHING_OFFERED}])


def revoke(conn: Connection, device_id: int, now: float) -> None:
    """The device's credential proves nothing from `now` on."""
    c = t.credential
    conn.execute(update(c).where(c.c.device_id == device_id).values(revoked_at=now, changed_at=now))


def find(conn: Connection, devices: Collection[str]) -> dict[str, Credential]:
    """The credentials of these devices, by the device's opaque id; a device without one is left out.

    So is one whose sealed key was altered: it proves nothing. Raises `SealError` without the master key.
    """
    c = t.credential.c
    d = t.device.c
    query = select(d.device, c.device_id, c.frame_key, c.revoked_at, d.pending_since).join_from(
        t.credential, t.device
    )
    keys, found = master_keys(conn), {}
    for device, id_, key, revoked, pending in conn.execute(query.where(among(conn, d.device, devices))):
        try:
            plain = keys.unseal(FRAME_KEY.purpose(id_), key)
            found[device] = Credential(id_, plain, revoked is not None, pending is not None)
        except AlteredError as error:
            log.error("device %s: %s", device, error)  # noqa: TRY400  what was altered is not the code
    return found


def passwords(conn: Connection) -> dict[str, str]:
    """Device → password hash, of every device that is let in and not revoked: what a broker lets in."""
    c, d = t.credential.c, t.device.c
    query = select(d.device, c.password_hash).join_from(t.credential, t.device)
    rows = conn.execute(query.where(c.revoked_at.is_(None), d.pending_since.is_(None)))
    return {row.device: row.password_hash for row in rows}


def gateways(conn: Connection) -> frozenset[str]:
    """The devices that may pass on what others report, at a broker that lets them in."""
    d, c = t.device.c, t.credential.c
    query = select(d.device).join_from(t.credential, t.device)
    return frozenset(conn.scalars(query.where(d.role == GATEWAY, c.revoked_at.is_(None))))


def standing(conn: Connection) -> tuple[object, ...]:
    """Differs whenever `passwords` or `gateways` may give something else, also after a clock was set back."""
    d, c = t.device.c, t.credential.c
    changes = (func.count(c.revoked_at), func.max(c.changed_at), func.sum(c.changed_at))
    credentials = select(func.count(), *changes, func.count(d.pending_since)).join_from(
        t.credential, t.device
    )
    gateway = select(func.count(), func.sum(d.id)).where(d.role == GATEWAY)
    return (*conn.execute(credentials).one(), *conn.execute(gateway).one())


_NOTHING_OFFERED = {"rotate_at": None, "next_key": None, "next_hash": None, "next_at": None}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A device whose credential is to be renewed since `since`; `offered_at` is when it last asked for it.

    `freezing` is the software that puts its disk back, as far as it told.
    """

    device: str
    label: str
    school: str
    since: float
    offered_at: float | None
    freezing: str | None


def order_renewal(conn: Connection, device_ids: Collection[int], now: float) -> None:
    """These credentials are to be renewed; whose renewal is on its way begins anew."""
    c = t.credential
    which = c.c.device_id == bindparam("of")
    rows = [{"of": device_id} for device_id in device_ids]
    if rows:
        conn.execute(update(c).where(which).values(**{**_NOTHING_OFFERED, "rotate_at": now}), rows)


def offer(conn: Connection, device_id: int, frame_key: bytes, password_hash: str, now: float) -> bool:
    """Keeps a new credential beside the one that holds; False when nobody ordered one. Raises `SealError`."""
    c = t.credential
    key = master_keys(conn).seal(NEXT_KEY.purpose(device_id), frame_key)
    wanted = (c.c.device_id == device_id) & c.c.rotate_at.is_not(None)
    done = conn.execute(update(c).where(wanted).values(next_key=key, next_hash=password_hash, next_at=now))
    return bool(done.rowcount)


def offered_key(conn: Connection, device_id: int) -> bytes | None:
    """The key that the device was offered and has not taken up. Raises `SealError`."""
    c = t.credential.c
    sealed = conn.scalar(select(c.next_key).where(c.device_id == device_id))
    return None if sealed is None else master_keys(conn).unseal(NEXT_KEY.purpose(device_id), sealed)


def take_up(conn: Connection, device_id: int, now: float) -> None:
    """What was offered takes the place of what held. Raises `SealError`."""
    key, c = offered_key(conn, device_id), t.credential
    hashed = conn.scalar(select(c.c.next_hash).where(c.c.device_id == device_id))
    if key is not None and hashed is not None:
        set_credential(conn, device_id, key, hashed, now)


def waiting_renewal(conn: Connection, scope: Scope) -> tuple[WaitingRow, ...]:
    """The devices of a scope whose credential is still to be renewed, by school and label."""
    c, d, m, f = t.credential.c, t.device.c, t.membership, t.fact_history.c
    freezing = (
        select(f.value)
        .where(f.device_id == d.id, f.name == "identity.freezing", f.valid_to.is_(None))
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(d.device, d.label, t.school.c.name, c.rotate_at, c.next_at, freezing)
        .join_from(t.credential, t.device)
        .join(m, (m.c.device_id == d.id) & m.c.valid_to.is_(None))
        .join(t.school, t.school.c.id == m.c.school_id)
        .where(c.rotate_at.is_not(None), c.revoked_at.is_(None), within(scope))
        .order_by(t.school.c.name, d.label, d.id)
    )
    return tuple(WaitingRow(*row) for row in conn.execute(query))
