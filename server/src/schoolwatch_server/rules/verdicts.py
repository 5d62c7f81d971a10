"""Verdicts that rules ask for, each of one envelope: yes, no, or not known (None); some are numbers.

Those of `posture` and `machine` are what indicators count too; of them only what a rule asks for is reckoned,
for a province's computers report a thousand times a second. A verdict with two limits is not known between
them: so a rule neither opens nor closes there, and a value that swings around one limit is one incident.
"""

from collections.abc import Callable, Mapping
from typing import Final

from schoolwatch_server import lifecycle, machine, posture
from schoolwatch_server.rules.told import Told
from schoolwatch_server.state import Known, find, key, parse_key
from schoolwatch_server.vietnam import day_of

_GIGABIT, _FAST = 1e9, 1e8
_GB = 1e9
_SYSTEM: Final = ("/", "C:\\")
"""Mount points of the volume that the operating system lies on; of Windows' the usual one."""


def other_antivirus(told: Told) -> bool | None:
    """Whether what protects the computer is not what the province issues; where nothing does, no answer."""
    if not posture.protected(told.state):
        return None
    runs = posture.issued(posture.antivirus(told.state), told.given.issued)
    return None if runs is None else not runs


def disk_full(told: Told) -> bool | None:
    """The system's volume: below 2 GB, or below 5 % and 10 GB; over again above 4 GB, and 8 % or 15 GB.

    Updates fail and programs stop there; what fills a data volume is its owner's affair.
    """
    for mount in _SYSTEM:
        free, size = (_number(told.state, key(f"disk.{name}", {"mount": mount})) for name in ("free", "size"))
        if free is not None and size:
            if free < 2 * _GB or (free < 0.05 * size and free < 10 * _GB):
                return True
            return False if free > 4 * _GB and (free > 0.08 * size or free > 15 * _GB) else None
    return None


def rdp_open(told: Told) -> bool | None:
    """Remote desktop is allowed without Network Level Authentication; group policy wins over the machine."""
    allowed, asks = (_by_policy(told.state, f"remote_access.{name}") for name in ("rdp", "rdp_nla"))
    if allowed is False or asks is True:
        return False
    return None if allowed is None or asks is None else True


def smb1(told: Told) -> bool | None:
    """The computer serves files over SMB 1."""
    served = _number(told.state, key("remote_access.smb1", {"source": "server"}))
    return None if served is None else served == 1


def unsupported_system(told: Told) -> bool | None:
    """No security updates come any more on the day the envelope was taken; LTSC by its edition, ESU by build.

    What is not in the table, or hangs on an edition or build that is not known, has no answer.
    """
    name, release, edition, build = (_fact(told.state, f"os.{what}") for what in _OS)
    if name is None:
        return None
    found = lifecycle.find(told.given.systems, name, release or "", edition)
    supported = None if found is None else lifecycle.is_supported(found, build, day_of(told.at))
    return None if supported is None else not supported


_OS = ("name", "version", "edition", "build")


def slow_link(told: Told) -> bool | None:
    """The fastest cable carries 100 Mbit/s and less than 1 Gbit/s; of a slower one see `very_slow_link`."""
    speed = _cable(told)
    return None if speed is None or speed < _FAST else speed < _GIGABIT


def very_slow_link(told: Told) -> bool | None:
    """The fastest cable carries less than 100 Mbit/s."""
    speed = _cable(told)
    return None if speed is None else speed < _FAST


def _cable(told: Told) -> float | None:
    speed, medium = posture.link(told.state)
    return speed if medium == "wired" else None


def half_duplex(told: Told) -> bool | None:
    """A cable in use sends or receives, never both at once: the two ends did not agree."""
    modes = [_fact(told.state, key("link.duplex", {"nic": nic})) for nic in _cables(told.state)]
    if "half" in modes:
        return True
    return None if None in modes or not modes else False


def link_errors(told: Told) -> bool | None:
    """Over 0.1 % of what a cable carried since its driver was loaded was broken, and over 1,000 packets.

    Over again below half of that. Packets are reckoned with 1,000 bytes each.
    """
    answers = [_breaks(told.state, nic) for nic in _cables(told.state)]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _breaks(state: Known, nic: str) -> bool | None:
    counted = [_number(state, key(f"link.{name}", {"nic": nic})) for name in _COUNTERS]
    known = [number for number in counted if number is not None]
    if len(known) < len(counted):
        return None
    octets, errors = known[0] + known[1], known[2] + known[3]
    share = errors / max(octets / 1000, 1.0)
    if errors > 1000 and share > 0.001:
        return True
    return False if errors < 500 or share < 0.0005 else None


_COUNTERS = ("in_octets", "out_octets", "in_errors", "out_errors")


def _cables(state: Known) -> list[str]:
    """Wired links that are up."""
    up = [labels.get("nic", "") for labels, number in find(state.readings, "link.up").values() if number == 1]
    wired = {
        parse_key(name)[1].get("nic", "")
        for name, fact in state.facts.items()
        if name.startswith("link.medium{") and fact.value == "wired"
    }
    return [nic for nic in up if nic in wired]


def _by_policy(state: Known, metric: str) -> bool | None:
    for source in ("policy", "local"):
        number = _number(state, key(metric, {"source": source}))
        if number is not None:
            return number == 1
    return None


def _number(state: Known, name: str) -> float | None:
    value = state.readings.get(name)
    return None if value is None else value.value


def _fact(state: Known, name: str) -> str | None:
    fact = state.facts.get(name)
    return None if fact is None else fact.value


POSTURE: Final[Mapping[str, Callable[[Told], float | bool | None]]] = {
    "protected": lambda told: posture.protected(told.state),
    "ipv6_rung": lambda told: posture.ipv6_rung(told.state),
    "link_speed": lambda told: posture.link(told.state)[0],
}
"""What `posture` of a condition may name."""

MACHINE: Final[Mapping[str, Callable[[Told], float | bool | None]]] = {
    "realtime": lambda told: machine.antivirus(told.state)[0],
    "firewall": lambda told: machine.firewall(told.state),
    "autorun_off": lambda told: machine.autorun_off(told.state),
    "patch_age": lambda told: machine.patch_age(told.state),
    "disk_failing": lambda told: machine.disk_failing(told.state),
    "backup_age": lambda told: machine.backup_age(told.state),
    "accounts_closed": lambda told: machine.accounts_closed(told.state),
    "other_antivirus": other_antivirus,
    "disk_full": disk_full,
    "rdp_open": rdp_open,
    "smb1": smb1,
    "unsupported_system": unsupported_system,
    "slow_link": slow_link,
    "very_slow_link": very_slow_link,
    "half_duplex": half_duplex,
    "link_errors": link_errors,
}
"""What `machine` of a condition may name."""

NUMBERS: Final = frozenset({"ipv6_rung", "link_speed", "patch_age", "backup_age"})
"""Those of them that are numbers; the others are yes or no."""
