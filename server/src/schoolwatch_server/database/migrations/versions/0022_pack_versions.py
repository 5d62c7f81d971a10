"""Versions of packs typed into the console, each with the day from which it holds."""

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Nothing yet."""
