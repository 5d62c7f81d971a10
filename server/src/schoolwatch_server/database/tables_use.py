"""The use of a room in a week, summed once and never changed; and what it is summed from, for a while."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, LargeBinary, Table, UniqueConstraint

from schoolwatch_server.database.columns import Id, id_, metadata, to
from schoolwatch_server.use import QUANTITIES


def _sums() -> list[Column[int] | Column[float]]:
    return [
        column
        for quantity in QUANTITIES
        for column in (
            Column(f"{quantity}_devices", Integer, nullable=False),  # that told it
            Column(f"{quantity}_device_days", Integer, nullable=False),
            Column(f"{quantity}_total", Double),  # none where it would be one computer's
        )
    ]


room_use = Table(
    "room_use",
    metadata,
    id_(),
    to("room.id", "room_id"),
    Column("week", BigInteger, nullable=False),  # its first instant
    Column("days", Integer, nullable=False),  # on which somebody told
    *_sums(),
    UniqueConstraint("room_id", "week"),
)
use_rollup = Table(  # as `rollup`, of the series that are shown of rooms alone
    "use_rollup",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
