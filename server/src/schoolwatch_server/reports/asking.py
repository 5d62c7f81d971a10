"""Scores and plan rows of a place, put into the form in which a report keeps them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from schoolwatch_server import plan_rows, scores
from schoolwatch_server.database import registry
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import At
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.packs import Packs
from schoolwatch_server.packs.score import Line
from schoolwatch_server.reports.asked import Assessment, GroupTotal, PlanLine, Scored, ScoreLine
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.scores import Assessed


def assessments(
    conn: Connection, school_id: int, values: Sequence[IndicatorValue], packs: Packs
) -> tuple[Assessment, ...]:
    """Of a school by each set of criteria for what it teaches; none of a school that is no more."""
    school = registry.school(conn, school_id, EVERYTHING)
    if school is None:
        return ()
    return tuple(_assessment(one) for one in scores.of_school(conn, school, values, packs))


def scored(
    conn: Connection,
    scope: Scope,
    schools: Sequence[SchoolRow],
    values: Mapping[int, Sequence[IndicatorValue]],
    packs: Packs,
) -> dict[int, tuple[Scored, ...]]:
    """The same of every school of a place, in short."""
    found = scores.of_schools(conn, scope, schools, values, packs)
    return {id_: tuple(_scored(one) for one in of) for id_, of in found.items()}


def plan_lines(
    conn: Connection,
    scope: Scope,
    values: Sequence[IndicatorValue],
    items: Sequence[OfItem],
    packs: Packs,
) -> tuple[PlanLine, ...]:
    """What the plans in force ask of a school, commune or province, beside what was reached there."""
    if scope.level == "school":
        school = registry.school(conn, scope.id or 0, EVERYTHING)
        rows = () if school is None else plan_rows.of_school(conn, school, values, packs)
    else:
        rows = plan_rows.of_place(conn, scope, At(tuple(values), tuple(items)), packs)
    return tuple(_plan_line(row) for row in rows)


def _assessment(of: Assessed) -> Assessment:
    criteria, found = of.criteria, of.scores
    return Assessment(
        criteria=criteria.id,
        pack=criteria.name,
        document=criteria.document,
        lines=tuple(_score_line(line) for line in found.lines),
        groups=tuple(
            GroupTotal(
                code=one.group.code,
                vi=one.group.vi,
                en=one.group.en,
                total=one.total,
                most=one.group.max,
                is_provisional=one.is_provisional,
                why=one.why or "",
                criteria=one.criteria,
                confidence=one.group.confidence,
            )
            for one in found.groups
        ),
        level=found.level,
        is_provisional=found.is_provisional,
        why=found.why or "",
        unfulfilled=found.unfulfilled,
        level_clause=criteria.levels.clause if criteria.levels else "",
        confidence=criteria.levels.confidence if criteria.levels else "",
    )


def _score_line(line: Line) -> ScoreLine:
    criterion = line.criterion
    return ScoreLine(
        code=criterion.code,
        group=criterion.group,
        vi=criterion.vi,
        en=criterion.en,
        score=line.score,
        basis=line.basis,
        most=criterion.max,
        mandatory=criterion.mandatory,
        fulfilled=line.fulfilled,
        is_too_high=line.is_too_high,
        indicator=criterion.indicator or "",
        note=criterion.note,
        clause=criterion.clause,
        confidence=criterion.confidence,
    )


def _scored(of: Assessed) -> Scored:
    found = of.scores
    return Scored(
        criteria=of.criteria.id,
        pack=of.criteria.name,
        document=of.criteria.document,
        totals=tuple((one.group.code, one.total) for one in found.groups),
        level=found.level,
        is_provisional=found.is_provisional,
        why=found.why or "",
    )


def _plan_line(row: plan_rows.Row) -> PlanLine:
    plan, item = row.plan, row.item
    return PlanLine(
        plan=plan.name,
        item=item.id,
        vi=item.vi,
        en=item.en,
        document=plan.document,
        clause=item.clause,
        confidence=item.confidence,
        target=item.target,
        unit=item.unit,
        better=item.better,
        deadline=item.deadline.isoformat() if item.deadline else "",
        mandatory=item.mandatory,
        indicator=item.indicator or "",
        question=item.question or "",
        standing=row.standing,
        value=row.value,
        value_unit=row.unit,
        coverage=row.coverage,
        reached=row.reached,
        answered=row.answered,
        schools=row.schools,
        all_schools=row.all_schools,
    )
