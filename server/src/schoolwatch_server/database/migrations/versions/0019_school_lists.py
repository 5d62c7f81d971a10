"""Campuses, classes, line contracts, assets, contacts, hand checks, what a room has, who manages a school."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Nothing yet."""
