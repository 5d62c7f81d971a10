"""What the database says of the server's own condition, for the dossier of its level."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import channel_rows
from schoolwatch_server.database import tables as t


@dataclass(frozen=True, slots=True)
class Standing:
    """Counts now; `audit_since` is the instant of the oldest line of the audit log, UTC seconds.

    `accounts` can log in, by role; `second_factor` are those of them that have one. `channels` are those of
    the console that are told of incidents.
    """

    devices: int
    accounts: dict[str, int]
    second_factor: dict[str, int]
    disabled: int
    channels: int
    audit_lines: int
    audit_since: float | None


def standing(conn: Connection) -> Standing:
    """Devices in use, accounts that can log in by role, and how far back the audit log goes."""
    a, d = t.account.c, t.device.c
    by_role = select(a.role, func.count()).where(a.disabled_at.is_(None)).group_by(a.role).order_by(a.role)
    with_one = by_role.where(a.totp.is_not(None))
    lines, since = conn.execute(select(func.count(), func.min(t.audit.c.at)).select_from(t.audit)).one()
    return Standing(
        devices=_count(conn.scalar(select(func.count()).where(d.retired_at.is_(None)))),
        accounts={role: int(count) for role, count in conn.execute(by_role)},
        second_factor={role: int(count) for role, count in conn.execute(with_one)},
        disabled=_count(conn.scalar(select(func.count()).where(a.disabled_at.is_not(None)))),
        channels=len(channel_rows.usable(conn)),
        audit_lines=int(lines),
        audit_since=since,
    )


def _count(found: int | None) -> int:
    return found or 0
