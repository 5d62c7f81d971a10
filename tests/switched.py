"""A school's network in namespaces: a switch, a gateway that watches, a router, a PC, and one who poses."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ether

GATEWAY, ROUTER, ROGUE, PC = "gateway", "router", "rogue", "pc"
MACS = {
    GATEWAY: "02:00:00:00:77:02",
    ROUTER: "02:00:00:00:77:01",
    ROGUE: "02:00:00:00:77:66",
    PC: "02:00:00:00:77:09",
}
ADDRESSES = {GATEWAY: "10.77.0.2", ROUTER: "10.77.0.1", ROGUE: "10.77.0.66", PC: "10.77.0.9"}
ADVERT = """interface eth0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;
  AdvDefaultLifetime {lifetime}; prefix {prefix} {{ }}; }};
"""

SEND = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
    raw.bind(("eth0", 0))
    for frame in sys.argv[1:]:
        raw.send(bytes.fromhex(frame))
"""


def mac(name: str) -> bytes:
    """A machine's."""
    return bytes.fromhex(MACS[name].replace(":", ""))


def arp(name: str, of: str) -> bytes:
    """A machine says that it has the address of another, or its own."""
    return ether.arp(mac(name), ADDRESSES[of])


class Net:
    """A switch with four machines, each in a namespace of its own; all of it ends with `ending`."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self.folder, self._ending = folder, ending
        self.watch: subprocess.Popen[bytes]
        self._name = f"sw{os.getpid()}-lan"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        for name in ("switch", *MACS):
            self.ip("netns", "add", self.space(name))
            ending.callback(self.ip, "netns", "del", self.space(name))
        self.ip("-n", self.space("switch"), "link", "add", "sw", "type", "bridge")
        self.ip("-n", self.space("switch"), "link", "set", "sw", "up")
        for name in MACS:
            self._plug_in(name)
        self.ip("-n", self.space(GATEWAY), "route", "add", "default", "via", ADDRESSES[ROUTER])

    def _plug_in(self, name: str) -> None:
        space, switch = self.space(name), self.space("switch")
        self.ip(
            "-n",
            space,
            "link",
            "add",
            "eth0",
            "address",
            MACS[name],
            "type",
            "veth",
            "peer",
            name,
            "netns",
            switch,
        )
        self.run(name, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0")
        for words in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up")):
            self.ip("-n", space, *words)
        self.ip("-n", space, "addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
        self.ip("-n", switch, "link", "set", name, "master", "sw", "up")

    def space(self, name: str) -> str:
        return f"{self._name}-{name}"

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)

    def run(self, name: str, *argv: str) -> subprocess.CompletedProcess[str]:
        inside = ["ip", "netns", "exec", self.space(name), *argv]
        return subprocess.run(inside, capture_output=True, text=True, timeout=60, check=False)

    def start(self, name: str, *argv: str) -> subprocess.Popen[bytes]:
        log = self._ending.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(["ip", "netns", "exec", self.space(name), *argv], stdout=log, stderr=log)
        self._ending.callback(process.wait)
        self._ending.callback(process.kill)
        return process

    def serve_dhcp(self, name: str, *more: str) -> None:
        start = ADDRESSES[name].rsplit(".", 1)[0]
        self.start(
            name, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--user=root", "--port=0", "--no-ping", f"--pid-file={self.folder / name}.pid",
            f"--dhcp-leasefile={self.folder / name}.leases", f"--dhcp-range={start}.100,{start}.120,1h",
            *more,
        )  # fmt: skip

    def serve_dhcp6(self, name: str) -> None:
        """As mitm6 does: gives settings and addresses to whoever asks, itself as the resolver."""
        self.ip("-n", self.space(name), "addr", "add", "2001:db8:bad::66/64", "dev", "eth0", "nodad")
        self.start(
            name, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--user=root", "--port=0", f"--pid-file={self.folder / name}6.pid",
            f"--dhcp-leasefile={self.folder / name}6.leases",
            "--dhcp-range=2001:db8:bad::100,2001:db8:bad::200,1h",
            "--dhcp-option=option6:dns-server,[2001:db8:bad::66]",
        )  # fmt: skip

    def advertise(self, name: str, prefix: str, lifetime: int = 1800) -> None:
        file = self.folder / f"{name}.radvd"
        file.write_text(ADVERT.format(prefix=prefix, lifetime=lifetime))
        file.chmod(0o644)
        self.run(name, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        self.start(name, "radvd", "-n", "-C", str(file), "-p", f"{file}.pid", "-m", "stderr")

    def send(self, name: str, *frames: bytes) -> None:
        """Puts frames on a machine's link, whoever they say that they are from."""
        self.run(name, sys.executable, "-c", SEND, *(frame.hex() for frame in frames))

    def start_watch(self) -> subprocess.Popen[bytes]:
        """The gateway's, by the settings in the folder; it stays the same process."""
        return self.start(GATEWAY, *self._agent("watch"))

    def _agent(self, *words: str) -> tuple[str, ...]:
        return (
            sys.executable,
            "-P",
            "-m",
            "schoolwatch_agent",
            *words,
            "--config",
            f"{self.folder}/agent.toml",
        )

    def agent(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the agent, on the gateway."""
        return self.run(GATEWAY, *self._agent(*words))

    def heard(self) -> dict[str, Any]:
        file = self.folder / "run" / "heard.json"
        nothing: dict[str, Any] = {"links": [], "seen": []}
        return json.loads(file.read_text()) if file.exists() else nothing

    def seen(self, kind: str, name: str) -> dict[str, str] | None:
        """What was last told of a machine."""
        of_it = [each for each in self.heard()["seen"] if (each["kind"], each["mac"]) == (kind, MACS[name])]
        return of_it[-1]["told"] if of_it else None
