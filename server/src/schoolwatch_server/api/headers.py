"""Security headers on every answer: nothing from elsewhere, no inline code, in nobody's frame."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; "
    "img-src 'self' data:; "  # the icons inside the vendored style sheets
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


SIMULATED = "SchoolWatch-Simulated"
"""The header of every answer, the API's too, of a server whose devices were made up."""


HSTS = "max-age=31536000"
"""Once reached by https, a browser asks this host by nothing else for a year (RFC 6797).

A browser keeps it only where it trusts the certificate (§8.1).
"""


class SecurityHeaders:
    """ASGI middleware that adds them; answers that name no cache rule are not kept by anybody."""

    def __init__(self, app: ASGIApp, *, simulated: bool = False, secure: bool = False) -> None:
        self._app = app
        headers = dict(HEADERS)
        if simulated:
            headers[SIMULATED] = "yes"
        if secure:
            headers["Strict-Transport-Security"] = HSTS
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [one for one in message.get("headers", ()) if one[0] not in self._names]
                if all(name != b"cache-control" for name, _ in own):
                    static = scope["path"].startswith("/static/") and message["status"] < 400
                    # kept, but asked for each time whether it is still the same: an ETag says so in few bytes
                    own.append((b"cache-control", b"no-cache" if static else b"no-store"))
                message = {**message, "headers": own + self._headers}
            await send(message)

        await self._app(scope, receive, send_with_headers)
