"""A school's lines to the Internet, as its contracts say them and as they were tested."""

from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Reason

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
    names = {" ".join(c.provider.casefold().split()) for c in counts.contracts} - {""}
    unnamed = any(not c.provider.strip() for c in counts.contracts)
    return _yes_no(True if len(names) > 1 else None if unnamed else False, "not_declared")


def of_contract(counts: Counts, numbers: Numbers) -> Fraction:
    """What was measured of what is paid for; without a test nothing is known.

    It is the way down that is told; a line whose way up falls short of its contract does not meet it either.
    """
    contracted = _contracted(counts)
    measured = counts.line.download
    if contracted is None:
        return Fraction(_mega(measured), None, 0, None, "no_contracts")
    if measured is None:
        return Fraction(None, contracted, 0, 1, "no_tests")
    meets = False if _is_slow_up(counts, numbers) else None
    return Fraction(measured / _MEGA, contracted, 1, 1, meets=meets, target=numbers["least"])


def _is_slow_up(counts: Counts, numbers: Numbers) -> bool:
    """Whether the way up of the fastest line is known to be below what its contract lets expect."""
    fastest = max((c for c in counts.contracts if c.download), key=lambda c: c.download or 0)
    if not fastest.upload or counts.line.upload is None:
        return False
    return counts.line.upload / _MEGA < numbers["least"] * fastest.upload


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
