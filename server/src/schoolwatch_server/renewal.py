"""Keys and passwords of devices are renewed: ordered by a person, offered to the device, ended once proved.

Nothing ends by itself: a computer that is off is told when it comes back, and one that forgets at each start
keeps what it has until it is thawed (see schoolwatch_contract.renewal).
"""

import secrets
from collections.abc import Collection

from sqlalchemy import Engine

from schoolwatch_contract.renewal import Offered
from schoolwatch_server.broker.passwords import hash_password, new_password
from schoolwatch_server.database import credentials, people, registry, told
from schoolwatch_server.database.credentials import WaitingRow
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.scope import Scope


def order(
    engine: Engine, scope: Scope, devices: Collection[str] | None, *, by: str, now: float
) -> tuple[str, ...]:
    """Has the credentials of these devices of a scope renewed (None: of all); which they are.

    Raises `RegistryError` for a device that the scope does not see.
    """
    with begin_write(engine) as conn:
        there = {row.device: row.id for row in registry.devices(conn, scope)}
        chosen = there if devices is None else {name: there.get(name, 0) for name in devices}
        strange = [name for name, id_ in chosen.items() if not id_]
        if strange:
            raise RegistryError(f"there is no device {strange[0][:40]!r}")
        credentials.order_renewal(conn, chosen.values(), now)
        told.mark(conn, chosen.values())
        for name in chosen:
            people.record(conn, actor=by, action="device.rotate", subject=name, detail={}, now=now)
    return tuple(chosen)


def offer(engine: Engine, device: str, *, now: float) -> Offered | None:
    """A new key and password beside those that hold; None when nobody ordered that."""
    key, password = secrets.token_bytes(32), new_password()
    hashed = hash_password(password)
    with begin_write(engine) as conn:
        device_id = credentials.find(conn, [device])[device].device_id
        if not credentials.offer(conn, device_id, key, hashed, now):
            return None
    return Offered(key.hex(), password, now)


def take_up(engine: Engine, device: str, *, now: float, is_proved: bool) -> bool:
    """The offered ones hold alone from now on, when the device has proved them (or had done so before)."""
    with begin_write(engine) as conn:
        device_id = credentials.find(conn, [device])[device].device_id
        if not is_proved:
            return credentials.offered_key(conn, device_id) is None
        credentials.take_up(conn, device_id, now)
        told.mark(conn, [device_id])
        people.record(
            conn, actor=f"device {device}", action="device.rotated", subject=device, detail={}, now=now
        )
    return True


def waiting(engine: Engine, scope: Scope) -> tuple[WaitingRow, ...]:
    """The devices whose credential is still to be renewed."""
    with begin_read(engine) as conn:
        return credentials.waiting_renewal(conn, scope)
