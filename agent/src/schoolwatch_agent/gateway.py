"""`gateway`: becomes the passage by which a school's computers reach the server, and nothing else."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from schoolwatch_agent import identity, passage
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.delivery import broker_of
from schoolwatch_agent.identity import Credential, IdentityError
from schoolwatch_agent.passage import serve
from schoolwatch_agent.passage.head import address
from schoolwatch_agent.texts import Texts
from schoolwatch_agent.trust import DIRECT, is_loopback

FAILED = 1

_PORTS = {"https": 443, "wss": 443, "mqtts": 8883}


def ports(config: AgentConfig, credential: Credential | None) -> tuple[str, ...]:
    """`host:port` of the server's own, as settings and enrolment name them: those that speak TLS.

    This machine's own ports are none of them: what is on loopback is not for the school's network.
    """
    urls = [config.server.url]
    if credential is not None:
        broker = broker_of(config, credential)
        urls += [credential.url, broker.websocket, _url(broker.host, broker.port) if broker.tls else ""]
    elif config.server.mqtt_host and config.server.tls is not False:
        urls.append(_url(config.server.mqtt_host, config.server.mqtt_port or _PORTS["mqtts"]))
    found = (_port(url) for url in urls)
    return tuple(dict.fromkeys(port for port in found if port))


def _url(host: str, port: int) -> str:
    return f"mqtts://[{host}]:{port}" if ":" in host else f"mqtts://{host}:{port}"


def _port(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, known, port = parts.hostname, _PORTS.get(parts.scheme), parts.port
    except ValueError:  # an address that leads nowhere, such as one with port 99999
        return ""
    if not host or known is None or is_loopback(host):
        return ""
    return f"[{host}]:{port or known}" if ":" in host else f"{host}:{port or known}"


def of_data(config: AgentConfig, data: Path) -> tuple[str, ...]:
    """The same with the credential in a folder; without it where it can't be read."""
    try:
        credential = identity.read_credential(data)
    except IdentityError:  # it is the agent's own, and the passage's user must not read it
        credential = None
    return ports(config, credential)


def become(config: AgentConfig, texts: Texts, also: Sequence[str]) -> int:
    """Turns this process into the passage, to the server's ports and to those of `also`. The exit code."""
    problem = ""
    try:
        where = tuple(dict.fromkeys((*of_data(config, config.data), *also)))
        problem = _problem(config, where)
    except ValueError:  # of `also`
        problem = "passage_bad_port"
    if problem:
        sys.stderr.write(texts(problem) + "\n")
        return FAILED
    bounds, listen = config.passage, ",".join(config.passage.listen)
    sys.stderr.write(texts("passage_open", listen=listen, server=", ".join(where)) + "\n")
    words = (str(bounds.connections), str(bounds.per_client), listen, *where)
    if sys.platform == "win32":  # which has no exec
        return serve.main(words)
    sys.stderr.flush()
    program = str(Path(passage.__file__).with_name("__main__.py"))
    command = [sys.executable, "-I", "-S", program, *words]
    return os.execv(sys.executable, command)  # nosec B606 # noqa: S606  our own program, without a shell


def _problem(config: AgentConfig, where: Sequence[str]) -> str:
    """The key of why there is no passage, if there is none. Raises `ValueError`."""
    for each in where:
        address(each)
    if not config.passage.listen:
        return "passage_off"
    if config.server.proxy not in ("", DIRECT):
        return "passage_by_proxy"
    return "" if where else "passage_nowhere"
