"""A server for benchmarks: mosquitto with TLS, the real intake, and devices that are enrolled."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from schoolwatch_agent import identity
from schoolwatch_server import config as configs
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_write, migrate, open_database
from schoolwatch_server.database.registry import DeviceRow


def program(name: str, package: str) -> str:
    """A program's path; ends the benchmark with what to install when it is not there."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        sys.exit(f"this benchmark needs {name}: apt-get install {package}")
    return found


def wait_for(what: Callable[[], bool], seconds: float = 60.0, every: float = 0.02) -> None:
    """Ends the benchmark when it does not come true."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            sys.exit("the benchmark did not come to its end in time")
        time.sleep(every)


def listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def make_certificate(folder: Path, host: str) -> Path:
    """An authority and a certificate of `host` signed by it, both ECDSA P-256; gives the authority's file."""
    openssl = program("openssl", "openssl")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run(
        "req",
        "-x509",
        *key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "9",
        "-subj",
        "/CN=SchoolWatch CA",
    )
    run("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=mqtt.schoolwatch.example")
    (folder / "names").write_text(f"subjectAltName=IP:{host}\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9", "-extfile", "names")
    run("x509", "-req", "-in", "server.csr", *signing, "-out", "server.pem")
    return folder / "ca.pem"


class Station:
    """Broker and intake; devices connect to `host` over TLS, intake beside it without."""

    def __init__(
        self, folder: Path, host: str, tls_port: int, port: int, inside: tuple[str, ...] = ()
    ) -> None:
        self.folder, self.host, self.tls_port, self.port = folder, host, tls_port, port
        self._inside = inside
        self.ca = make_certificate(folder, host)
        self.processes: list[subprocess.Popen[bytes]] = []
        url = configs.of_data(folder).database_url
        migrate(url)
        self._engine = open_database(url)
        with begin_write(self._engine) as conn:
            commune = registry.create_commune(conn, registry.create_province(conn, "P", "P"), "C", "C")
            self._school = registry.create_school(conn, commune, "S", "S", "THCS", 0)

    def start(self) -> None:
        """Starts mosquitto with the settings that matter on the wire as Debian has them, and intake."""
        listener = [f"listener {self.tls_port} {self.host}", "allow_anonymous true", "set_tcp_nodelay true"]
        files = [
            f"cafile {self.ca}",
            f"certfile {self.folder}/server.pem",
            f"keyfile {self.folder}/server.key",
        ]
        lines = ["per_listener_settings true", *listener, *files]
        lines += [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "max_queued_messages 0",
            "user root",
        ]
        (self.folder / "mosquitto.conf").write_text("\n".join([*lines, "log_type error"]) + "\n")
        self._run(program("mosquitto", "mosquitto"), "-c", str(self.folder / "mosquitto.conf"))
        time.sleep(0.5)
        (self.folder / "secret").write_text("none")
        mqtt = configs.Mqtt(
            host="127.0.0.1", port=self.port, user="benchmark", password_file=str(self.folder / "secret")
        )
        settings = self.folder / "server.toml"
        settings.write_text(configs.render(configs.ServerConfig(data=str(self.folder), mqtt=mqtt)))
        self._run(
            sys.executable, "-m", "schoolwatch_server", "intake", "--config", str(settings), log="intake.log"
        )
        wait_for(lambda: "connected to" in (self.folder / "intake.log").read_text())

    def _run(self, *command: str, log: str = "broker.log") -> None:
        with (self.folder / log).open("wb") as out:
            self.processes.append(subprocess.Popen([*self._inside, *command], stdout=out, stderr=out))

    def enrol(self, folder: Path, settings: str = "") -> Path:
        """A new device's data folder; gives its settings file."""
        key = os.urandom(32)
        with begin_write(self._engine) as conn:
            row: DeviceRow = registry.create_device(conn, self._school, None, "", time.time())
            credentials.set_credential(conn, row.id, key, "", time.time())
        broker = identity.Broker(self.host, self.tls_port, tls=True)
        credential = identity.Credential(row.device, key.hex(), "no secret of anybody's", broker)
        identity.write_credential(folder / "data", credential)
        file = folder / "agent.toml"
        file.write_text(
            f'[agent]\ndata = "{folder}/data"\nlanguage = "en"\n[server]\nca = "{self.ca}"\n{settings}'
        )
        return file

    def stop(self) -> None:
        """Ends what was started."""
        for process in reversed(self.processes):
            process.terminate()
            process.wait(15)
        self._engine.dispose()
