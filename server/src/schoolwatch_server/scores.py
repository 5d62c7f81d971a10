"""Scores of a school by the criteria in force: what it entered, what is guessed from what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.database import claims
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.levels import stages
from schoolwatch_server.packs import Packs
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.score import Scores, score
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Assessed:
    """A set of criteria with the school's scores by it."""

    criteria: Criteria
    scores: Scores


def of_school(
    conn: Connection, school: SchoolRow, values: Sequence[IndicatorValue], packs: Packs
) -> tuple[Assessed, ...]:
    """By each set of criteria for the stages that the school teaches.

    An answer to the question `qd4725.1.3` that its manager accepted is the score of criterion 1.3.
    """
    found = packs.criteria_for(stages(school.level))
    if not found:
        return ()
    wanted = {f"{one.id}.{criterion.code}" for one in found for criterion in one.criteria}
    said = claims.recognised(conn, Scope("school", school.id), wanted).get(school.id, {}) if wanted else {}
    measured = {value.indicator: seen for value in values if (seen := _seen(value)) is not None}
    return tuple(
        Assessed(
            one,
            score(
                one,
                {
                    name.removeprefix(f"{one.id}."): claim.value
                    for name, claim in said.items()
                    if name.startswith(f"{one.id}.") and claim.value is not None
                },
                measured,
            ),
        )
        for one in found
    )


def _seen(value: IndicatorValue) -> float | None:
    """A share as it is; of any other number whether it is what is asked, 1 or 0."""
    if value.unit in ("ratio", "boolean"):
        return value.value
    return None if value.meets is None else float(value.meets)
