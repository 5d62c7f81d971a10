"""Adds up the schools of a place, and says how much of the place the sum covers.

Coverage is capped school by school, so a school with more devices than it declared can't hide one that
is silent. A school that has not declared what the indicator needs has an unknown number of devices: it
stays out of numerator and denominator, and the coverage of the place is multiplied by the share of
schools that did declare. That takes undeclared schools to be as large as the others, which is a
convention; it can only hold a value back, never make one look better.
"""

from collections.abc import Sequence
from typing import Literal

from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Fraction, Reason, Total

OUT = ("not_applicable", "no_students")
"""Reasons for which a school is no part of a sum: nothing is asked of it, or there is nobody to count."""


def of_school(fraction: Fraction, floor: float) -> Total:
    """One school; what was seen of it is told even when it has declared nothing, but there is no value."""
    if fraction.reason:
        coverage = _coverage(fraction)
        return Total(fraction.numerator, fraction.denominator, coverage, fraction.reason)
    if fraction.declared is None:
        return Total(fraction.numerator, fraction.denominator, None, "not_declared")
    if not fraction.declared:
        return Total(fraction.numerator, fraction.denominator, None, "nothing_declared")
    coverage = min(fraction.known, fraction.declared) / fraction.declared
    reason = why_not(fraction.denominator, coverage, floor)
    return Total(fraction.numerator, fraction.denominator, coverage, reason)


def add_up(fractions: Sequence[Fraction], floor: float) -> Total:
    """The sum of all schools' fractions and why it may not be shown; the reason is empty when it may."""
    declaring = [f for f in fractions if f.declared is not None]
    if not declaring:
        return Total(None, None, None, "not_declared" if fractions else "not_applicable")
    numerator = _sum([f.numerator for f in declaring])
    denominator = _sum([f.denominator for f in declaring])
    declared = sum(f.declared or 0 for f in declaring)
    if declared == 0:
        return Total(numerator, denominator, None, "nothing_declared")
    covered = sum(min(f.known, f.declared or 0) for f in declaring)
    coverage = covered / declared * (len(declaring) / len(fractions))
    return Total(numerator, denominator, coverage, why_not(denominator, coverage, floor))


def share_of_schools(fractions: Sequence[Fraction], floor: float) -> Total:
    """Schools that meet what is asked, of those of which that is known; covered are the latter.

    A school of which nothing is asked (a preschool has no Informatics, one without pupils no lesson) is in
    neither.
    """
    asked = [f for f in fractions if f.is_asked and f.reason not in OUT]
    if not asked:
        return Total(None, None, None, "not_applicable")
    known = [f.meets for f in asked if f.meets is not None]
    coverage = len(known) / len(asked)
    return Total(sum(known), len(known), coverage, "few_schools" if coverage < floor else "")


def declared_sum(asked: Sequence[Fraction], floor: float) -> Said | None:
    """What the schools that are asked declare, added up; nothing where too few of them do."""
    told = [said for said in _said(asked) if said.numerator is not None and said.denominator]
    if not told or len(told) < floor * len(asked):
        return None
    numerator = sum(said.numerator or 0 for said in told)
    return _together(numerator / sum(said.denominator or 0 for said in told), told)


def declared_share(
    asked: Sequence[Fraction], floor: float, better: Literal["higher", "lower"]
) -> Said | None:
    """The share of schools that meet what is asked by what they declare; nothing where too few do."""
    told = [(f.said, f.target) for f in asked if f.said is not None and f.target is not None]
    held = [(said, said.value, target) for said, target in told if said.value is not None]
    if not held or len(held) < floor * len(asked):
        return None
    met = sum(value >= target if better == "higher" else value <= target for _, value, target in held)
    return _together(met / len(held), [said for said, _, _ in held])


def _said(fractions: Sequence[Fraction]) -> list[Said]:
    return [f.said for f in fractions if f.said is not None]


def _together(value: float, told: Sequence[Said]) -> Said:
    """As far as the one that has come least far: a number that nobody looked through makes all of it one."""
    states = [said.state for said in told]
    state = next((state for state in ("declared", "accepted") if state in states), states[0])
    return Said(value, state, max(said.at for said in told))


def of_numbers(
    numerator: float | None,
    denominator: float | None,
    coverage: float | None,
    floor: float,
    *,
    counts_schools: bool,
) -> Total:
    """The sum of a commune or province, from the numbers that were kept of it."""
    if counts_schools:
        reason: Reason = "not_applicable" if coverage is None else "few_schools" if coverage < floor else ""
        return Total(numerator, denominator, coverage, reason)
    if coverage is not None:
        return Total(numerator, denominator, coverage, why_not(denominator, coverage, floor))
    return Total(numerator, denominator, None, "not_declared" if denominator is None else "nothing_declared")


def why_not(denominator: float | None, coverage: float, floor: float) -> Reason:
    """The reason to withhold a value whose coverage is known, empty when there is none."""
    if coverage < floor:
        return "coverage_below_floor"
    return "" if denominator else "nothing_to_count"


def _coverage(fraction: Fraction) -> float | None:
    if not fraction.declared:
        return None
    return min(fraction.known, fraction.declared) / fraction.declared


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
