"""Frozen reports with their revisions, deadlines of provinces, and reminders of them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_STAYS = "kind, level, place_id, period, revision, sha256, body, size, code, name, note, simulated, frozen_at"
SQLITE = (
    f"""CREATE TRIGGER report_no_change BEFORE UPDATE OF {_STAYS} ON report BEGIN
        SELECT RAISE(ABORT, 'what was frozen is never changed');
    END""",
    # REPLACE deletes what is in its way without a delete trigger (sqlite.org/lang_conflict.html)
    """CREATE TRIGGER report_no_replacement BEFORE INSERT ON report
        WHEN EXISTS (SELECT 1 FROM report WHERE id = NEW.id OR sha256 = NEW.sha256) BEGIN
        SELECT RAISE(ABORT, 'this report is kept already');
    END""",
)
POSTGRESQL = (
    """CREATE FUNCTION report_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'what was frozen is never changed'
                USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    f"""CREATE TRIGGER report_no_change BEFORE UPDATE OF {_STAYS} ON report
        FOR EACH ROW EXECUTE FUNCTION report_refuse()""",
)


def upgrade() -> None:
    """No report was frozen before."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "report",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("place_id", big, nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(20), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("due_on", sa.String(10), server_default="", nullable=False),
        sa.Column("frozen_at", sa.Double(), nullable=False),
        sa.Column("frozen_by", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("handed_in_at", sa.Double()),
        sa.Column("handed_in_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
        sa.UniqueConstraint("sha256", name="uq_report_sha256"),
        sa.UniqueConstraint(
            "kind", "level", "place_id", "period", "revision",
            name="uq_report_kind_level_place_id_period_revision",
        ),
    )  # fmt: skip
    op.create_index("ix_report_frozen_at", "report", ["frozen_at"])
    op.create_index("ix_report_place", "report", ["level", "place_id"])
    op.create_table(
        "report_event",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("report_id", big, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_event"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name="fk_report_event_report_id_report"),
    )
    op.create_index("ix_report_event_report_id", "report_event", ["report_id"])
    _deadlines(big)
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL if is_postgresql else SQLITE:
        op.get_bind().exec_driver_sql(statement)


def _deadlines(big: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "report_deadline",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("province_id", big, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("before", sa.String(5), nullable=False),
        sa.Column("document", sa.Text(), server_default="", nullable=False),
        sa.Column("clause", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_deadline"),
        sa.ForeignKeyConstraint(
            ["province_id"], ["province.id"], name="fk_report_deadline_province_id_province"
        ),
        sa.UniqueConstraint("province_id", "kind", "level", name="uq_report_deadline_province_id_kind_level"),
    )
    op.create_table(
        "report_reminder",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("province_id", big, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("last_day", sa.String(10), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.Double()),
        sa.Column("sent_at", sa.Double()),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_reminder"),
        sa.ForeignKeyConstraint(
            ["province_id"], ["province.id"], name="fk_report_reminder_province_id_province"
        ),
        sa.UniqueConstraint(
            "province_id", "kind", "level", "period", "days", "channel",
            name="uq_report_reminder_province_id_kind_level_period_days_channel",
        ),
    )  # fmt: skip
    op.create_index("ix_report_reminder_due_at", "report_reminder", ["due_at"])
