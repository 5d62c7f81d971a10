"""The first rung of the IPv6 ladder that fails, or is unknown, for the technician at the machine."""

from collections.abc import Iterable

from schoolwatch_agent.texts import Texts
from schoolwatch_contract import ladder
from schoolwatch_contract.records import Fact, Reading

Rungs = dict[int, tuple[bool | None, str]]
"""By number: whether it is reached (None: unknown), and the code of the reason."""


def first(readings: Iterable[Reading], facts: Iterable[Fact]) -> tuple[int, str] | None:
    """Its number and the code of the reason; None when none fails of those that are known."""
    rungs = _rungs(readings, facts)
    number = ladder.first_missed(rungs)
    return None if number is None else (number, rungs[number][1])


def line(readings: Iterable[Reading], facts: Iterable[Fact], texts: Texts) -> str:
    """What to say of them all in one line: what fails, else what is unknown; empty when nothing was seen."""
    rungs = _rungs(readings, facts)
    missed = ladder.first_missed(rungs)
    unknown = next((number for number, (reached, _) in sorted(rungs.items()) if reached is None), None)
    number = unknown if missed is None else missed
    if number is None:
        return texts("ipv6_fine") if rungs else ""
    told = words((number, rungs[number][1]), texts)
    said = texts("ipv6_unknown" if missed is None else "ipv6_first", **told)
    return said + texts("ipv6_remedy", **told) if told["remedy"] else said


def _rungs(readings: Iterable[Reading], facts: Iterable[Fact]) -> Rungs:
    reasons = {fact.labels["rung"]: fact.value or "" for fact in facts if fact.name == "ipv6.rung.reason"}
    return {
        int(reading.labels["rung"]): (
            None if reading.value is None else reading.value == 1,
            reasons.get(reading.labels["rung"], ""),
        )
        for reading in readings
        if reading.metric == "ipv6.rung"
    }


def words(found: tuple[int, str], texts: Texts) -> dict[str, object]:
    """What the texts about it are filled with: `rung`, `name`, `means` and `remedy`."""
    number, reason = found
    return {
        "rung": number,
        "name": ladder.RUNGS[number].told(texts.language),
        "means": ladder.means(reason, texts.language),
        "remedy": ladder.remedy(reason, texts.language),
    }
