"""A device's own record, and how it goes on: retired, brought back, taken over."""

from sqlalchemy import Connection, insert, select, update

from schoolwatch_server.database import registry, told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.database.roles import GATEWAY
from schoolwatch_server.scope import Scope


def is_revoked(conn: Connection, device_id: int) -> bool:
    """Whether what the device was given proves nothing any more."""
    c = t.credential.c
    return conn.scalar(select(c.revoked_at).where(c.device_id == device_id)) is not None


def retired(conn: Connection, device: str, scope: Scope) -> int | None:
    """The id of a retired device whose last school lies in the scope, and of which there still is a key."""
    d, m = t.device.c, t.membership.c
    last = (
        select(m.school_id)
        .where(m.device_id == d.id)
        .order_by(m.valid_from.desc(), m.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(d.id).join_from(t.device, t.school, t.school.c.id == last).join(t.credential)
    return conn.scalar(query.where(d.device == device, d.retired_at.is_not(None), registry.within(scope)))


def restore(conn: Connection, device_id: int, now: float) -> None:
    """A retired device is where it was last, and its credential holds again if it held when it was retired.

    Raises `RegistryError` for one that is not retired, or never was in a school.
    """
    d, m, c = t.device, t.membership, t.credential
    retired_at = conn.scalar(select(d.c.retired_at).where(d.c.id == device_id))
    last = conn.execute(
        select(m.c.school_id, m.c.room_id)
        .where(m.c.device_id == device_id)
        .order_by(m.c.valid_from.desc(), m.c.id.desc())
        .limit(1)
    ).first()
    if retired_at is None or last is None:
        raise RegistryError("the device is not retired")
    conn.execute(update(d).where(d.c.id == device_id).values(retired_at=None, kept_at=now))
    row = {"device_id": device_id, "school_id": last.school_id, "room_id": last.room_id}
    conn.execute(insert(m).values(valid_from=now, **row))
    still = (c.c.device_id == device_id) & (c.c.revoked_at == retired_at)
    conn.execute(update(c).where(still).values(revoked_at=None, changed_at=now))
    told.mark(conn, [device_id])


def keep(conn: Connection, device_id: int, now: float) -> None:
    """Somebody says that the device is no ghost."""
    conn.execute(update(t.device).where(t.device.c.id == device_id).values(kept_at=now))


def take_over(conn: Connection, new: registry.DeviceRow, old: registry.DeviceRow, now: float) -> None:
    """The new device stands in the old one's place, under its label and asset tag; the old one is retired.

    What the old one measured stays its own. Raises `RegistryError` for two of different schools.
    """
    if new.id == old.id or new.school_id != old.school_id:
        raise RegistryError("a device is replaced by another one of the same school")
    d, m = t.device, t.membership
    was = conn.execute(select(d.c.role, d.c.asset_tag).where(d.c.id == old.id)).one()
    here = (m.c.device_id == old.id) & m.c.valid_to.is_(None)
    room_id = conn.scalar(select(m.c.room_id).where(here))
    tested = told.line_tester(conn, old.school_id) == old.id
    values = {"label": old.label, "role": was.role, "asset_tag": was.asset_tag, "replaces_id": old.id}
    conn.execute(update(d).where(d.c.id == new.id).values(broken=False, **values))
    registry.move_device(conn, new.id, old.school_id, room_id, now)
    registry.retire_device(conn, old.id, now)
    if tested:
        told.set_line_tester(conn, old.school_id, new.id)
    told.mark(conn, [new.id])


def no_gateway(conn: Connection, device_id: int) -> bool:
    """The device may no longer pass on what others report; False when it could not."""
    d = t.device.c
    held = update(t.device).where(d.id == device_id, d.role == GATEWAY).values(role=None)
    if not conn.execute(held).rowcount:
        return False
    told.mark(conn, [device_id])
    return True


def own_role(conn: Connection, device_id: int) -> str | None:
    """The role that overrides the room's, if the device has one."""
    return conn.scalar(select(t.device.c.role).where(t.device.c.id == device_id))


def set_asset_tag(conn: Connection, device_id: int, tag: str) -> None:
    """The number under which the school keeps the device in its books; it is that asset from then on."""
    conn.execute(update(t.device).where(t.device.c.id == device_id).values(asset_tag=tag))
    a, m = t.asset.c, t.membership.c
    conn.execute(update(t.asset).where(a.device_id == device_id, a.tag != tag).values(device_id=None))
    here = select(m.school_id).where(m.device_id == device_id, m.valid_to.is_(None)).scalar_subquery()
    conn.execute(update(t.asset).where(a.school_id == here, a.tag == tag).values(device_id=device_id))


def asset_tag(conn: Connection, device_id: int) -> str:
    """The number of the school's books; empty when nobody wrote it down."""
    return str(conn.scalar(select(t.device.c.asset_tag).where(t.device.c.id == device_id)) or "")


def replaced(conn: Connection, device_id: int) -> tuple[str, str] | None:
    """Id and label of the device that this one replaces."""
    old = t.device.alias("old")
    query = (
        select(old.c.device, old.c.label)
        .join_from(t.device, old, old.c.id == t.device.c.replaces_id)
        .where(t.device.c.id == device_id)
    )
    row = conn.execute(query).first()
    return None if row is None else (row.device, row.label)
