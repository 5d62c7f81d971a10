"""What was seen of a device, newest first."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from schoolwatch_server.database import tables as t


@dataclass(frozen=True, slots=True)
class SightingRow:
    """One sighting; `seen_at` is UTC seconds on the server's clock."""

    kind: str
    subject: str
    detail: dict[str, str]
    seen_at: float


def of_device(
    conn: Connection, device_id: int, kinds: tuple[str, ...], limit: int
) -> tuple[SightingRow, ...]:
    """The newest sightings of these kinds."""
    s = t.sighting.c
    query = (
        select(s.kind, s.subject, s.detail, s.seen_at)
        .where(s.device_id == device_id, s.kind.in_(kinds))
        .order_by(s.seen_at.desc(), s.id.desc())
        .limit(limit)
    )
    return tuple(SightingRow(*row) for row in conn.execute(query))
