"""Tables of series: how far readers are, what is to be rolled up, rollups and judged values."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from schoolwatch_server.database.columns import Id, id_, metadata

cursor = Table(
    "cursor",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("moved_at", Double, nullable=False),
)
dirty = Table(
    "dirty",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("journal_id", BigInteger, nullable=False),  # the newest row that made it dirty
    Index("ix_dirty_bucket", "resolution", "bucket"),
)
rollup = Table(
    "rollup",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("resolution", Integer, primary_key=True, autoincrement=False),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
grafana_alert = Table(  # what a Grafana tells that fires: few, and gone when over
    "grafana_alert",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("severity", String(20), nullable=False),
    Column("since", Double, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("is_unknown", Boolean, nullable=False),
    Column("told_at", Double, nullable=False),
)
store_writer = Table(  # of the store of series beside this database: how far it has come
    "store_writer",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("turn", Integer, nullable=False),  # grows when somebody else than the writer moves it
    Column("body", LargeBinary, nullable=False),
    Column("lost", BigInteger, nullable=False, server_default="0"),
)
judged_log = Table(  # which judged values were written, in the order of their commits
    "judged_log",
    metadata,
    id_(),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("written_at", Double, nullable=False),
    Column("series", LargeBinary, nullable=False),
    Index("ix_judged_log_written_at", "written_at"),
)
judged_series = Table(
    "judged_series",
    metadata,
    id_(),
    Column("measurement", String(40), nullable=False),
    Column("tags", Text, nullable=False),
    UniqueConstraint("measurement", "tags"),
)
judged = Table(
    "judged",
    metadata,
    Column("series_id", Id, ForeignKey("judged_series.id"), primary_key=True, autoincrement=False),
    Column("at", Double, primary_key=True),
    Column("value", Double),
    Column("numerator", Double),
    Column("denominator", Double),
    Column("coverage", Double),
    Column("pack", Text, nullable=False, server_default=""),
    Index("ix_judged_value", "series_id", "at", "value"),  # graphs read it alone, from page to page
)
