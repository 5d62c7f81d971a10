"""Devices wait for approval, tokens say whom they let in, credentials are renewed, devices replace others."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_TO = (
    ("device_id", "device"),
    ("school_id", "school"),
    ("room_id", "room"),
    ("resembles_id", "device"),
)
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Devices that are there were let in; tokens that are there go on letting in at once."""
    op.create_table(
        "arrival",
        sa.Column("device_id", _ID, autoincrement=False, nullable=False),
        sa.Column("school_id", _ID, nullable=False),
        sa.Column("room_id", _ID, nullable=True),
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("hints", sa.JSON(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("resembles_id", _ID, nullable=True),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_arrival_{column}_{table}"))
            for column, table in _TO
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_arrival")),
    )
    op.create_index("ix_arrival_school_id", "arrival", ["school_id"])
    op.add_column("device", sa.Column("pending_since", sa.Double(), nullable=True))
    op.create_index("ix_device_pending_since", "device", ["pending_since"])
    op.add_column("device", sa.Column("asset_tag", sa.Text(), server_default="", nullable=False))
    op.add_column("device", sa.Column("replaces_id", _ID, nullable=True))
    op.add_column("device", sa.Column("kept_at", sa.Double(), nullable=True))
    op.add_column("room", sa.Column("declared", sa.Integer(), nullable=True))
    admits = sa.Column("admits", sa.String(10), server_default="at_once", nullable=False)
    op.add_column("enrolment_token", admits)
    op.add_column("enrolment_token", sa.Column("sign", sa.String(8), server_default="", nullable=False))
    op.add_column("credential", sa.Column("rotate_at", sa.Double(), nullable=True))
    op.add_column("credential", sa.Column("next_key", sa.LargeBinary(), nullable=True))
    op.add_column("credential", sa.Column("next_hash", sa.Text(), nullable=True))
    op.add_column("credential", sa.Column("next_at", sa.Double(), nullable=True))
