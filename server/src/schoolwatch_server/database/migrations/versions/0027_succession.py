"""What schools and communes became part of, and what communes were called."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Empty: of earlier mergers the audit log alone knows."""
    op.create_table(
        "merged_school",
        sa.Column("school_id", _Id, autoincrement=False, nullable=False),
        sa.Column("into_id", _Id, nullable=False),
        sa.Column("merged_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_merged_school")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_merged_school_school_id_school")),
        sa.ForeignKeyConstraint(["into_id"], ["school.id"], name=op.f("fk_merged_school_into_id_school")),
    )
    op.create_index(op.f("ix_merged_school_into_id"), "merged_school", ["into_id"])
    op.create_table(
        "former_commune",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("commune_id", _Id, nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_commune")),
        sa.ForeignKeyConstraint(
            ["commune_id"], ["commune.id"], name=op.f("fk_former_commune_commune_id_commune")
        ),
    )
    op.create_index(op.f("ix_former_commune_commune_id"), "former_commune", ["commune_id"])
    op.create_index(op.f("ix_former_commune_code"), "former_commune", ["code"])
