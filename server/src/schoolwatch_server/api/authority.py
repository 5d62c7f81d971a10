"""GET /ca.pem: the authority by which devices know this server, for who holds its pin. It is no secret."""

from fastapi import Response

from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server


def pem(server: Server) -> Response:
    """Certificates in PEM form; 404 where each machine trusts the server's authority anyway."""
    text = server.authority
    if text is None:
        raise Problem(404, "this server's certificate is of an authority that machines trust by themselves")
    return Response(text, media_type="application/x-pem-file")


ROUTES = (
    Route("GET", "/ca.pem", pem, "public", "The authority of this server's certificate", refusals=(404,)),
)
