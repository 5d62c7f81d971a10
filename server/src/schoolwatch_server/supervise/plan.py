"""Which parts there are, with their commands, in the order they are started."""

import http.client
import sys
from pathlib import Path

from schoolwatch_server.address import Address
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.supervise import agent
from schoolwatch_server.supervise.keeper import Part
from schoolwatch_server.supervise.prepare import answers, reachable

STOP_ORDER = ("agent", "speedtest", "serve", "evaluate", "intake", "broker")
"""Who produces stops first, so that nothing is on its way to a part that has gone."""


def broker_part(config: ServerConfig, program: Path | None) -> Part:
    """Mosquitto, or amqtt when there is no program."""
    folder, at = config.folder / "broker", Address(config.mqtt.host, config.mqtt.port)
    if program is not None:
        settings = mosquitto.write(
            folder,
            host=at.host,
            port=at.port,
            queued_bytes=config.broker.queued_bytes,
            server_user=config.mqtt.user,
        )
        command = mosquitto.command(program, settings)
    else:
        words = ("broker-amqtt", "--folder", str(folder), "--mqtt", str(at), "--user", config.mqtt.user)
        command = _python(*words, "--queued-bytes", str(config.broker.queued_bytes))
    return Part("broker", command, _log(config, "broker"), lambda: answers(at))


def server_parts(config: ServerConfig, settings: Path) -> tuple[Part, ...]:
    """Intake, evaluate and serve; the speed test where it is enabled."""

    def part(name: str) -> Part:
        ready = (lambda: is_ready(config)) if name == "serve" else None
        return Part(name, _python(name, "--config", str(settings)), _log(config, name), ready)

    speedtest = (part("speedtest"),) if config.speedtest.enabled else ()
    return part("intake"), part("evaluate"), part("serve"), *speedtest


def agent_part(config: ServerConfig) -> Part:
    """This machine's agent; it stops gently when we die, because it stops what it started itself."""
    return Part("agent", agent.command(config), _log(config, "agent"), gently=True)


def is_ready(config: ServerConfig) -> bool:
    """Whether the web server says that it can work."""
    connection = http.client.HTTPConnection(reachable(config.http.host), config.http.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _python(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "schoolwatch_server", *words)


def _log(config: ServerConfig, name: str) -> Path:
    return config.folder / "log" / f"{name}.log"
