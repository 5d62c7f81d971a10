"""Who may do what at the broker: a device its own topics, the server its side of all of them."""

import re
from collections.abc import Collection
from typing import Literal

from schoolwatch_contract.topics import DEVICE_READS, DEVICE_WRITES, GATEWAY_WRITES, ROOT, Leaf, parse

SERVER_READS: tuple[Leaf, ...] = (
    *DEVICE_WRITES,
    *GATEWAY_WRITES,
    *DEVICE_READS,
)  # its own words tell the server when its database, or the broker's memory, went back
SERVER_WRITES = DEVICE_READS
Action = Literal["read", "write"]
SEAT = "seat"
"""The file with the client id of who takes reports: amqtt makes its session before anybody is let in."""

_USER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GATEWAY = re.compile(rf"topic write {ROOT}/([0-9a-f]{{32}})/{GATEWAY_WRITES[0]}")


def is_user(name: str) -> bool:
    """Whether a name can stand in a password file and an ACL line without changing their meaning."""
    return _USER.fullmatch(name) is not None


def acl(server_user: str, gateways: Collection[str] = ()) -> str:
    """Mosquitto's ACL file (mosquitto.conf(5), `acl_file`): what isn't allowed here is denied.

    `gateways` are the devices that may also say that they are there and pass on what others report.
    Raises ValueError for a name that could not stand there.
    """
    lines = [f"user {_checked(server_user)}"]
    lines += [f"topic read {ROOT}/+/{leaf}" for leaf in SERVER_READS]
    lines += [f"topic write {ROOT}/+/{leaf}" for leaf in SERVER_WRITES]
    for gateway in sorted(gateways):
        lines.append(f"user {_checked(gateway)}")
        lines += [f"topic write {ROOT}/{gateway}/{leaf}" for leaf in GATEWAY_WRITES]
    lines += [f"pattern write {ROOT}/%u/{leaf}" for leaf in DEVICE_WRITES]
    lines += [f"pattern read {ROOT}/%u/{leaf}" for leaf in DEVICE_READS]
    return "\n".join(lines) + "\n"


def parse_gateways(text: str) -> frozenset[str]:
    """The gateways that an ACL file of ours names."""
    found = (_GATEWAY.fullmatch(line) for line in text.splitlines())
    return frozenset(match[1] for match in found if match)


def may(
    user: str, action: Action, topic: str, server_user: str, gateways: Collection[str] = frozenset()
) -> bool:
    """The same rules for one message on one topic (no wildcards)."""
    try:
        device, leaf = parse(topic)
    except ValueError:
        return False
    if user == server_user:
        return leaf in (SERVER_READS if action == "read" else SERVER_WRITES)
    if user != device:
        return False
    if action == "read":
        return leaf in DEVICE_READS
    return leaf in DEVICE_WRITES or (leaf in GATEWAY_WRITES and user in gateways)


def password_file(users: dict[str, str]) -> str:
    """`name:hash` a line, as mosquitto reads it; raises ValueError for a name that could not stand there."""
    for name, hashed in users.items():
        _checked(name)
        if any(c in hashed for c in ":\r\n"):
            raise ValueError(f"the hash of {name[:80]!r} is none")
    return "".join(f"{name}:{hashed}\n" for name, hashed in sorted(users.items()))


def parse_password_file(text: str) -> dict[str, str]:
    """Name → hash; lines that are neither are left out."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: hashed for name, colon, hashed in pairs if colon and is_user(name)}


def _checked(name: str) -> str:
    if not is_user(name):
        raise ValueError(f"{name[:80]!r} can't be a broker user")
    return name
