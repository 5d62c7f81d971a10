"""What only a school can say, once its manager has accepted it: levels, licences, firewalls."""

from collections.abc import Callable

from schoolwatch_server.indicators.indicator import (
    Basis,
    Counts,
    Fraction,
    Group,
    Indicator,
    Numbers,
    Unit,
)


def answered(question: str, least: float = 1.0) -> Callable[[Counts, Numbers], Fraction]:
    """The accepted answer to a question, met from `least` on; without one nothing is known."""

    def compute(counts: Counts, _: Numbers) -> Fraction:
        said = counts.said.get(question)
        if said is None or said.value is None:
            return Fraction(None, None, 0, None, "no_claim", target=least)
        return Fraction(said.value, 1, 1, 1, meets=said.value >= least, target=least, said=said)

    return compute


def _of(
    id_: str, code: str, question: str, group: Group, *, unit: Unit = "boolean", least: float = 1.0
) -> Indicator:
    basis: Basis = "declared"
    return Indicator(
        id_, unit, answered(question, least), code=code, group=group, basis=basis, counts_schools=True
    )


STUDIO = _of("studio", "I-04", "studio", "assessment")
LEVEL = _of("digital_transformation_level", "I-06", "dt_level", "assessment", unit="level", least=2.0)
LICENSED_ANTIVIRUS = _of("licensed_antivirus", "I-18", "licensed_antivirus", "security")
NETWORK_FIREWALL = _of("network_firewall", "I-19", "firewall_ips", "security")
LICENSED_SOFTWARE = _of("licensed_software", "I-21", "licensed_software", "devices")
