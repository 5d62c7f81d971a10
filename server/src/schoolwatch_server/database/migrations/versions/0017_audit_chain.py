"""The audit log is chained by hashes, and the database refuses to change it."""

import json

import sqlalchemy as sa
from alembic import op

from schoolwatch_server.audit_chain import GENESIS, chain_hash

revision = "0017"
down_revision = "0016"

_STEP = 5000

SQLITE = (
    """CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit log is never changed');
    END""",
    """CREATE TRIGGER audit_no_removal BEFORE DELETE ON audit
        WHEN OLD.id > (SELECT removed FROM audit_head) BEGIN
        SELECT RAISE(ABORT, 'the audit log is only shortened by retention');
    END""",
    # REPLACE deletes what is in its way without a delete trigger (sqlite.org/lang_conflict.html)
    """CREATE TRIGGER audit_no_replacement BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR previous = NEW.previous) BEGIN
        SELECT RAISE(ABORT, 'the audit log has this row already');
    END""",
)
POSTGRESQL = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the audit log is never changed, and only shortened by retention'
                USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE FUNCTION audit_refuse_young() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.id > (SELECT removed FROM audit_head WHERE id = 1) THEN
            RAISE EXCEPTION 'the audit log is only shortened by retention'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END $$""",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    """CREATE TRIGGER audit_no_removal BEFORE DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_young()""",
    """CREATE TRIGGER audit_no_truncation BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)


def upgrade() -> None:
    """What was written before is chained as it stands: what was changed until today can't be found."""
    conn = op.get_bind()
    op.add_column("audit", sa.Column("previous", sa.String(64)))
    op.add_column("audit", sa.Column("hash", sa.String(64)))
    last, hash_ = _chain(conn)
    with op.batch_alter_table("audit") as table:
        table.alter_column("previous", existing_type=sa.String(64), nullable=False)
        table.alter_column("hash", existing_type=sa.String(64), nullable=False)
        table.create_unique_constraint("uq_audit_previous", ["previous"])
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    head = op.create_table(
        "audit_head",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("last", big, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("removed", big, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "last": last, "hash": hash_, "removed": 0}])
    for statement in POSTGRESQL if conn.dialect.name == "postgresql" else SQLITE:
        conn.exec_driver_sql(statement)


def _chain(conn: sa.Connection) -> tuple[int, str]:
    audit = sa.Table("audit", sa.MetaData(), autoload_with=conn)
    query = sa.select(audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail)
    change = (
        sa.update(audit)
        .where(audit.c.id == sa.bindparam("key"))
        .values(previous=sa.bindparam("before"), hash=sa.bindparam("own"))
    )
    last, hash_ = 0, GENESIS
    while rows := conn.execute(query.where(audit.c.id > last).order_by(audit.c.id).limit(_STEP)).all():
        changes = []
        for id_, at, actor, action, subject, told in rows:
            detail = json.loads(told) if isinstance(told, str) else told
            own = chain_hash(
                hash_, id_=id_, at=at, actor=actor, action=action, subject=subject, detail=detail
            )
            changes.append({"key": id_, "before": hash_, "own": own})
            last, hash_ = id_, own
        conn.execute(change, changes)
    return last, hash_
