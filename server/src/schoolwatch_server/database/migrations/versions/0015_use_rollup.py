"""The use of single computers moves into a table of its own, which is forgotten once rooms were summed."""

import sqlalchemy as sa
from alembic import op

from schoolwatch_server.store.rollup import pack, unpack

revision = "0015"
down_revision = "0014"

_USE = ("use.on", "use.active", "use.boots")
_STEP = 2000


def upgrade() -> None:
    """Takes the series out of each bucket that holds them; this takes a while once."""
    made = op.create_table(
        "use_rollup",
        sa.Column(
            "device_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("resolution", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_use_rollup_device_id_device"),
        sa.PrimaryKeyConstraint("device_id", "resolution", "bucket", name="pk_use_rollup"),
    )
    connection = op.get_bind()
    columns: list[sa.ColumnClause[object]] = [
        sa.column(name) for name in ("device_id", "resolution", "bucket", "body")
    ]
    old = sa.table("rollup", *columns)
    key = (old.c.device_id, old.c.resolution, old.c.bucket)
    page = sa.select(*columns).select_from(old).order_by(*key).limit(_STEP)
    rows = connection.execute(page).all()
    while rows:
        for *place, body in rows:
            folds = unpack(body)
            use = {name: folds.pop(name) for name in _USE if name in folds}
            if use:
                here = sa.and_(*(column == value for column, value in zip(key, place, strict=True)))
                connection.execute(sa.update(old).where(here).values(body=pack(folds)))
                names = ("device_id", "resolution", "bucket")
                row = dict(zip(names, place, strict=True)) | {"body": pack(use)}
                connection.execute(sa.insert(made).values(row))
        after = sa.tuple_(*key) > sa.tuple_(*(sa.literal(value) for value in rows[-1][:3]))
        rows = connection.execute(page.where(after)).all()
