"""`lan`: which device of the school's network is behind a pseudonym; shown on the gateway itself alone."""

import json
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from schoolwatch_agent import identity
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import heard, hints
from schoolwatch_agent.formats.heard import Heard
from schoolwatch_agent.host import Host
from schoolwatch_agent.texts import Texts

FINE, FAILED = 0, 1


class Device(NamedTuple):
    """A device as it is known here; `ago` is in seconds."""

    pseudonym: str
    mac: str
    addresses: tuple[str, ...]
    nic: str
    ago: float


def devices(found: Heard, key: bytes, wanted: str, now: float) -> tuple[Device, ...]:
    """Those whose pseudonym begins as `wanted`, or one of whose addresses has it; heard last comes first."""
    rows = []
    for each in found.stations:
        name = hints.station(key, each.mac)
        names = (
            name,
            *(hints.pseudonym(key, "address", address) for address in each.addresses if ":" in address),
        )
        if any(name.startswith(wanted) for name in names):
            rows.append(Device(name, each.mac, each.addresses, each.nic, max(now - each.last, 0.0)))
    return tuple(sorted(rows, key=lambda row: row.ago))


def show(
    config: AgentConfig, texts: Texts, wanted: str, write: Callable[[str], object], *, as_json: bool
) -> int:
    """Says them. The exit code: 1 when there is nothing to show, and why."""
    host = Host()
    if host.system == "windows":
        write(texts("watch_on_linux_alone"))
        return FAILED
    key = identity.hint_key(config.data)
    if not key:
        write(texts("lan_not_enrolled"))
        return FAILED
    try:
        found = heard.parse(host.text(f"{config.sensors.folder}/{heard.FILE}"))
    except (OSError, NotUnderstood):
        write(texts("lan_not_watched"))
        return FAILED
    rows = devices(found, key, wanted.lower(), time.time())
    if as_json:
        write(json.dumps([row._asdict() for row in rows], indent=2))
    elif rows:
        write(_table(rows, texts))
    else:
        write(texts("lan_unknown", wanted=wanted))
    return FINE if rows else FAILED


def _table(rows: Sequence[Device], texts: Texts) -> str:
    lines = [
        f"{row.pseudonym}  {row.mac}  {row.nic:<8} {texts('lan_ago', minutes=round(row.ago / 60)):<16} "
        f"{' '.join(row.addresses)}"
        for row in rows
    ]
    return "\n".join([texts("lan_head"), *(line.rstrip() for line in lines), "", texts("lan_stays_here")])
