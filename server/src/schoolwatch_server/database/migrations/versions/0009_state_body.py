"""The packed state of a device moves into a table of its own: counting a province no longer reads past it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """SQLite writes the narrow table anew, so that its rows lie close together; this takes a while once."""
    body = op.create_table(
        "state_body",
        sa.Column(
            "device_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_state_body_device_id_device"),
        sa.PrimaryKeyConstraint("device_id", name="pk_state_body"),
    )
    state = sa.table("state", sa.column("device_id"), sa.column("body"))
    op.execute(sa.insert(body).from_select(["device_id", "body"], sa.select(state.c.device_id, state.c.body)))
    with op.batch_alter_table("state") as table:
        table.drop_column("body")
