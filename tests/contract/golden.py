"""Golden bytes of the wire: what today's code must read, and write again, for as long as format 1 lives.

`python tests/contract/golden.py --update` writes them anew. Once something is released that is never
right for these files: a change of the wire gets a new number and new files beside them.
"""

import sys
from pathlib import Path

from schoolwatch_contract import ack, envelope, frame, settings
from schoolwatch_contract.ack import Ack
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting
from schoolwatch_contract.settings import Bandwidth, Endpoint, Ipv6, Quality, Settings

FOLDER = Path(__file__).with_name("golden")

KEY = bytes(range(32))
"""The key of the golden frame; it opens nothing else."""

ENVELOPE = Envelope(
    schema=1,
    taken_at=1_780_000_000.25,
    agent="0.1.0",
    readings=(
        Reading("processor.busy", 0.125),
        Reading("memory.size", 8_254_390_272.0),
        Reading("link.speed", 1e9, {"nic": "eth0"}),
        Reading("ipv6.rung", None, {"rung": "2"}),
        Reading("antivirus.running", 1.0, {"product": "clamav"}),
        Reading("probe.ok", 0.0, {"probe": "firewall"}),
    ),
    facts=(
        Fact("os.name", "Debian GNU/Linux"),
        Fact("link.medium", "wired", {"nic": "eth0"}),
        Fact("hardware.model", None, {}, "not permitted"),
        Fact("hardware.vendor", "Máy tính Trường Sơn"),
    ),
    sightings=(Sighting("dhcp.offer", "192.168.1.1", {"router": "192.168.1.1"}, 1_780_000_000.0),),
)
HEADER = Header("0123456789abcdef0123456789abcdef", "fedcba9876543210", 42, 40, 1_780_000_001.5)
ACK = Ack("00112233445566ff", {"fedcba9876543210": 42, "0000000000000001": 7})
SETTINGS = Settings(
    measures_use=True,
    ipv6=Ipv6((Endpoint("one.example"), Endpoint("two.example", 8443)), "v6only.example"),
    quality=Quality(("192.0.2.1", "2001:db8::1")),
    bandwidth=Bandwidth("https://so.example/", (450, 990)),
)


def make() -> dict[str, bytes]:
    """File name to the bytes that today's code writes."""
    body = envelope.encode(ENVELOPE)
    return {
        "envelope-1.json": envelope.to_json(ENVELOPE),
        "body-1.bin": body,
        "frame-1.bin": frame.seal(HEADER, body, KEY),
        "ack-1.json": ack.encode(ACK),
        "settings-1.json": settings.encode(SETTINGS),
    }


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    FOLDER.mkdir(exist_ok=True)
    for name, data in make().items():
        (FOLDER / name).write_bytes(data)
