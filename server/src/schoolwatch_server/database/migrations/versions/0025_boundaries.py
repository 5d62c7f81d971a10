"""Boundaries of communes, as maps draw them, with their source."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """There is no map until somebody hands one in."""
    op.create_table(
        "boundary_map",
        sa.Column("id", _Id, autoincrement=True),
        sa.Column("province_id", _Id, nullable=False),
        sa.Column("file", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.Double(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary_map")),
        sa.ForeignKeyConstraint(
            ["province_id"], ["province.id"], name=op.f("fk_boundary_map_province_id_province")
        ),
        sa.UniqueConstraint("province_id", name=op.f("uq_boundary_map_province_id")),
    )
    op.create_table(
        "boundary_shape",
        sa.Column("commune_id", _Id, autoincrement=False),
        sa.Column("map_id", _Id, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("commune_id", name=op.f("pk_boundary_shape")),
        sa.ForeignKeyConstraint(
            ["commune_id"], ["commune.id"], name=op.f("fk_boundary_shape_commune_id_commune")
        ),
        sa.ForeignKeyConstraint(
            ["map_id"], ["boundary_map.id"], name=op.f("fk_boundary_shape_map_id_boundary_map")
        ),
    )
    op.create_index(op.f("ix_boundary_shape_map_id"), "boundary_shape", ["map_id"])
