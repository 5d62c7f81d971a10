"""The ways to the broker: MQTT over TLS, or in a WebSocket where only the web is let through; by proxy too.

Which one worked is kept, so that a computer behind a closed port does not wait for it each time.
"""

import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from schoolwatch_agent import identity
from schoolwatch_agent.identity import Broker, IdentityError
from schoolwatch_agent.trust import DIRECT

FILE = "way.json"


class Way(msgspec.Struct, frozen=True):
    """Where to connect; `path` is empty for plain MQTT, `proxy` the URL of the proxy to go by, if any."""

    host: str
    port: int
    path: str = ""
    proxy: str = ""

    def __str__(self) -> str:
        """As a technician reads it, without what a proxy's URL may hold."""
        inside = f" (WebSocket {self.path})" if self.path else ""
        by = f" by proxy {urlsplit(self.proxy).hostname}" if self.proxy else ""
        return f"{self.host}:{self.port}{inside}{by}"


def ways(broker: Broker, proxy: str, last: Way | None) -> list[Way]:
    """Those to try, the last one that worked first; `proxy` is the setting, "" leaves it to the system."""
    own = "" if proxy == DIRECT else proxy
    found = [Way(broker.host, broker.port, proxy=own)]
    inside = urlsplit(broker.websocket)
    if broker.tls and inside.hostname:
        found.append(Way(inside.hostname, inside.port or 443, inside.path or "/", own))
        if not proxy and (others := _systems_proxy(inside.hostname)):
            found.append(msgspec.structs.replace(found[-1], proxy=others))
    return [way for way in found if way == last] + [way for way in found if way != last]


def _systems_proxy(host: str) -> str:
    """The proxy that the system names for the web, if any; never for this machine itself."""
    from urllib.request import getproxies, proxy_bypass

    proxy = getproxies().get("https", "")
    return "" if not proxy.startswith("http://") or proxy_bypass(host) else proxy


def reach(way: Way, wait: float) -> socket.socket:
    """A connection to the broker's side of a way, through its proxy (CONNECT, RFC 9110 §9.3.6). OSError."""
    if not way.proxy:
        return socket.create_connection((way.host, way.port), timeout=wait)
    from http.client import HTTPConnection, HTTPException  # where there is a proxy alone

    proxy = urlsplit(way.proxy)
    asked = HTTPConnection(proxy.hostname or "", proxy.port or 80, timeout=wait)
    asked.set_tunnel(way.host, way.port, _authorization(proxy.username, proxy.password))
    try:
        asked.connect()
    except HTTPException as error:
        raise OSError(f"the proxy {proxy.hostname}: {error!r}") from error
    assert isinstance(asked.sock, socket.socket)
    return asked.sock


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    import base64

    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def last(data: Path) -> Way | None:
    """The way that worked last, if that is known."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Way)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def keep(data: Path, way: Way, before: Way | None) -> None:
    """Keeps what worked, for the next delivery; a folder that takes nothing costs only its time."""
    if way == before or "@" in way.proxy:  # what a proxy's URL holds is a secret of the system's
        return
    try:
        identity.write_private(data / FILE, msgspec.json.encode(way))
    except IdentityError:
        return
