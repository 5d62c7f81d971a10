"""What posture.ps1 reads in the registry of each user who is logged in, without saying of whom.

A user's hive may be read by that user, SYSTEM and administrators: to LocalService it is closed, and that
somebody is logged in is all that is known.
"""

from typing import Any

from schoolwatch_agent.formats import cim


def users(found: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Each user's values, and why one that nobody has is not known; a closed hive is a user without any."""
    rows, trouble = cim.part(found, "users")
    closed = next((cim.trouble(str(row["error"])) for row in rows if row.get("error")), "")
    reason = trouble or closed or ("not configured" if rows else "nobody is logged in")
    return [{} if row.get("error") else row for row in rows], reason
