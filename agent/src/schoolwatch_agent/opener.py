"""How the agent asks a web server: with the authority of the settings, and following no redirection."""

import ssl
from typing import Any
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, build_opener


class _NoRedirect(HTTPRedirectHandler):
    """A token or proof goes to the address of the settings and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def opener(ca: str) -> OpenerDirector:
    """`ca`: a PEM file, empty for the system's authorities. Raises `OSError` when it can't be read."""
    context = ssl.create_default_context(cafile=ca or None)  # ssl.SSLError is an OSError
    return build_opener(_NoRedirect, HTTPSHandler(context=context))
