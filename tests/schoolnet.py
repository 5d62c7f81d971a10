"""A school's network in namespaces: a PC, the router with its real daemons, and a small Internet behind it.

    pc eth0 ── lan router wan ── eth0 internet (hosts on its loopback)

Everything ends with the `with` block. Nothing reaches the machine's own network.
"""

import ipaddress
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from schoolwatch_contract import settings
from schoolwatch_contract.settings import Endpoint, Ipv6, Settings

LAN6, ROUTER6, ROUTER4 = "2001:db8:77::/64", "2001:db8:77::1", "192.168.77.1"
HOSTS = {
    "a.vidu.vn": ("2001:db8:a::1", "203.0.113.1"),
    "b.vidu.vn": ("2001:db8:b::1", "203.0.113.2"),
    "lon.vidu.vn": ("2001:db8:1280::1", "203.0.113.3"),
    "so.vidu.vn": ("2001:db8:50::1", "203.0.113.4"),
}
V6_ONLY = ("chi6.vidu.vn", "2001:db8:6::1")
TARGETS = Settings(
    ipv6=Ipv6(
        (Endpoint("a.vidu.vn"), Endpoint("b.vidu.vn")),
        V6_ONLY[0],
        Endpoint("lon.vidu.vn"),
        Endpoint("so.vidu.vn", 8080, tls=False),
    )
)

WEB = r"""
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])

def serve(connection, secure):
    try:
        connection.settimeout(30)
        stream = context.wrap_socket(connection, server_side=True) if secure else connection
        asked = b""
        while b"\r\n\r\n" not in asked and (part := stream.recv(65536)):
            asked += part
        if asked:
            stream.sendall(b"HTTP/1.0 %s\r\n\r\n" % sys.argv[3].encode() + bytes(1600))
        stream.close()
    except OSError:
        pass

def listen(port, secure):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve, args=(server.accept()[0], secure), daemon=True).start()

threading.Thread(target=listen, args=(8080, False), daemon=True).start()
listen(443, True)
"""

DELAY = r"""
import fcntl, os, struct, sys, threading, time
# TUNSETIFF with IFF_TUN | IFF_NO_PI: each packet that is routed into the device comes out of it again later
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"slow", 0x1001))
print("up", flush=True)
while packet := os.read(tun, 65536):
    threading.Timer(float(sys.argv[1]), os.write, (tun, packet)).start()
"""

ADVERTISED = f"""
interface lan {{
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvDefaultLifetime %(lifetime)s;
  prefix %(prefix)s {{ AdvOnLink on; AdvAutonomous %(autonomous)s; }};
  AdvManagedFlag %(managed)s;
  RDNSS {ROUTER6} {{ AdvRDNSSLifetime 600; }};
}};
"""


@dataclass(frozen=True)
class Case:
    """What a school's network is like: commands run in the router and the PC, and what the router runs.

    `prefix`, `autonomous`, `managed` and `lifetime` are what radvd advertises; without a prefix there is no
    radvd. The PC `takes_address` from it, or has no reason to. `delay` in
    seconds is that of IPv6 packets to the Internet. `option_108` has the DHCP server offer it.
    Without `has_ipv6` the PC itself has IPv6 switched off. `resolver` are more options of dnsmasq,
    which knows the hosts' `names`.
    `portal`: the router answers every connection itself, as a sign-in page. `stranger` is what a second
    machine on the PC's link advertises (radvd.conf of its eth0). `later` runs in the router when the PC has
    settled.
    """

    name: str
    prefix: str = LAN6
    lifetime: int = 1800
    autonomous: bool = True
    managed: bool = False
    takes_address: bool = True
    router: Sequence[str] = ()
    pc: Sequence[str] = ()
    ipv4: bool = True
    nat64: bool = False
    delay: float = 0.0
    option_108: bool = False
    has_ipv6: bool = True
    names: bool = True
    resolver: Sequence[str] = ()
    portal: bool = False
    stranger: str = ""
    later: Sequence[str] = ()


