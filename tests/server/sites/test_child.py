"""The real child looks at real sites, by a real resolver, in network namespaces of its own."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from gated import Gated
from schoolwatch_server.config import ServerConfig, Sites
from schoolwatch_server.database import sites
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.site_rounds import COMMAND, Rounds
from sitelab import Authority, Site, moves
from tree import Tree


@pytest.fixture
def net(peer: Callable[[str], Path]) -> Iterator[Gated]:
    peer("ip"), peer("dnsmasq")
    with Gated() as net:
        yield net


def test_a_round_over_a_network(net: Gated, tree: Tree, tmp_path: Path, peer: Callable[[str], Path]) -> None:
    authority = Authority(tmp_path)
    names = {
        "mot.vidu.vn": (net.lan,),
        "hai.vidu.vn": (net.lan, net.lan6),
        "sau.vidu.vn": (net.lan6,),
        "trong.vidu.vn": ("127.0.0.1", "::1"),
        "ngoai.vidu.vn": ("10.99.0.1",),
        "nguon.vidu.vn": (net.lan, net.lan6),
    }
    hosts = [f"--host-record={name},{','.join(each)}" for name, each in names.items()]
    dns = [str(peer("dnsmasq")), "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--local=/vn/"]
    dns += [f"--listen-address={net.lan}", "--bind-interfaces", "--pid-file=", "--user=root", *hosts]
    settings = Path("/etc/netns", net.place("pc"))
    settings.mkdir(parents=True)
    with ExitStack() as held:
        held.callback(settings.rmdir)
        (settings / "resolv.conf").write_text(f"nameserver {net.lan}\noptions timeout:5\n")
        held.callback((settings / "resolv.conf").unlink)
        resolver = subprocess.Popen(net.command("gate", *dns), stderr=subprocess.DEVNULL)
        held.callback(resolver.wait)
        held.callback(resolver.kill)

        def site(ip: str, *, port: int = 0, **more) -> Site:
            return held.enter_context(net.inside("gate", lambda: Site(ip=ip, port=port, **more)))

        tls = authority.context("hai.vidu.vn", days=9)
        four, six = site(net.lan, tls=tls), None
        six = site(net.lan6, port=four.port, tls=tls)
        plain, plain6 = site(net.lan, answer=moves(f"http://trong.vidu.vn:{four.port}/")), site(net.lan6)
        reference = site(net.lan)
        addresses = {
            f"https://hai.vidu.vn:{four.port}/": ("up", True, True),
            f"https://mot.vidu.vn:{four.port}/": ("up", False, False),
            f"http://sau.vidu.vn:{plain6.port}/": ("up", None, True),
            f"http://mot.vidu.vn:{plain.port}/": ("unknown", None, False),
            f"http://ngoai.vidu.vn:{plain.port}/": ("unknown", None, False),
            f"http://khong.vidu.vn:{plain.port}/": ("down", None, None),
        }
        with begin_write(tree.engine) as conn:
            for school, address in zip(tree.schools, addresses, strict=False):
                sites.change(conn, school.id, address, tree.now, "test")
        section = Sites(
            enabled=True,
            references=(f"nguon.vidu.vn:{four.port}",),
            ports=tuple({four.port, six.port, plain.port, plain6.port}),
            allowed_networks=(f"{net.lan}/32", f"{net.lan6}/128"),
            ca_file=str(authority.file),
            seconds=8.0,
        )
        config = msgspec.structs.replace(tree.config, sites=section)
        command = [str(peer("ip")), *net.command("pc", *COMMAND)[1:]]
        end = time.monotonic() + 60
        while not _answers(net) and time.monotonic() < end:
            time.sleep(0.1)
        assert _round(config, tree, command) == len(addresses)
        found = _found(tree)
        assert {address: (look.is_up, look.is_trusted, look.has_ipv6) for address, look in found.items()} == {
            address: ({"up": True, "down": False, "unknown": None}[state], trusted, six_)
            for address, (state, trusted, six_) in addresses.items()
        }
        assert found[f"https://hai.vidu.vn:{four.port}/"].issuer == "CA thử"
        assert found[f"https://mot.vidu.vn:{four.port}/"].tls_trouble == "name"
        assert found[f"http://mot.vidu.vn:{plain.port}/"].trouble == "forbidden"
        assert found[f"http://ngoai.vidu.vn:{plain.port}/"].trouble == "forbidden"
        assert found[f"http://khong.vidu.vn:{plain.port}/"].trouble == "no_name"

        asked = four.connections
        reference.close()
        section = msgspec.structs.replace(section, references=(f"{net.lan}:{reference.port}",))
        again = msgspec.structs.replace(tree.config, sites=section)
        with begin_write(tree.engine) as conn:
            for row in sites.listed(conn, EVERYTHING):
                sites.put_off(conn, [row.id], tree.now)
        assert _round(again, tree, command) == len(addresses)
        assert {(look.is_up, look.trouble) for look in _found(tree).values()} == {(None, "our_line")}
        assert four.connections == asked, "nobody is asked while our own line is down"
        with begin_read(tree.engine) as conn:
            states = {row.address: row.is_up for row in sites.listed(conn, EVERYTHING)}
        assert states[f"https://hai.vidu.vn:{four.port}/"] is True, "it was up when it was last known"


def _round(config: ServerConfig, tree: Tree, command: list[str]) -> int:
    """One job, without its pauses."""
    rounds = Rounds(config, tree.engine, command)
    rounds._rules = msgspec.structs.replace(rounds._rules, pause=0.0, again_after=0.1)
    return rounds.next(threading.Event())


def _found(tree: Tree) -> dict[str, sites.LookRow]:
    with begin_read(tree.engine) as conn:
        return {row.address: row.look for row in sites.listed(conn, EVERYTHING) if row.look}


def _answers(net: Gated) -> bool:
    done = subprocess.run(
        net.command("pc", "getent", "ahostsv4", "mot.vidu.vn."), capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0
