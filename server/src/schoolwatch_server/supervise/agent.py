"""This machine's own agent: its folder and settings, and its enrolment through the server's own API."""

import sys
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import child, transport
from schoolwatch_server.address import Address, reachable
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import write_atomically
from schoolwatch_server.supervise import sample

_MEASURE, _DELIVER = 15, 15
"""Seconds: the agent beside the server has no line to spare, and its page should be seen to move."""

_SETTINGS = """\
## Settings of the agent that `schoolwatch up` runs on this machine; yours to change.

[agent]
data = {data}

[schedule]
measure = {measure}
deliver = {deliver}

[server]
mqtt_host = {host}
mqtt_port = {port}
tls = {tls}
ca = {ca}
"""


def settings(config: ServerConfig) -> Path:
    """The agent's settings file; written anew when the broker's address in it is not today's."""
    path = config.folder / "agent" / "agent.toml"
    host, port = reachable(config.mqtt.host), config.mqtt.port
    ca = transport.broker_ca(config)
    text = _SETTINGS.format(
        data=_toml(str(config.folder / "agent")),
        measure=_MEASURE,
        deliver=_DELIVER,
        host=_toml(host),
        port=port,
        tls="true" if ca else "false",
        ca=_toml(ca),
    )
    if not path.exists() or text[text.index("mqtt_host =") :] not in path.read_text("utf-8"):
        write_atomically(path, text)
    return path


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\x7f", "\\u007f")
    return f'"{escaped}"'


def command(config: ServerConfig) -> tuple[str, ...]:
    """The resident agent; it measures so often that a process for each time would cost more than one."""
    program = (sys.executable, "-m", "schoolwatch_agent", "run", "--stay-connected")
    return (*program, "--config", str(settings(config)))


def is_enrolled(config: ServerConfig) -> bool:
    """Whether it has a credential already."""
    return (config.folder / "agent" / "credential.json").exists()


def enrol(config: ServerConfig, engine: Engine, language: str) -> str:
    """Enrols it with a token for one use; gives why it failed, or nothing."""
    token = sample.token(engine)
    if token is None:
        return "no school TRUONG-MAU"
    host = reachable(config.http.host)
    scheme = "http" if transport.http(config) is None else "https"
    url = f"{scheme}://{Address(host, config.http.port)}"
    program = (sys.executable, "-m", "schoolwatch_agent", "enrol", "--lang", language)
    where = ("--config", str(settings(config)), "--url", url, "--token-file", "/dev/stdin", "--insecure-http")
    code, said = child.run_once((*program, *where), text=token + "\n", seconds=30)
    return "" if code == 0 else " ".join(said.split())[-300:]