@dataclass
class Net:
    """The namespaces of one case, and the processes in them."""

    case: Case
    folder: Path
    certificates: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def space(self, place: str) -> str:
        return f"sw{os.getpid()}-{self.case.name}-{place}"

    def run(self, place: str, *lines: str) -> None:
        """Command lines in a namespace."""
        for line in lines:
            argv = ["ip", "netns", "exec", self.space(place), *line.split()]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 0, f"{line}: {done.stderr}"

    def ip(self, place: str, *lines: str) -> None:
        """Lines of `ip -batch`."""
        done = subprocess.run(
            ["ip", "-n", self.space(place), "-batch", "-"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{lines}: {done.stderr}"

    def start(self, place: str, *argv: str) -> subprocess.Popen[bytes]:
        """A daemon in a namespace; its output is in the folder."""
        log = (self.folder / f"{Path(argv[0]).name}.log").open("ab")
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.space(place), *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.started.append(process)
        return process

    def once(self, *options: str) -> str:
        """What `schoolwatch-agent once` prints on the PC, under the PC's own resolv.conf."""
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        argv = ["ip", "netns", "exec", self.space("pc"), "unshare", "-m", "sh", "-c", script, "sh"]
        data, config = self.folder / "data", self.folder / "agent.toml"
        data.mkdir(exist_ok=True)
        (data / "settings.json").write_bytes(settings.encode(TARGETS))
        config.write_text(f'[agent]\ndata = "{data}"\n')
        argv += [str(self.folder / "resolv.conf"), sys.executable, "-m", "schoolwatch_agent", "once"]
        argv += ["--config", str(config), *options]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=150, check=False)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


@contextmanager
def built(case: Case, folder: Path, certificates: Path) -> Iterator[Net]:
    """The network of a case, settled: addresses are there and every daemon answers."""
    net = Net(case, folder, certificates)
    folder.mkdir(parents=True)
    spaces = [net.space(place) for place in ("pc", "router", "internet", "stranger")]
    try:
        for space in spaces:
            subprocess.run(["ip", "netns", "add", space], check=True, timeout=30)
        _links(net)
        _serve(net)
        if case.delay:
            _slow_down(net)
        if case.nat64:
            _translate(net)
        net.run("router", *case.router)
        if case.portal:
            _sign_in(net)
        _pc(net)
        net.run("router", *case.later)
        yield net
    finally:
        for process in net.started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for space in spaces:
            subprocess.run(["ip", "netns", "del", space], check=False, timeout=30, capture_output=True)


def _links(net: Net) -> None:
    internet, pc = net.space("internet"), net.space("pc")
    net.run("router", "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    net.run("router", "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1")
    for place in ("internet", "pc"):
        net.run(place, "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    net.ip(
        "router",
        f"link add lan type veth peer name port netns {pc}",
        f"link add wan type veth peer name eth0 netns {internet}",
        "link set lo up",
        "link set wan up",
        "link set lan up",
        f"addr add {ROUTER4}/24 dev lan",
        f"addr add {ROUTER6}/64 dev lan nodad",
        "addr add 198.51.100.1/24 dev wan",
        "addr add 2001:db8:ffff::1/64 dev wan nodad",
    )
    addresses = [address for pair in HOSTS.values() for address in pair] + [V6_ONLY[1]]
    net.ip(
        "internet",
        "link set lo up",
        "link set eth0 up",
        "addr add 198.51.100.2/24 dev eth0",
        "addr add 2001:db8:ffff::2/64 dev eth0 nodad",
        *(f"addr add {address} dev lo" + (" nodad" if ":" in address else "") for address in addresses),
        "route add default via 198.51.100.1",
        "route add ::/0 via 2001:db8:ffff::1",
    )
    large = HOSTS["lon.vidu.vn"][0]
    net.ip(
        "router",
        "route add default via 198.51.100.2",
        "route add ::/0 via 2001:db8:ffff::2",
        f"route add {large} via 2001:db8:ffff::2 mtu lock 1280",
    )


def _serve(net: Net) -> None:
    _web(net, "internet", "vidu", "200 OK")
    folder, case = net.folder, net.case
    records = [f"--host-record={name},{four},{six}" for name, (six, four) in HOSTS.items()]
    records += [f"--host-record={V6_ONLY[0]},{V6_ONLY[1]}"]
    dhcp = ["--dhcp-range=192.168.77.100,192.168.77.120,1h"]
    dhcp += ["--dhcp-option=option:ipv6-only,1800"] if case.option_108 else []
    net.start(
        "router",
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
        f"--pid-file={folder / 'dnsmasq.pid'}",
        f"--dhcp-leasefile={folder / 'dnsmasq.leases'}",
        "--local=/arpa/",
        "--host-record=ipv4only.arpa,192.0.0.170",
        *(records if case.names else []),
        *case.resolver,
        *(["--port=5353"] if case.nat64 else []),
        *(dhcp if case.ipv4 else []),
    )
    if case.prefix:
        file = folder / "radvd.conf"
        flags = {name: "on" if getattr(case, name) else "off" for name in ("autonomous", "managed")}
        file.write_text(ADVERTISED % {"lifetime": case.lifetime, "prefix": case.prefix, **flags})
        file.chmod(0o644)
        net.start("router", "radvd", "-n", "-C", str(file), "-p", str(folder / "radvd.pid"), "-m", "stderr")


def _web(net: Net, place: str, certificate: str, answer: str) -> None:
    crt, key = (str(net.certificates / f"{certificate}.{kind}") for kind in ("crt", "key"))
    net.start(place, sys.executable, "-c", WEB, crt, key, answer)


def _sign_in(net: Net) -> None:
    """The router itself answers whatever the PC connects to, with its own certificate."""
    _web(net, "router", "portal", "302 Found")
    net.run(
        "router",
        "nft add table inet portal",
        "nft add chain inet portal in { type nat hook prerouting priority -100 ; }",
        "nft add rule inet portal in iifname lan tcp dport { 443, 8080 } redirect",
    )


def _slow_down(net: Net) -> None:
    """IPv6 to the Internet is routed into a tun device, out of which each packet comes later."""
    net.start("router", sys.executable, "-c", DELAY, str(net.case.delay))
    _until(lambda: (net.ip("router", "link set slow up"), True)[1])
    net.ip(
        "router",
        "route del ::/0",
        "route add ::/0 dev slow",
        "route add ::/0 via 2001:db8:ffff::2 table 100",
    )
    net.run("router", "ip -6 rule add iif slow lookup 100")


def _translate(net: Net) -> None:
    """DNS64 by unbound, and NAT64 by tayga, with a prefix of the network's own."""
    tayga, unbound = net.folder / "tayga.conf", net.folder / "unbound.conf"
    tayga.write_text(
        "tun-device nat64\nipv4-addr 192.168.255.1\nipv6-addr 2001:db8:64:1::1\nprefix 2001:db8:64::/96\n"
        f"dynamic-pool 192.168.255.0/24\ndata-dir {net.folder}\n"
    )
    net.run("router", f"tayga --mktun -c {tayga}")
    net.ip(
        "router",
        "link set nat64 up",
        "route add 192.168.255.0/24 dev nat64",
        "route add 2001:db8:64::/96 dev nat64",
    )
    net.start("router", "tayga", "--nodetach", "-c", str(tayga))
    unbound.write_text(
        f'server:\n do-daemonize: no\n username: ""\n chroot: ""\n use-syslog: no\n pidfile: ""\n'
        f' directory: "{net.folder}"\n interface: {ROUTER6}\n access-control: ::/0 allow\n'
        ' module-config: "dns64 iterator"\n dns64-prefix: 2001:db8:64::/96\n do-not-query-localhost: no\n'
        'forward-zone:\n name: "."\n forward-addr: 127.0.0.1@5353\n'
        "remote-control:\n control-enable: no\n"
    )
    net.start("router", "unbound", "-d", "-c", str(unbound))


def _pc(net: Net) -> None:
    case, folder = net.case, net.folder
    (folder / "resolv.conf").write_text(f"nameserver {ROUTER4 if case.ipv4 else ROUTER6}\n")
    # a bare veth is what containers have, and no network of a school: probes do not count it
    net.ip("pc", "link add eth0 type bridge", "link set port master eth0")
    off = int(not case.has_ipv6)
    net.run("pc", f"sysctl -qw net.ipv6.conf.all.disable_ipv6={off} net.ipv6.conf.eth0.accept_ra=1", *case.pc)
    lines = ["link set lo up", "link set port up", "link set eth0 up"]
    if case.ipv4:
        lines += ["addr add 192.168.77.10/24 dev eth0", f"route add default via {ROUTER4}"]
    net.ip("pc", *lines)
    if case.stranger:
        _stranger(net)
    if case.has_ipv6:
        _until(lambda: _has_what_was_offered(net))


def _stranger(net: Net) -> None:
    net.run("stranger", "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0")
    net.ip("pc", f"link add second type veth peer name eth0 netns {net.space('stranger')}")
    net.ip("pc", "link set second master eth0", "link set second up")
    net.ip("stranger", "link set lo up", "link set eth0 up")
    file = net.folder / "stranger.conf"
    file.write_text(f"interface eth0 {{ AdvSendAdvert on; MaxRtrAdvInterval 10; {net.case.stranger} }};\n")
    file.chmod(0o644)
    pid = net.folder / "stranger.pid"
    net.start("stranger", "radvd", "-n", "-C", str(file), "-p", str(pid), "-m", "stderr")


def _has_what_was_offered(net: Net) -> bool:
    """The link-local address, and one of each prefix that the computer can take."""
    shown = [ipaddress.ip_address(each) for each in re.findall(r"inet6 ([0-9a-f:]+)/", _shown(net))]
    taken = [net.case.prefix] if net.case.prefix and net.case.takes_address else []
    offered = ["fe80::/64", *taken, *re.findall(r"prefix (\S+)", net.case.stranger)]
    return all(any(each in ipaddress.ip_network(prefix) for each in shown) for prefix in offered)


def _shown(net: Net) -> str:
    argv = ["ip", "-n", net.space("pc"), "-6", "addr", "show", "dev", "eth0"]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout


def _until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except AssertionError:
            pass
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.1)
