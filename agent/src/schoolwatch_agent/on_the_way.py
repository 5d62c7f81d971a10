"""The doctor's looks at the way to the server, direct or by a proxy, and at a gateway's passage."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from schoolwatch_agent import examine
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.passage.head import address
from schoolwatch_agent.trust import DIRECT

State = Literal["ok", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: which check, its state, and the key and values of its text."""

    check: str
    state: State
    key: str
    values: dict[str, object] = field(default_factory=dict)


def server(config: AgentConfig, credential: Credential) -> Iterator[Finding]:
    """Name, port and login of the broker, or the proxy and the login."""
    from schoolwatch_agent import delivery  # MQTT only where it is needed

    if config.server.proxy not in ("", DIRECT):  # which finds names and ports for us
        yield from _by_proxy(config, credential)
        return
    broker = delivery.broker_of(config, credential)
    where: dict[str, object] = {"host": broker.host, "port": broker.port}
    if problem := examine.name_problem(broker.host):
        yield Finding("name", "bad", "name_bad", {**where, "problem": problem})
        return
    yield Finding("name", "ok", "name_ok", where)
    if problem := examine.port_problem(broker.host, broker.port, config.delivery.connect_wait):
        login = _login(config, credential)
        if login.state == "ok":  # by the web's port, or by a proxy: that is enough
            yield login
            return
        yield Finding("port", "bad", "port_bad", {**where, "problem": problem})
        return
    yield Finding("port", "ok", "port_ok", where)
    yield _login(config, credential)


def _by_proxy(config: AgentConfig, credential: Credential) -> Iterator[Finding]:
    proxy = urlsplit(config.server.proxy)
    host, port = proxy.hostname or "", proxy.port or 80
    if problem := examine.port_problem(host, port, config.delivery.connect_wait):
        yield Finding("proxy", "bad", "proxy_bad", {"host": host, "port": port, "problem": problem})
        return
    yield Finding("proxy", "ok", "proxy_ok", {"host": host, "port": port})
    yield _login(config, credential)


def passage(config: AgentConfig) -> Iterator[Finding]:
    """Whether a gateway really lets others pass where its settings say so."""
    for place in config.passage.listen:
        problem = examine.port_problem(*address(place), config.delivery.connect_wait)
        values: dict[str, object] = {"place": place, "problem": problem}
        yield Finding(
            "passage", "bad" if problem else "ok", "passage_bad" if problem else "passage_ok", values
        )


def _login(config: AgentConfig, credential: Credential) -> Finding:
    from schoolwatch_agent import connection, delivery  # as above

    try:
        # under another client id: a broker ends the connection of an agent that has the same one
        delivery.connect(config, credential, client_id=f"{credential.device}-doctor").close()
    except connection.PendingError:
        return Finding("login", "bad", "login_pending")
    except connection.RefusedError as error:
        return Finding("login", "bad", "login_bad", {"problem": error})
    except connection.UnreachableError as error:
        return Finding("login", "unknown", "login_unknown", {"problem": error})
    return Finding("login", "ok", "login_ok")
