"""Boundaries of communes that a department handed in, as maps draw them."""

from sqlalchemy import Column, Double, ForeignKey, Integer, String, Table, Text

from schoolwatch_server.database.columns import Id, id_, metadata

boundary_map = Table(
    "boundary_map",
    metadata,
    id_(),
    Column("province_id", Id, ForeignKey("province.id"), nullable=False, unique=True),
    Column("file", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("source", Text, nullable=False),  # what who handed it in says of where it is from
    Column("licence", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("uploaded_at", Double, nullable=False),
    Column("uploaded_by", Text, nullable=False),
)
boundary_shape = Table(
    "boundary_shape",
    metadata,
    Column("commune_id", Id, ForeignKey("commune.id"), primary_key=True, autoincrement=False),
    Column("map_id", Id, ForeignKey("boundary_map.id"), nullable=False, index=True),
    Column("path", Text, nullable=False),  # of SVG
)
