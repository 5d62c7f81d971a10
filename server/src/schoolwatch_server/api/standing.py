"""POST /api/v1/device/standing: a device that has proved itself hears whether it is let in yet."""

from schoolwatch_contract.standing import PATH
from schoolwatch_server.api import shapes
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import credentials
from schoolwatch_server.database.engine import begin_read


def answer(who: Who, server: Server) -> dict[str, str]:
    """`approved`, `pending` while it waits for a person, or `refused`."""
    with begin_read(server.engine) as conn:
        credential = credentials.find(conn, [who.name])[who.name]
    if credential.revoked:
        return {"standing": "refused"}
    return {"standing": "pending" if credential.pending else "approved"}


ROUTES = (
    Route(
        "POST",
        PATH,
        answer,
        "standing",
        "How a device stands: let in, waiting or refused",
        answer=shapes.Standing,
    ),
)
