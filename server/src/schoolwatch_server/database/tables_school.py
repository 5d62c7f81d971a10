"""What a school's lists hold: campuses, classes, line contracts, assets, contacts and hand checks of rooms.

A day is kept as an instant in UTC seconds: the first day of something as its beginning, the last day as its
end, both at local time, so that `starts <= now < ends` says whether it holds.
"""

from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from schoolwatch_server.database.columns import id_, metadata, to

campus = Table(
    "campus",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("name", Text, nullable=False),
    UniqueConstraint("school_id", "name"),
)
school_class = Table(
    "school_class",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("school_year", String(9), nullable=False),  # 2026-2027
    Column("year_ends", Double, nullable=False),
    Column("name", Text, nullable=False),
    Column("stage", String(4), nullable=False),
    Column("grade", Integer),
    Column("students", Integer, nullable=False),
    Column("group_students", Integer),  # the largest group taught at once, where the class is split
    to("room.id", "room_id", nullable=True, index=True),  # the lab that it uses
    UniqueConstraint("school_id", "school_year", "name"),
)
line_contract = Table(
    "line_contract",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("isp", String(80), nullable=False),
    Column("technology", String(20), nullable=False, server_default=""),
    Column("download_mbps", Double),
    Column("upload_mbps", Double),
    Column("subscriber", String(80), nullable=False, server_default=""),
    Column("hotline", String(40), nullable=False, server_default=""),
    Column("starts", Double),
    Column("ends", Double),
    UniqueConstraint("school_id", "isp", "subscriber"),
)
asset = Table(
    "asset",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("tag", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(20), nullable=False, server_default=""),
    to("room.id", "room_id", nullable=True, index=True),
    Column("purpose", Text, nullable=False, server_default=""),
    Column("status", String(20), nullable=False, server_default=""),
    Column("has_serial", Boolean),
    Column("support_ends", Double),
    Column("responsible", Text, nullable=False, server_default=""),  # a function, not a person's name
    to("device.id", "device_id", nullable=True, index=True),
    UniqueConstraint("school_id", "tag"),
)
contact = Table(  # what it says of a person is sealed: see `sealed.SEALED`
    "contact",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("kind", String(20), nullable=False),
    Column("name", LargeBinary),
    Column("phone", LargeBinary),
    Column("email", LargeBinary),
    Column("changed_at", Double, nullable=False),
    UniqueConstraint("school_id", "kind"),
)
hand_check = Table(
    "hand_check",
    metadata,
    id_(),
    to("room.id", "room_id"),
    Column("computers_working", Integer, nullable=False),
    Column("checked_at", Double, nullable=False),
    Column("checked_by", Text, nullable=False),
    UniqueConstraint("room_id", "checked_at"),
)
