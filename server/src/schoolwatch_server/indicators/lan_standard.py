"""The ten checks by which a school's LAN is held against "tiêu chuẩn kỹ thuật", which no document defines.

The list is a proposal, each item anchored to a text. L5 and L8 are measured on computers, the others are what
a school declared and its manager accepted; no school passes by what is not known.
"""

from collections.abc import Mapping

from schoolwatch_server.indicators.facts import Pair
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts

CHECKS = ("L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10")
_NEEDED = ("L2", "L4", "L8", "L9")
_DAY = 86400.0


def checks(counts: Counts, numbers: Numbers) -> Mapping[str, bool | None]:
    """Each check: passed, failed, or None where nobody said and nothing measures it.

    L1 a young diagram, L2 a firewall with IPS, L3 zones, L4 manageable switches, L5 fast ports, L6 devices
    watched, L7 a plan for a second line, L8 clocks, L9 secure administration, L10 unknown devices.
    """
    return {
        "L1": _young(counts, numbers, "network_diagram", "diagram_days"),
        "L2": _claimed(counts, "firewall_ips"),
        "L3": _claimed(counts, "network_zones"),
        "L4": _claimed(counts, "managed_devices"),
        "L5": _enough(Pair(counts.wired_100, counts.wired), counts.link_known, counts, numbers),
        "L6": _claimed(counts, "network_monitored"),
        "L7": _claimed(counts, "second_line_plan"),
        "L8": _enough(counts.clocks, counts.clocks.known, counts, numbers),
        "L9": _claimed(counts, "secure_administration"),
        "L10": _young(counts, numbers, "unknown_devices_checked", "unknown_days"),
    }


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Passed of ten, covered by the ones that are known; met only with all that are needed."""
    found = checks(counts, numbers)
    passed = [name for name, is_so in found.items() if is_so]
    failed = [name for name, is_so in found.items() if is_so is False]
    meets: bool | None = None
    if any(name in failed for name in _NEEDED) or len(CHECKS) - len(failed) < numbers["passed"]:
        meets = False
    elif all(name in passed for name in _NEEDED) and len(passed) >= numbers["passed"]:
        meets = True
    known = len(passed) + len(failed)
    return Fraction(
        len(passed), len(CHECKS), known, len(CHECKS), meets=meets, target=numbers["passed"] / len(CHECKS)
    )


def parts(counts: Counts, numbers: Numbers) -> Parts:
    """For each check, whether it is passed (`L1_yes`) or not (`L1_no`); of an unknown one neither."""
    found = checks(counts, numbers)
    return tuple(
        (f"{name}_{word}", int(found[name] is is_so))
        for name in CHECKS
        for word, is_so in (("yes", True), ("no", False))
    )


def _claimed(counts: Counts, question: str) -> bool | None:
    said = counts.said.get(question)
    return None if said is None or said.value is None else said.value > 0


def _young(counts: Counts, numbers: Numbers, question: str, days: str) -> bool | None:
    """What was drawn or looked at longer ago than the pack allows is as if it never was."""
    said = counts.said.get(question)
    if said is None or said.value is None:
        return None
    return said.value > 0 and said.at >= numbers["at"] - numbers[days] * _DAY


def _enough(pair: Pair, seen: int, counts: Counts, numbers: Numbers) -> bool | None:
    """Whether enough computers do; unknown while too few of the school's are seen: one is no network."""
    declared = counts.devices_declared
    if not pair.known or not declared or seen < numbers["floor"] * declared:
        return None
    return pair.yes / pair.known >= numbers["share"]


INDICATOR = Indicator(
    "lan_standard",
    "ratio",
    compute,
    parts,
    code="I-10",
    group="network",
    basis="hybrid",
    numbers=("passed", "share", "clock", "diagram_days", "unknown_days"),
    public_only=True,
    counts_schools=True,
)
