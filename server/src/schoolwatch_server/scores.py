"""Scores of a school by the criteria in force: what it entered, what is guessed from what was measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.claims.claim import Claim
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
    return of_schools(conn, Scope("school", school.id), [school], {school.id: values}, packs)[school.id]


def of_schools(
    conn: Connection,
    scope: Scope,
    schools: Iterable[SchoolRow],
    values: Mapping[int, Sequence[IndicatorValue]],
    packs: Packs,
) -> dict[int, tuple[Assessed, ...]]:
    """The same of many schools inside a scope, by their ids; `values` are theirs."""
    wanted = {f"{one.id}.{criterion.code}" for one in packs.criteria for criterion in one.criteria}
    said = claims.recognised(conn, scope, wanted) if wanted else {}
    return {
        school.id: tuple(
            Assessed(one, score(one, _entered(one, said.get(school.id, {})), _measured(values[school.id])))
            for one in packs.criteria_for(stages(school.level))
        )
        for school in schools
    }


def _entered(criteria: Criteria, said: Mapping[str, Claim]) -> dict[str, float]:
    own = f"{criteria.id}."
    return {
        name.removeprefix(own): claim.value
        for name, claim in said.items()
        if name.startswith(own) and claim.value is not None
    }


def _measured(values: Sequence[IndicatorValue]) -> dict[str, float]:
    return {value.indicator: seen for value in values if (seen := _seen(value)) is not None}


def _seen(value: IndicatorValue) -> float | None:
    """A share as it is; of any other number whether it is what is asked, 1 or 0."""
    if value.unit in ("ratio", "boolean"):
        return value.value
    return None if value.meets is None else float(value.meets)
