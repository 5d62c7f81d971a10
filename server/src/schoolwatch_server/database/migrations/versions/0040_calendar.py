"""Hours and days of schools, planned work, and the days on which devices were heard."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing is set yet: the hours and holidays of the packs hold."""
    op.create_table(
        "school_hours",
        sa.Column("school_id", _Id, autoincrement=False),
        sa.Column("morning", sa.String(11), nullable=False),
        sa.Column("afternoon", sa.String(11), nullable=False),
        sa.Column("days", sa.String(7), nullable=False),
        sa.Column("mornings_only", sa.String(7), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_school_hours")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_school_hours_school_id_school")),
    )
    op.create_table(
        "set_day",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("place_id", _Id, nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("last", sa.String(10), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_day")),
    )
    op.create_index("ix_set_day_last", "set_day", ["last"])
    op.create_table(
        "maintenance",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("place_id", _Id, nullable=False),
        sa.Column("rule", sa.String(60), nullable=False, server_default=""),
        sa.Column("starts", sa.Double(), nullable=False),
        sa.Column("ends", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_index("ix_maintenance_ends", "maintenance", ["ends"])
    op.create_table(
        "hearing",
        sa.Column("device_id", _Id, autoincrement=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("carried_at", sa.Double()),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_hearing")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_hearing_device_id_device")),
    )
