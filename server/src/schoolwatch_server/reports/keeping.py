"""Freezes a report and keeps it, and what people then do with it: each act in one transaction, with its line
in the audit log.

A revision that was frozen never changes. Data that comes late shows in a further revision, which somebody
makes and says why; handed in, returned and accepted are said of one revision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, Engine, exc

from schoolwatch_server.access import Place as Where
from schoolwatch_server.access import Principal, covers, decides, hands_in
from schoolwatch_server.database import packs, people, registry, reports
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.reports import ReportRow
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.levels import Manager
from schoolwatch_server.reports import calendar, content
from schoolwatch_server.reports.calendar import Kind
from schoolwatch_server.reports.deadlines import in_force
from schoolwatch_server.reports.freeze import Judged, fill, place
from schoolwatch_server.reports.state import Act, after
from schoolwatch_server.scope import EVERYTHING, Scope

NOTE_MIN, NOTE_MAX = 5, 500
"""Characters of a remark, and of why there is a further revision."""

TOO_OLD = timedelta(days=366)
"""A period that ended longer ago is not frozen: a report holds the numbers of the day on which it is made."""

Reason = Literal[
    "no_place",
    "period",
    "future",
    "too_old",
    "note",
    "what_for",
    "meanwhile",
    "nothing",
    "older",
    "state",
    "not_yours",
    "not_manager",
]


class ReportError(ValueError):
    """It was not done; `reason` is a key of the texts (`reports.refused.…`), which say what to do."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """The report to freeze: of which place, kind and period (empty: the present one).

    `note`: why once more, or what for somebody asks for one outside of the calendar.
    """

    level: Place
    code: str
    kind: Kind
    period: str = ""
    note: str = ""


def freeze(engine: Engine, wanted: Wanted, judged: Judged, scope: Scope, *, by: str, now: float) -> ReportRow:
    """Keeps the report as the database stands now: the first revision, or a further one. `ReportError`."""
    today = calendar.day_of(now)
    period = wanted.period or calendar.period_of(wanted.kind, today)
    try:
        begins = calendar.begin_of(wanted.kind, period)
    except ValueError as error:
        raise ReportError("period") from error
    if begins > today:
        raise ReportError("future")
    if calendar.end_of_period(wanted.kind, period) < today - TOO_OLD:
        raise ReportError("too_old")
    with begin_read(engine) as conn:
        where = place(conn, wanted.level, wanted.code, scope)
        if where is None or not covers(scope, Where(where.province_id, where.commune_id, where.school_id)):
            raise ReportError("no_place")
        before = _newest(conn, wanted, where.id, period)
        note = one_line(wanted.note)
        needs_note = before is not None or wanted.kind == "ad_hoc"
        if needs_note and not NOTE_MIN <= len(note) <= NOTE_MAX:
            raise ReportError("note" if before is not None else "what_for")
        note = note if needs_note else ""
        deadline = in_force(conn, where.province_id).get((wanted.kind, wanted.level))
        last = calendar.last_day(wanted.kind, period, deadline.before) if deadline else None
        made = fill(
            conn,
            where,
            wanted.kind,
            period,
            judged,
            now,
            revision=1 if before is None else before.revision + 1,
            due=last.isoformat() if last else "",
            note=note,
            previous=before.sha256 if before is not None else "",
        )
    if not made.values:
        raise ReportError("nothing")
    return _keep(engine, made, judged, by, now)


def one_line(text: str) -> str:
    """What a person wrote, in one line; without what PostgreSQL does not take."""
    return " ".join(text.replace("\0", " ").split())


def _newest(conn: Connection, wanted: Wanted, place_id: int, period: str) -> ReportRow | None:
    rows = reports.listed(
        conn, EVERYTHING, kind=wanted.kind, period=period, level=wanted.level, place_id=place_id, limit=1
    )
    return next(iter(rows), None)


def _keep(engine: Engine, made: content.Content, judged: Judged, by: str, now: float) -> ReportRow:
    body = content.encode(made)
    packed, digest = reports.packed(body), content.digest(body)
    try:
        with begin_write(engine) as conn:
            same = (made.kind, made.level, made.place_id, made.period)
            if reports.newest_revision(conn, *same) != made.revision - 1:
                raise ReportError("meanwhile")
            packs.keep(conn, judged.packs.held, now)
            reports.add(
                conn,
                packed,
                now=now,
                by=by,
                kind=made.kind,
                level=made.level,
                place_id=made.place_id,
                period=made.period,
                revision=made.revision,
                code=made.code,
                name=made.name,
                note=made.note,
                simulated=made.simulated,
                due_on=made.due,
            )
            detail = {
                "kind": made.kind,
                "level": made.level,
                "period": made.period,
                "revision": made.revision,
                "sha256": digest,
            }
            people.record(conn, actor=by, action="report.freeze", subject=made.code, detail=detail, now=now)
            return _found(conn, digest, EVERYTHING)
    except exc.IntegrityError as error:  # the other server of two was quicker
        raise ReportError("meanwhile") from error


# --- handed in, returned, accepted --------------------------------------------------------------------


def act(engine: Engine, digest: str, who: Principal, doing: Act, remark: str, *, now: float) -> ReportRow:
    """Hands the newest revision in, returns it with a remark, or accepts it. Raises `ReportError`."""
    remark = one_line(remark)
    if len(remark) > NOTE_MAX or (doing == "return" and len(remark) < NOTE_MIN):
        raise ReportError("note")
    with begin_write(engine) as conn:
        row = _found(conn, digest, who.scope)
        where, runs = whereabouts(conn, row)
        if doing == "hand_in" and not hands_in(who, row.level, where):
            raise ReportError("not_yours")
        if doing != "hand_in" and not decides(who, row.level, runs, where):
            raise ReportError("not_manager")
        if is_superseded(row, reports.revisions(conn, row), doing):
            raise ReportError("older")
        state = after(row.state, doing)  # type: ignore[arg-type]  # only this module writes it
        if state is None:
            raise ReportError("state")
        if not reports.advance(conn, row.id, row.state, state, **_handed(conn, row, doing, who, where, now)):
            raise ReportError("meanwhile")
        reports.add_event(conn, row.id, doing, who.name, remark, now)
        detail = {
            "kind": row.kind, "level": row.level, "period": row.period, "revision": row.revision,
            "sha256": row.sha256, "remark": remark,
        }  # fmt: skip
        people.record(
            conn, actor=who.name, action=f"report.{doing}", subject=row.code, detail=detail, now=now
        )
        return _found(conn, digest, who.scope)


def is_superseded(row: ReportRow, revisions: Iterable[ReportRow], doing: Act) -> bool:
    """Whether that can't be done to it any more: the newest revision is handed in, and of what was handed in
    the newest is decided on, whatever was frozen since."""
    later = (one for one in revisions if one.revision > row.revision)
    return any(doing == "hand_in" or one.state in ("handed_in", "accepted") for one in later)


def _handed(
    conn: Connection, row: ReportRow, doing: Act, who: Principal, where: Where, now: float
) -> dict[str, object]:
    """What is kept of a handing in; with it the last day that holds now, by which it is on time or late."""
    if doing != "hand_in":
        return {}
    handed: dict[str, object] = {"handed_in_at": now, "handed_in_by": who.name}
    if where.province_id is not None:
        kind: Kind = row.kind  # type: ignore[assignment]  # only `freeze` writes it
        level: Place = row.level  # type: ignore[assignment]
        deadline = in_force(conn, where.province_id).get((kind, level))
        last = calendar.last_day(kind, row.period, deadline.before) if deadline else None
        handed["due_on"] = last.isoformat() if last else ""
    return handed


def whereabouts(conn: Connection, row: ReportRow) -> tuple[Where, Manager | None]:
    """Where a report's place stands in the register today, and who manages it (of schools)."""
    if row.level == "school":
        school = registry.school(conn, row.place_id, EVERYTHING)
        if school is not None:
            return Where(school.province_id, school.commune_id, school.id), school.managed_by
    elif row.level == "commune":
        for commune in registry.communes(conn, Scope("commune", row.place_id)):
            return Where(commune.province_id, commune.id), None
    return Where(row.place_id if row.level == "province" else None), None


def _found(conn: Connection, digest: str, scope: Scope) -> ReportRow:
    row = reports.found(conn, digest, scope)
    if row is None:
        raise ReportError("no_place")
    return row
