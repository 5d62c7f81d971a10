"""What simulated computers report in `alert_latency`, and when; some of them of malware from a moment on."""

import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_contract.topics import topic

DAY = 86400.0


@dataclass(frozen=True)
class Device:
    """A simulated computer: its name at the broker and in incidents, its key, and the commune it is in."""

    id: int
    device: str
    key: bytes
    commune: int


def readings(seq: int, chance: random.Random, detections: float) -> tuple[Reading, ...]:
    """40 of them, as often as a computer measures each: antivirus always, the firewall each third time."""
    av = {"product": "defender"}
    found = [
        Reading("antivirus.products", 1.0, {}),
        Reading("antivirus.running", 1.0, av),
        Reading("antivirus.realtime", 1.0, av),
        Reading("antivirus.signatures_current", 1.0, av),
        Reading("antivirus.signature_age", chance.uniform(0, DAY), av),
        Reading("antivirus.tamper_protected", 1.0, av),
        Reading("antivirus.scan_age", chance.uniform(0, 7 * DAY), av),
        Reading("antivirus.detections", detections, av),
        Reading("uptime.seconds", 7200.0 + seq * 300.0, {}),
        Reading("processor.busy", chance.random(), {}),
        Reading("processor.load", chance.random(), {}),
        Reading("processor.count", 4.0, {}),
        Reading("memory.size", 8e9, {}),
        Reading("memory.available", chance.uniform(1e9, 6e9), {}),
    ]
    found += [Reading("disk.free", chance.uniform(1e10, 2e11), {"disk": f"{d}:"}) for d in "CD"]
    found += [Reading("disk.size", 2.5e11, {"disk": f"{d}:"}) for d in "CD"]
    if seq % 3 == 0:
        found += [Reading("firewall.enabled", 1.0, {"profile": p}) for p in ("domain", "private", "public")]
    if seq % 10 == 0:
        found += [Reading("autorun.enabled", 0.0, {}), Reading("backup.age", DAY, {"kind": "file"})]
        found += [Reading("updates.age", DAY, {}), Reading("updates.last_installed_age", 5 * DAY, {})]
    while len(found) < 40:
        found.append(Reading("link.in_octets", chance.uniform(0, 1e9), {"nic": f"eth{len(found)}"}))
    return tuple(found)


def plan(
    devices: Sequence[Device], rate: float, seconds: float, alarms: Mapping[str, float]
) -> Iterator[tuple[float, str, bytes, str]]:
    """Frames with the seconds at which each goes; one that tells of malware for the first time is marked.

    `alarms` says from when on a device tells of it.
    """
    chance, began = random.Random(5), time.time()
    spool, told = secrets.token_hex(8), set[str]()
    for n in range(int(rate * seconds)):
        one, seq, due = devices[n % len(devices)], n // len(devices) + 1, n / rate
        is_bad = due >= alarms.get(one.device, seconds + 1)
        body = Envelope(1, began + due, "0.1.0", readings(seq, chance, float(is_bad)))
        frame = frames.seal(Header(one.device, spool, seq, 1, began + due), envelopes.encode(body), one.key)
        mark = one.device if is_bad and one.device not in told else ""
        told.update({mark} - {""})
        yield due, topic(one.device, "report"), frame, mark
