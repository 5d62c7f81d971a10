"""In SQLite judged values lie as they are asked for: series by series, in the key itself.

A graph of a month read 720 pages a series before, one for each hour in which all series were written.
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

_NAMES = ("series_id", "at", "value", "numerator", "denominator", "coverage", "pack")


def upgrade() -> None:
    """Copies each row in the order of the key; PostgreSQL has no such tables."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "judged_new",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double()) for name in _NAMES[2:-1]),
        sa.Column("pack", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["judged_series.id"], name="fk_judged_series_id_judged_series"
        ),
        sa.PrimaryKeyConstraint("series_id", "at", name="pk_judged"),
        sqlite_with_rowid=False,
    )
    old, new = (
        sa.table(name, *(sa.column(column) for column in _NAMES)) for name in ("judged", "judged_new")
    )
    rows = sa.select(*(old.c[name] for name in _NAMES)).order_by(old.c.series_id, old.c.at)
    op.execute(new.insert().from_select(_NAMES, rows))
    op.drop_table("judged")
    op.rename_table("judged_new", "judged")
