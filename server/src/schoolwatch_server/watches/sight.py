"""What a watch may look at."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.config import ServerConfig


@dataclass(frozen=True, slots=True)
class Sight:
    """A reading connection, the server's settings, and the instant (UTC seconds) that is looked at."""

    conn: Connection
    config: ServerConfig
    now: float
