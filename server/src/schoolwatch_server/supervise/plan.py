"""Which parts there are, with their commands, in the order they are started."""

import http.client
import ssl
import sys
from pathlib import Path

from schoolwatch_server import transport
from schoolwatch_server.address import Address, reachable
from schoolwatch_server.api.listening import FILES as SERVE_FILES
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.broker.limits import FILES
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.supervise import agent
from schoolwatch_server.supervise.keeper import Part
from schoolwatch_server.supervise.prepare import answers

STOP_ORDER = ("agent", "speedtest", "serve", "store-writer", "evaluate", "intake", "broker")
"""Who produces stops first, so that nothing is on its way to a part that has gone."""


def broker_part(config: ServerConfig, program: Path | None) -> Part:
    """Mosquitto, or amqtt when there is no program."""
    folder, at = config.folder / "broker", Address(config.mqtt.host, config.mqtt.port)
    tls = transport.mqtt(config)
    if program is not None:
        certificate, key = ("", "") if tls is None else (str(tls.certificate), str(tls.key))
        devices = mosquitto.Listener(at.host, at.port, certificate, key)
        setup = mosquitto.Setup(folder, (devices,), config.broker.queued_bytes, config.mqtt.socket)
        command = mosquitto.command(program, mosquitto.write(setup))
    else:
        words = ("broker-amqtt", "--folder", str(folder), "--mqtt", str(at), "--user", config.mqtt.user)
        files = () if tls is None else ("--certificate", str(tls.certificate), "--key", str(tls.key))
        command = _python(*words, "--queued-bytes", str(config.broker.queued_bytes), *files)
    return Part("broker", command, _log(config, "broker"), lambda: answers(at), files=FILES)


def server_parts(config: ServerConfig, settings: Path) -> tuple[Part, ...]:
    """Intake, evaluate and serve; the speed test and the writer to another store where they are enabled."""

    def part(name: str) -> Part:
        ready = (lambda: is_ready(config)) if name == "serve" else None
        command, files = _python(name, "--config", str(settings)), SERVE_FILES if name == "serve" else 0
        return Part(name, command, _log(config, name), ready, files=files)

    speedtest = (part("speedtest"),) if config.speedtest.enabled else ()
    writer = () if config.store.kind == "embedded" else (part("store-writer"),)
    return part("intake"), part("evaluate"), part("serve"), *writer, *speedtest


def agent_part(config: ServerConfig) -> Part:
    """This machine's agent; it stops gently when we die, because it stops what it started itself."""
    return Part("agent", agent.command(config), _log(config, "agent"), gently=True)


def is_ready(config: ServerConfig) -> bool:
    """Whether the web server says that it can work."""
    connection = _connection(config)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(config: ServerConfig) -> http.client.HTTPConnection:
    at, tls = Address(reachable(config.http.host), config.http.port), transport.http(config)
    if tls is None:
        return http.client.HTTPConnection(at.host, at.port, timeout=2)
    # our own child on our own port: a certificate of a PKI is for a name that this machine may not know
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(at.host, at.port, timeout=2, context=context)


def _python(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "schoolwatch_server", *words)


def _log(config: ServerConfig, name: str) -> Path:
    return config.folder / "log" / f"{name}.log"
