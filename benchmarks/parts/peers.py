"""Agents of others, started as Debian ships them and asked for what ours measures."""

import http.client
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parts.processes import children_cpu, family, own_cpu
from parts.station import listens, program, wait_for

ITEMS = (
    "agent.ping", "system.uptime", "system.cpu.num", "system.cpu.util[,idle]", "system.cpu.load[all,avg1]",
    "vm.memory.size[total]", "vm.memory.size[available]", "vfs.fs.discovery", "vfs.fs.size[/,free]",
    "vfs.fs.size[/,total]", "net.if.discovery", "net.if.in[lo]", "system.uname", "system.sw.os",
)  # fmt: skip


@dataclass
class Peer:
    """A program that stays, and how it is asked."""

    name: str
    process: subprocess.Popen[bytes]
    ask: Callable[[], object]
    idle_cpu: float = 0.0
    cpu: float = 0.0

    def spent(self) -> float:
        """Processor seconds of it and its children so far; ends the benchmark when it no longer runs."""
        if (code := self.process.poll()) is not None:
            sys.exit(f"{self.name} ended with {code}: is its port taken? Nothing of it can be measured")
        alive = family(self.process.pid)
        return sum(map(own_cpu, alive)) + sum(map(children_cpu, alive))


def zabbix(folder: Path, port: int) -> Peer:
    config = folder / "zabbix.conf"
    lines = (
        f"ListenPort={port}", "ListenIP=127.0.0.1", "Server=127.0.0.1", "Hostname=benchmark",
        f"LogFile={folder}/zabbix.log", f"ControlSocket={folder}/zabbix.sock",
        f"PidFile={folder}/zabbix.pid",
    )  # fmt: skip
    config.write_text("\n".join(lines) + "\n")
    path = program("zabbix_agent2", "zabbix-agent2")
    process = subprocess.Popen([path, "-f", "-c", config], stdout=subprocess.DEVNULL)

    def ask() -> None:
        for item in ITEMS:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as asked:
                asked.sendall(b"ZBXD\1" + struct.pack("<Q", len(item)) + item.encode())
                answer = b"".join(iter(lambda: asked.recv(65536), b""))
            if answer[:4] != b"ZBXD" or b"ZBX_NOTSUPPORTED" in answer:
                sys.exit(f"zabbix_agent2 does not know {item}: {answer!r}")

    wait_for(lambda: listens("127.0.0.1", port))
    return Peer("zabbix_agent2", process, ask)


def node_exporter(_: Path, port: int) -> Peer:
    path = program("prometheus-node-exporter", "prometheus-node-exporter")
    words = [path, f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        if b"node_cpu_seconds_total" not in connection.getresponse().read():
            sys.exit("node_exporter has no answer")
        connection.close()

    wait_for(lambda: listens("127.0.0.1", port))
    return Peer("node_exporter", process, ask)


def collectd(folder: Path, _: int) -> Peer:
    """With the settings that Debian ships; only its files lie elsewhere, and it asks no name server."""
    path = program("collectd", "collectd")
    settings = Path("/etc/collectd/collectd.conf")
    if not settings.exists():  # collectd-core has the program alone
        sys.exit(f"this benchmark needs {settings}: apt-get install collectd")
    shipped = settings.read_text()
    config = folder / "collectd.conf"
    (folder / "rrd").mkdir()
    text = shipped.replace("/var/lib/collectd/rrd", str(folder / "rrd"))
    config.write_text(text.replace("FQDNLookup true", "FQDNLookup false"))
    words = [path, "-f", "-C", str(config), "-P", str(folder / "collectd.pid")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: any((folder / "rrd").rglob("*.rrd")), 90)
    return Peer("collectd", process, lambda: None)
