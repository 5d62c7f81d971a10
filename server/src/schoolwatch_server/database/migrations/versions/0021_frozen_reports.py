"""Frozen reports with their revisions, and forms of others to be filled."""

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Nothing yet."""
