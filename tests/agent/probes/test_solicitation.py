"""Asking a link's routers for an advertisement, on a real pair of links in a network of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROUTER = r"""
import socket, struct, subprocess, sys, threading, time
from schoolwatch_agent.formats import advertisement
from schoolwatch_agent.host import Host

def sh(line):
    subprocess.run(line.split(), check=True)

sh("ip link add pc type veth peer name router")
for name in ("pc", "router"):
    subprocess.run(["sysctl", "-qw", f"net.ipv6.conf.{name}.accept_dad=0"], check=True)
    sh(f"ip link set {name} up")
time.sleep(0.5)

def checksum(source, target, body):
    data = source + target + struct.pack("!II", len(body), 58) + body
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

def packet(source, hops, dns):
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + bytes([1, 1]) + bytes(6)
    if dns:
        body += bytes([25, 3, 0, 0]) + struct.pack("!I", 600)
        body += socket.inet_pton(socket.AF_INET6, "2001:db8::53")
    source, target = (socket.inet_pton(socket.AF_INET6, text) for text in (source, "ff02::1"))
    body = body[:2] + struct.pack("!H", checksum(source, target, body)) + body[4:]
    frame = bytes.fromhex("333300000001") + bytes.fromhex("020000000001") + struct.pack("!H", 0x86DD)
    return frame + struct.pack("!IHBB", 6 << 28, len(body), 58, hops) + source + target + body

def answer(packets):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD)) as raw:
        raw.bind(("router", 0))
        raw.settimeout(5)
        while True:
            seen = raw.recv(2048)
            if len(seen) > 54 and seen[20] == 58 and seen[54] == 133:
                assert seen[21] == 255, "a solicitation has the hop limit 255"
                for each in packets:
                    raw.send(each)
                return

def ask(*packets):
    thread = threading.Thread(target=answer, args=(packets,))
    thread.start()
    found = Host().router_advertisements("pc", 3)
    thread.join()
    return [advertisement.parse(body) for body in found]

(found,) = ask(packet("fe80::1", 255, True))
assert found == advertisement.Advertisement(1800, resolvers=("2001:db8::53",)), found
(found,) = ask(packet("2001:db8::1", 255, True), packet("fe80::1", 64, True), packet("fe80::1", 255, False))
assert found == advertisement.Advertisement(1800), "only the valid one is taken"
assert Host().router_advertisements("pc", 0.3) == ()
try:
    Host().router_advertisements("nothing", 0.3)
except OSError:
    print("as it should")
"""


def test_a_router_is_heard_and_a_forged_one_is_not(peer: Callable[[str], Path]) -> None:
    peer("ip")
    if os.getuid() != 0:
        pytest.skip("not run: needs root for a network namespace")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", ROUTER],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.stderr.startswith("unshare: "):
        pytest.skip(f"not run: {done.stderr.strip()}")
    assert (done.returncode, done.stdout) == (0, "as it should\n"), done.stderr


def test_without_permission_it_says_so(peer: Callable[[str], Path]) -> None:
    if os.getuid() != 0:
        pytest.skip("not run: needs root to give its rights away")
    program = "from schoolwatch_agent.host import Host; Host().router_advertisements('lo', 0.1)"
    argv = [peer("setpriv"), "--bounding-set=-net_raw", "--inh-caps=-net_raw", sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PermissionError" in done.stderr
