"""A school's lines to the Internet, as its contracts say them and as they were tested."""

from collections.abc import Iterable

from schoolwatch_server import isps
from schoolwatch_server.indicators.facts import Contract, Said
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts, Reason

_FIBRE = frozenset({"fibre", "leased"})
_MEGA, _KILO = 1e6, 1e3


def fibre(counts: Counts, _: Numbers) -> Fraction:
    """One line of fibre, or leased, is enough; that none is so is known when every line's kind is."""
    if not counts.contracts:
        return _yes_no(None, "no_contracts")
    kinds = {contract.technology for contract in counts.contracts}
    return _yes_no(True if kinds & _FIBRE else None if "" in kinds else False, "not_declared")


def several_providers(counts: Counts, _: Numbers) -> Fraction:
    """Lines of two providers or more: so the contracts say, whether the second works nobody has tried."""
    if not counts.contracts:
        return _yes_no(None, "no_contracts")
    names = {isps.compared(c.provider) for c in counts.contracts} - {""}
    unnamed = any(not c.provider.strip() for c in counts.contracts)
    return _yes_no(True if len(names) > 1 else None if unnamed else False, "not_declared")


def of_contract(counts: Counts, numbers: Numbers) -> Fraction:
    """What was measured of what is paid for, of the way that falls further short; untested is unknown."""
    contracted = _contracted(counts)
    ways = _ways(counts)
    if contracted is None:
        return Fraction(_mega(counts.line.download), None, 0, None, "no_contracts")
    if counts.line.download is None:
        return Fraction(None, contracted, 0, 1, "no_tests")
    measured, paid = min(ways.values(), key=lambda way: way[0] / way[1])
    return Fraction(measured, paid, 1, 1, target=numbers["least"])


def of_contract_parts(counts: Counts, _: Numbers) -> Parts:
    """Schools by the way that it was: down or up."""
    ways = _ways(counts)
    worst = min(ways, key=lambda way: ways[way][0] / ways[way][1]) if "download" in ways else ""
    return tuple((way, int(way == worst)) for way in ("download", "upload"))


def _ways(counts: Counts) -> dict[str, tuple[float, float]]:
    fastest = fastest_of(counts.contracts)
    return {} if fastest is None else beside(fastest, counts.line.download, counts.line.upload)


def fastest_of(contracts: Iterable[Contract]) -> Contract | None:
    """The line that a test is held against: it runs over one, and nobody knows over which."""
    return max((c for c in contracts if c.download), key=lambda c: c.download or 0.0, default=None)


def beside(
    contract: Contract, download: float | None, upload: float | None
) -> dict[str, tuple[float, float]]:
    """Way → Mbit/s measured (given in bit/s) and paid for, of each way of which both are known."""
    pairs = {"download": (download, contract.download), "upload": (upload, contract.upload)}
    return {way: (seen / _MEGA, paid) for way, (seen, paid) in pairs.items() if seen is not None and paid}


def per_student(counts: Counts, numbers: Numbers) -> Fraction:
    """kbit/s of a student, as tested."""
    students = counts.students_declared
    if students is None:
        return Fraction(None, None, 0, None)
    if students == 0:
        return Fraction(None, 0, 0, 1, "no_students")
    contracted = _contracted(counts)
    said = None if contracted is None else _said(contracted * _MEGA / _KILO / students, numbers)
    if counts.line.download is None:
        return Fraction(None, students, 0, 1, "no_tests", said=said)
    return Fraction(counts.line.download / _KILO, students, 1, 1, said=said)


def required(students: float, numbers: Numbers) -> float:
    """Mbit/s that the UN and the ITU want a school to have by 2030: 20, or 50 kbit/s of each beyond 400."""
    if students <= numbers["students"]:
        return numbers["least"]
    return students * numbers["per_student"] / _KILO


def standard(counts: Counts, numbers: Numbers) -> Fraction:
    """Mbit/s as tested, against what a school of that size should have."""
    students = counts.students_declared
    if students is None:
        return Fraction(_mega(counts.line.download), None, 0, None)
    target = required(students, numbers)
    contracted = _contracted(counts)
    said = None if contracted is None else _said(contracted, numbers)
    measured = _mega(counts.line.download)
    if measured is None:
        return Fraction(None, None, 0, 1, "no_tests", target=target, said=said)
    return Fraction(measured, 1, 1, 1, meets=measured >= target, target=target, said=said)


def _contracted(counts: Counts) -> float | None:
    """Mbit/s of the fastest line: a test runs over one."""
    return max((c.download for c in counts.contracts if c.download), default=None)


def _said(value: float, numbers: Numbers) -> Said:
    return Said(value, "declared", numbers["at"])


def _mega(rate: float | None) -> float | None:
    return None if rate is None else rate / _MEGA


def _yes_no(is_so: bool | None, reason: Reason) -> Fraction:
    if is_so is None:
        return Fraction(None, None, 0, None, reason)
    return Fraction(float(is_so), 1, 1, 1, meets=is_so, target=1.0)


FIBRE = Indicator(
    "fibre", "boolean", fibre, code="I-12", group="network", basis="declared", counts_schools=True
)
SEVERAL_PROVIDERS = Indicator(
    "several_providers",
    "boolean",
    several_providers,
    code="I-14",
    group="network",
    basis="declared",
    counts_schools=True,
)
OF_CONTRACT = Indicator(
    "line_of_contract",
    "ratio",
    of_contract,
    of_contract_parts,
    code="I-15a",
    group="network",
    basis="hybrid",
    numbers=("least",),
)
PER_STUDENT = Indicator(
    "bandwidth_per_student", "kbit/s/student", per_student, code="I-15b", group="network", basis="hybrid"
)
STANDARD = Indicator(
    "bandwidth_standard",
    "Mbit/s",
    standard,
    code="I-15c",
    group="network",
    basis="hybrid",
    numbers=("least", "students", "per_student"),
    counts_schools=True,
)
