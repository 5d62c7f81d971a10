"""I-30, the share of reports of the last year that were handed in on time: of places, and as a series."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import judged
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.indicator import IndicatorValue, Place, Source
from schoolwatch_server.indicators.series import Written, places, put
from schoolwatch_server.indicators.stored import FRESH, MEASUREMENT
from schoolwatch_server.reports import agenda
from schoolwatch_server.reports.on_time import OnTime
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.series import Judged

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


def counted(conn: Connection, scope: Scope, now: float, read: agenda.Known | None = None) -> Counted:
    """Of each place inside a scope with all that is below it: a commune's own report and its schools'."""
    read = agenda.known(conn, scope, now) if read is None else read
    above = {
        (deadline.level, place.id): (province.id, place.commune_id)
        for province, deadline, owing, _ in read
        for place in owing
    }
    found: defaultdict[tuple[Place, int], OnTime] = defaultdict(OnTime)
    for (level, place_id), one in agenda.by_place(conn, scope, now, read).items():
        found[level, place_id] += one
        province_id, commune_id = above[level, place_id]
        if commune_id is not None:
            found["commune", commune_id] += one
        if level != "province":
            found["province", province_id] += one
    return found


def write(engine: Engine, now: float, every: float, written: Written) -> int:
    """Writes I-30 of every place back as a series, as `indicators.series` does; gives how many rows."""
    at = now // every * every
    with begin_read(engine) as conn:
        counts = counted(conn, EVERYTHING, now)
        tags = places(conn)
    found = ((its, value(counts, level, id_, now)) for (level, id_), its in tags.items())
    rows = [
        Judged(
            MEASUREMENT,
            its | {"indicator": INDICATOR},
            at,
            one.value,
            one.numerator,
            one.denominator,
            one.coverage,
            one.pack,
        )
        for its, one in found
        if one.denominator
    ]
    return put(engine, rows, written)


def here(
    conn: Connection, level: Place, place_id: int, now: float, read: agenda.Known | None = None
) -> IndicatorValue:
    """The value of one place now; of a province as it was last written: that counts all reports."""
    if level == "province":
        tags = {"level": "province", "province": str(place_id), "indicator": INDICATOR}
        for row in judged.latest_of(conn, MEASUREMENT, [tags]):
            if row.at >= now - FRESH and row.numerator is not None and row.denominator is not None:
                kept = OnTime(int(row.denominator), int(row.numerator))
                return value({(level, place_id): kept}, level, place_id, row.at)
    return value(counted(conn, Scope(level, place_id), now, read), level, place_id, now)


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
        basis="hybrid",
    )
