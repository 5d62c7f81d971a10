"""What schools and communes became part of, and what communes were called: old codes and names lead on."""

from sqlalchemy import Column, Double, ForeignKey, String, Table, Text

from schoolwatch_server.database.columns import Id, id_, metadata, to

merged_school = Table(
    "merged_school",
    metadata,
    Column("school_id", Id, ForeignKey("school.id"), primary_key=True, autoincrement=False),
    Column("into_id", Id, ForeignKey("school.id"), nullable=False, index=True),
    Column("merged_at", Double, nullable=False),
)
former_commune = Table(
    "former_commune",
    metadata,
    id_(),
    to("commune.id", "commune_id", index=True),  # the one that it is, or is part of, now
    Column("code", String(20), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("until", Double, nullable=False),
)
