"""What the API answers of communes in the order of an indicator."""

from typing import Annotated, Literal

from pydantic import Field

from schoolwatch_server.api.shapes import Answer, Count, Ratio, School

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]


class Change(Answer):
    """The value less what it was on that day; `other_pack`: another version of the pack judged that one."""

    amount: float
    since: Day
    other_pack: bool


class Reached(Answer):
    """Schools that reach what is asked of them, of how many that is known, of how many it is asked."""

    reached: Count
    known: Count
    asked: Count


class Commune(Answer):
    """`rank` null: there is no value, and `reason` says why."""

    commune: School
    rank: Annotated[int | None, Field(ge=1)]
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: Ratio | None
    reason: str
    change: Change | None
    schools: Reached | None


class Ranking(Answer):
    """The communes of a province; `compared_with` is the day that changes are reckoned from."""

    indicator: str
    unit: str
    better: Literal["higher", "lower"]
    target: float | None
    pack: str
    compared_with: Day
    ranked: list[Commune]
    not_enough_data: list[Commune]
