"""Serious incidents: marks of people, what was sent of them, forms as they went out, recipients."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SQLITE = (
    """CREATE TRIGGER incident_form_no_change BEFORE UPDATE ON incident_form BEGIN
        SELECT RAISE(ABORT, 'what was kept is never changed');
    END""",
    # REPLACE deletes what is in its way without a delete trigger (sqlite.org/lang_conflict.html)
    """CREATE TRIGGER incident_form_no_replacement BEFORE INSERT ON incident_form
        WHEN EXISTS (SELECT 1 FROM incident_form WHERE id = NEW.id OR sha256 = NEW.sha256) BEGIN
        SELECT RAISE(ABORT, 'this form is kept already');
    END""",
)
POSTGRESQL = (
    """CREATE FUNCTION incident_form_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'what was kept is never changed'
                USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE TRIGGER incident_form_no_change BEFORE UPDATE ON incident_form
        FOR EACH ROW EXECUTE FUNCTION incident_form_refuse()""",
)


def upgrade() -> None:
    """No incident was marked before, and nobody's address is known."""
    op.create_table(
        "incident_mark",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("incident_id", _Id, nullable=False),
        sa.Column("is_serious", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        *_of_incident("incident_mark"),
        sa.UniqueConstraint("incident_id", name="uq_incident_mark_incident_id"),
    )
    op.create_table(
        "incident_sent",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("incident_id", _Id, nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        *_of_incident("incident_sent"),
        sa.UniqueConstraint("incident_id", "step", name="uq_incident_sent_incident_id_step"),
    )
    op.create_table(
        "incident_form",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("incident_id", _Id, nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("letter_sha256", sa.String(64), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        *_of_incident("incident_form"),
        sa.UniqueConstraint("sha256", name="uq_incident_form_sha256"),
        sa.UniqueConstraint(
            "incident_id", "step", "revision", name="uq_incident_form_incident_id_step_revision"
        ),
    )
    _recipients()
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL if is_postgresql else SQLITE:
        op.get_bind().exec_driver_sql(statement)


def _of_incident(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=f"fk_{table}_incident_id_incident"),
    )


def _recipients() -> None:
    op.create_table(
        "incident_recipient",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        sa.Column("province_id", _Id, nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_recipient"),
        sa.ForeignKeyConstraint(
            ["province_id"], ["province.id"], name="fk_incident_recipient_province_id_province"
        ),
        sa.UniqueConstraint("province_id", "level", name="uq_incident_recipient_province_id_level"),
    )
