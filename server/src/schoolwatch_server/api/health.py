"""Is the server alive, and is it ready."""

from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server.api import shapes
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server
from schoolwatch_server.database import counted
from schoolwatch_server.database.engine import begin_read


def healthz() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


def readyz(server: Server) -> dict[str, str]:
    """The database answers too; 503 when it does not."""
    try:
        with begin_read(server.engine) as conn:
            ready = counted.answers(conn)
    except SQLAlchemyError as error:
        raise Problem(503, "the database does not answer") from error
    if not ready:
        raise Problem(503, "the database has no tables yet")
    return {"status": "ready"}


ROUTES = (
    Route("GET", "/healthz", healthz, "public", "This process answers", answer=shapes.Health),
    Route(
        "GET", "/readyz", readyz, "public", "The database answers too", answer=shapes.Health, refusals=(503,)
    ),
)
