"""Enrolment: tokens, how each device came and what it told of itself then, and devices that forget."""

from sqlalchemy import JSON, Column, Double, ForeignKey, Integer, String, Table

from schoolwatch_server.database.columns import Id, id_, metadata, to

enrolment_token = Table(
    "enrolment_token",
    metadata,
    id_(),
    Column("hash", String(64), nullable=False, unique=True),
    to("school.id", "school_id"),
    to("room.id", "room_id", nullable=True),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("revoked_at", Double),
    Column("admits", String(10), nullable=False, server_default="at_once"),
    Column("sign", String(8), nullable=False, server_default=""),  # its end, by which a sheet is recognised
)
frozen_device = Table(  # one whose disk is put back at each start: it is found again by its hardware
    "frozen_device",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("hints", JSON, nullable=False),
    Column("enrolled_at", Double, nullable=False),
)
arrival = Table(
    "arrival",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    to("school.id", "school_id", index=True),
    to("room.id", "room_id", nullable=True),
    Column("token_id", Id, nullable=False),  # which is forgotten in time
    Column("asked_at", Double, nullable=False),
    Column("hints", JSON, nullable=False),
    Column("about", JSON, nullable=False),
    to("device.id", "resembles_id", nullable=True),
)
