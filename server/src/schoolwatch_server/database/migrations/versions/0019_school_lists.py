"""Campuses, classes, line contracts, assets, contacts, hand checks, what a room has, who manages a school."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NO, _YES = sa.text("false"), sa.text("true")

_SCHOOL: tuple[sa.Column[Any], ...] = (
    sa.Column("manager", sa.String(2), server_default="", nullable=False),
    sa.Column("is_specialised", sa.Boolean(), server_default=_NO, nullable=False),
    sa.Column("is_boarding", sa.Boolean(), server_default=_NO, nullable=False),
    sa.Column("is_public", sa.Boolean(), server_default=_YES, nullable=False),
    sa.Column("former_place", sa.Text(), server_default="", nullable=False),
)
_ROOM: tuple[sa.Column[Any], ...] = (
    sa.Column("in_use", sa.Boolean(), server_default=_YES, nullable=False),
    sa.Column("projection", sa.String(20), server_default="", nullable=False),
    sa.Column("projection_ok", sa.Boolean(), nullable=True),
    sa.Column("internet_by_hand_at", sa.Double(), nullable=True),
)


def upgrade() -> None:
    """The lists are empty; a room that is there is in use; a school that is there is public."""
    _table("campus", _to_school(), sa.Column("name", sa.Text(), nullable=False), unique="school_id name")
    _campus_of_room()
    for table, columns in (("school", _SCHOOL), ("room", _ROOM)):
        for column in columns:
            op.add_column(table, column)
    _table(
        "school_class",
        _to_school(),
        sa.Column("school_year", sa.String(9), nullable=False),
        sa.Column("year_ends", sa.Double(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(4), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("group_students", sa.Integer(), nullable=True),
        sa.Column("room_id", _ID, nullable=True),
        unique="school_id school_year name",
        room_id="room",
    )
    _table(
        "line_contract",
        _to_school(),
        sa.Column("isp", sa.String(80), nullable=False),
        sa.Column("technology", sa.String(20), server_default="", nullable=False),
        sa.Column("download_mbps", sa.Double(), nullable=True),
        sa.Column("upload_mbps", sa.Double(), nullable=True),
        sa.Column("subscriber", sa.String(80), server_default="", nullable=False),
        sa.Column("hotline", sa.String(40), server_default="", nullable=False),
        sa.Column("starts", sa.Double(), nullable=True),
        sa.Column("ends", sa.Double(), nullable=True),
        unique="school_id isp subscriber",
    )
    _table(
        "asset",
        _to_school(),
        sa.Column("tag", sa.String(80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(20), server_default="", nullable=False),
        sa.Column("room_id", _ID, nullable=True),
        sa.Column("purpose", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(20), server_default="", nullable=False),
        sa.Column("has_serial", sa.Boolean(), nullable=True),
        sa.Column("support_ends", sa.Double(), nullable=True),
        sa.Column("responsible", sa.Text(), server_default="", nullable=False),
        sa.Column("device_id", _ID, nullable=True),
        unique="school_id tag",
        room_id="room",
        device_id="device",
    )
    _table(
        "contact",
        _to_school(),
        sa.Column("kind", sa.String(20), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=True) for name in ("name", "phone", "email")),
        sa.Column("changed_at", sa.Double(), nullable=False),
        unique="school_id kind",
    )
    _table(
        "hand_check",
        sa.Column("room_id", _ID, nullable=False),
        sa.Column("computers_working", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.Double(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        unique="room_id checked_at",
        room_id="room",
    )
    for name, key in (("school_class", "room_id"), ("asset", "room_id"), ("asset", "device_id")):
        op.create_index(f"ix_{name}_{key}", name, [key])


def _to_school() -> sa.Column[Any]:
    return sa.Column("school_id", _ID, nullable=False)


def _table(name: str, *columns: sa.Column[Any], unique: str, **to: str) -> None:
    if any(column.name == "school_id" for column in columns):
        to["school_id"] = "school"
    keys = (
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{name}_{column}_{parent}"))
        for column, parent in to.items()
    )
    once = unique.split()
    op.create_table(
        name,
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *columns,
        *keys,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint(*once, name=op.f(f"uq_{name}_{'_'.join(once)}")),
    )


def _campus_of_room() -> None:
    """SQLite takes a foreign key only together with its column."""
    key = "CONSTRAINT fk_room_campus_id_campus REFERENCES campus (id)"
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE room ADD COLUMN campus_id {kind} {key}")
    op.create_index("ix_room_campus_id", "room", ["campus_id"])
