"""What rules remember of a computer becomes one packed row; rows of watches and sightings stay."""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0046"
down_revision = "0045"

_FACTS = "told facts"
_MANY = 400  # computers at once: of 75,000 with 21 rules there are 1.5 million rows

_device = sa.table("device", sa.column("id"))
_old = sa.table("rule_state", sa.column("rule"), sa.column("subject"), sa.column("body", sa.JSON))
_new = sa.table("rule_memory", sa.column("device_id"), sa.column("body"))


def upgrade() -> None:
    """Only what judged a computer's own readings says when it did; watches and sightings don't."""
    id_ = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
    op.create_table(
        "rule_memory",
        sa.Column("device_id", id_, autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_rule_memory_device_id_device"),
        sa.PrimaryKeyConstraint("device_id", name="pk_rule_memory"),
    )
    conn = op.get_bind()
    rules = list(conn.scalars(sa.select(_old.c.rule).distinct()))
    devices = list(conn.scalars(sa.select(_device.c.id).order_by(_device.c.id))) if rules else []
    for start in range(0, len(devices), _MANY):
        _pack(conn, rules, devices[start : start + _MANY])


def _pack(conn: sa.Connection, rules: list[str], devices: list[int]) -> None:
    found: dict[str, dict[str, Any]] = {}
    moved = []
    names = [str(id_) for id_ in devices]
    for rule, subject, body in conn.execute(
        sa.select(_old).where(_old.c.rule.in_(rules), _old.c.subject.in_(names))
    ):
        kept = found.setdefault(subject, {"rules": {}, "facts": {}})
        if rule == _FACTS:
            kept["facts"] = body
        elif "taken_at" in body:
            kept["rules"][rule] = body
        else:
            continue
        moved.append({"of_rule": rule, "of_subject": subject})
    rows = [
        {"device_id": int(subject), "body": msgspec.msgpack.encode(kept)}
        for subject, kept in found.items()
        if kept["rules"] or kept["facts"]
    ]
    if rows:
        conn.execute(sa.insert(_new), rows)
        gone = sa.delete(_old).where(
            _old.c.rule == sa.bindparam("of_rule"), _old.c.subject == sa.bindparam("of_subject")
        )
        conn.execute(gone, moved)
