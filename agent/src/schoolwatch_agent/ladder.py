"""The first rung of the IPv6 ladder that fails, for the technician at the machine."""

from collections.abc import Iterable

from schoolwatch_agent.texts import Texts
from schoolwatch_contract import ladder
from schoolwatch_contract.records import Fact, Reading


def first(readings: Iterable[Reading], facts: Iterable[Fact]) -> tuple[int, str] | None:
    """Its number and the code of the reason; None when none fails of those that are known."""
    reasons = {fact.labels["rung"]: fact.value or "" for fact in facts if fact.name == "ipv6.rung.reason"}
    rungs = {
        int(reading.labels["rung"]): (
            None if reading.value is None else reading.value == 1,
            reasons.get(reading.labels["rung"], ""),
        )
        for reading in readings
        if reading.metric == "ipv6.rung"
    }
    number = ladder.first_missed(rungs)
    return None if number is None else (number, rungs[number][1])


def words(found: tuple[int, str], texts: Texts) -> dict[str, object]:
    """What the texts about it are filled with: `rung`, `name`, `means` and `remedy`."""
    number, reason = found
    return {
        "rung": number,
        "name": ladder.RUNGS[number].told(texts.language),
        "means": ladder.means(reason, texts.language),
        "remedy": ladder.remedy(reason, texts.language),
    }
