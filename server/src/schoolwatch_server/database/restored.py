"""Notices that the database went back in time: the broker still holds acks of what it no longer knows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from schoolwatch_contract.ack import Ack
from schoolwatch_server.database import marks
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import epoch

_STEP = 500


def went_back(conn: Connection, acks: Mapping[str, Ack]) -> str | None:
    """The first device that was told, in this epoch, of more than the database now knows; None is all well.

    An ack is published only after its commit is on disk, so this never happens to a database that was
    not restored from an older copy. Acks of another epoch say nothing.
    """
    now = epoch(conn)
    told = [device for device, ack in sorted(acks.items()) if ack.epoch == now and ack.spools]
    for start in range(0, len(told), _STEP):
        part = told[start : start + _STEP]
        known = _marks(conn, part)
        for device in part:
            held = known.get(device, {})
            if any(upto > held.get(spool, 0) for spool, upto in acks[device].spools.items()):
                return device
    return None


def acks_now(conn: Connection, devices: Sequence[str]) -> dict[str, Ack]:
    """What is to be told to these devices now; those that aren't enrolled are left out."""
    now = epoch(conn)
    told: dict[str, Ack] = {}
    for start in range(0, len(devices), _STEP):
        query = select(t.device.c.id, t.device.c.device)
        found = conn.execute(query.where(t.device.c.device.in_(devices[start : start + _STEP])))
        names = {row.id: row.device for row in found}
        told |= {names[id_]: ack for id_, ack in marks.acks(conn, now, names).items()}
    return told


def _marks(conn: Connection, devices: list[str]) -> dict[str, dict[str, int]]:
    g = t.generation.c
    query = select(t.device.c.device, g.spool, g.upto).join_from(t.generation, t.device)
    found: dict[str, dict[str, int]] = {}
    for device, spool, upto in conn.execute(query.where(t.device.c.device.in_(devices))):
        found.setdefault(device, {})[spool] = upto
    return found
