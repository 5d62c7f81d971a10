"""Is the server alive, and is it ready."""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server import disk
from schoolwatch_server.api import shapes
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.database import counted
from schoolwatch_server.database.engine import begin_read

_REFUSALS: Final[dict[disk.Refusal, str]] = {
    "full": "the server's disk is full: no report can be taken in; make room on the disk of the data folder",
    "read_only": "the server's disk can only be read: no report can be taken in: mount it anew",
    "broken": "nothing can be written into the server's data folder: no report can be taken in",
}


def healthz() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


def readyz(server: Server) -> dict[str, str]:
    """The database answers too, and the data folder can be written; 503 when not."""
    try:
        with begin_read(server.engine) as conn:
            ready = counted.answers(conn)
    except SQLAlchemyError as error:
        raise Problem(503, "the database does not answer") from error
    if not ready:
        raise Problem(503, "the database has no tables yet")
    refusal = disk.look(server.config.folder).refusal
    if refusal:
        raise Problem(503, _REFUSALS[refusal])
    return {"status": "ready"}


ROUTES = (
    Route("GET", "/healthz", healthz, "public", "This process answers", answer=shapes.Health),
    Route(
        "GET",
        "/readyz",
        readyz,
        "public",
        "The database answers too, and the disk takes reports",
        answer=shapes.Health,
        refusals=(503,),
    ),
)
