"""What schools declare, its way to recognition, and its evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing is declared yet; the four numbers of `declaration` stay what they are."""
    op.create_table(
        "claim",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("school_id", _ID, nullable=False),
        sa.Column("question", sa.String(60), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("state", sa.String(12), server_default="draft", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_claim_school_id_school")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint(
            "school_id", "question", "revision", name=op.f("uq_claim_school_id_question_revision")
        ),
    )
    op.create_index("ix_claim_state", "claim", ["state", "school_id"])
    op.create_table(
        "claim_event",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("claim_id", _ID, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_event_claim_id_claim")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_event")),
    )
    op.create_index("ix_claim_event_claim_id", "claim_event", ["claim_id"])
    op.create_table(
        "attachment_body",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("school_id", _ID, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_attachment_body_school_id_school")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment_body")),
        sa.UniqueConstraint("school_id", "sha256", name=op.f("uq_attachment_body_school_id_sha256")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("claim_id", _ID, nullable=False),
        sa.Column("body_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_attachment_claim_id_claim")),
        sa.ForeignKeyConstraint(
            ["body_id"], ["attachment_body.id"], name=op.f("fk_attachment_body_id_attachment_body")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_claim_id", "attachment", ["claim_id"])
    op.create_index("ix_attachment_body_id", "attachment", ["body_id"])
