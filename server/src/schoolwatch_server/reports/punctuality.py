"""I-30 as the value that reports print: the share of reports of the last year that were handed in on time."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection

from schoolwatch_server.database import registry
from schoolwatch_server.indicators.indicator import IndicatorValue, Place, Source
from schoolwatch_server.reports import agenda
from schoolwatch_server.reports.on_time import OnTime
from schoolwatch_server.scope import Scope

INDICATOR = "reports_on_time"
PACK = "report_calendar@1"
"""The shipped calendar; a deadline that a province set itself is said with the report that it is of."""

_SOURCE = Source(
    "Kế hoạch 364/KH-PGDĐT ngày 30/9/2024 của Phòng GDĐT An Lão",
    "thực hiện nghiêm túc, đúng thời gian quy định các báo cáo định kỳ và đột xuất; tính theo lần nộp đầu "
    "tiên trong 12 tháng là đề xuất của SchoolWatch",
    "P",
)

Counted = Mapping[tuple[Place, int], OnTime]


def counted(conn: Connection, scope: Scope, now: float) -> Counted:
    """Of each place inside a scope with all that is below it: a commune's own report and its schools'."""
    found: defaultdict[tuple[Place, int], OnTime] = defaultdict(OnTime)
    schools = {school.id: school for school in registry.schools(conn, scope)}
    communes = {commune.id: commune for commune in registry.communes(conn, scope)}
    for (level, place_id), one in agenda.by_place(conn, scope, now).items():
        found[level, place_id] += one
        if level == "school":
            found["commune", schools[place_id].commune_id] += one
            found["province", schools[place_id].province_id] += one
        elif level == "commune":
            found["province", communes[place_id].province_id] += one
    return found


def value(counts: Counted, level: Place, place_id: int, now: float) -> IndicatorValue:
    """The value of one place; no value where nothing was due."""
    one = counts.get((level, place_id), OnTime())
    return IndicatorValue(
        indicator=INDICATOR,
        code="I-30",
        level=level,
        place_id=place_id,
        unit="ratio",
        status="not_enough_data" if one.ratio is None else "ok",
        reason="nothing_due" if one.ratio is None else "",
        value=one.ratio,
        numerator=float(one.on_time) if one.due else None,
        denominator=float(one.due) if one.due else None,
        coverage=1.0 if one.due else None,  # every report that was due is known
        source=_SOURCE,
        pack=PACK,
        target=None,
        at=now,
    )
