"""GET /api/v1/work-list of a school, and /api/v1/work-lists over all: what stands, the worst places first."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from fastapi import Query
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import messages, work_list
from schoolwatch_server.access import Principal
from schoolwatch_server.api import looked, work_list_shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.exports import Excel, Lang, headers, pen
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import faults, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.faults import Tally
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.reports.pen import Cell, instant
from schoolwatch_server.scope import Scope
from schoolwatch_server.work_list import Task, Week

Json = dict[str, object]

WeekName = Annotated[str | None, Query(max_length=10, description="2026-W48; this week, when left out")]
School = Annotated[str, Query(pattern=CODE, description="Mã trường")]

COLUMNS = ("week", "school_code", "school", "rule", "title", "severity", "device", "label", "room", "since",
           "listed_at", "fresh", "mended_at", "link")  # fmt: skip
PLACES = ("week", "commune_code", "commune", "school_code", "school", "tasks", "computers", "grave", "fresh",
          "link")  # fmt: skip

Commune = Annotated[str | None, Query(pattern=CODE, description="Mã xã: its schools alone")]


@dataclass(frozen=True, slots=True)
class Listed:
    """A place with what is on its lists: a school, or a commune with how many schools have something."""

    code: str
    name: str
    above_code: str
    above: str
    schools: int
    tasks: int
    computers: int
    grave: int
    fresh: int

    @property
    def order(self) -> tuple[int, int, int, str]:
        """The worst first: computers with something grave, then those with anything."""
        return (-self.grave, -self.computers, -self.tasks, self.code)


def chosen_week(text: str | None, now: float) -> Week:
    """The week asked for. Raises a 422 `Problem` for one that is none or has not begun."""
    this = work_list.this_week(now)
    week = this if text is None else work_list.named(text)
    if week is None or week.start > this.start:
        raise bad_field("week", "a week that has begun, as 2026-W48")
    return week


def schools_listed(conn: Connection, scope: Scope, week: Week) -> tuple[Listed, ...]:
    """Each school that has something on its list, the worst first."""
    tallies = {tally.school_id: tally for tally in faults.tallies(conn, scope, week.start, week.end)}
    communes = {row.id: row.code for row in registry.communes(conn, scope)}
    found = (
        _listed(row, communes.get(row.commune_id, ""), tallies[row.id])
        for row in registry.schools(conn, scope)
        if row.id in tallies
    )
    return tuple(sorted(found, key=lambda place: place.order))


def communes_listed(schools: Iterable[Listed]) -> tuple[Listed, ...]:
    """The same by commune; `tasks` are those of its schools together."""
    of: dict[str, Listed] = {}
    for one in schools:
        sum_ = of.get(one.above_code) or Listed(one.above_code, one.above, "", "", 0, 0, 0, 0, 0)
        of[one.above_code] = replace(
            sum_,
            schools=sum_.schools + 1,
            tasks=sum_.tasks + one.tasks,
            computers=sum_.computers + one.computers,
            grave=sum_.grave + one.grave,
            fresh=sum_.fresh + one.fresh,
        )
    return tuple(sorted(of.values(), key=lambda place: place.order))


def of_school(school: School, who: Who, server: Server, week: WeekName = None) -> Json:
    """What stands on a school's list at the week's end, and what was mended in it, task by task."""
    chosen, code, name, tasks = _of_school(school, who, server, week)
    return {
        "week": chosen.name,
        "school": code,
        "name": name,
        "tasks": [_task_json(task) for task in tasks],
    }


def file_of_school(
    school: School,
    who: Who,
    server: Server,
    week: WeekName = None,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """The same as a file, a line for each computer and fault."""
    chosen, code, name, tasks = _of_school(school, who, server, week)
    looked.see(server.looked, server.engine, who, "export", f"{code} work-list")
    written = pen(server, lang, excel)
    whole: dict[str, Cell] = {"week": chosen.name, "school_code": code, "school": name}
    site = messages.public_url(server.config)
    rows = [written.row(COLUMNS, whole | cells) for task in tasks for cells in _task_cells(task, lang, site)]
    head = written.heads([(server.texts.get(lang, f"work_list.column.{name}"), name) for name in COLUMNS])
    answer = headers(f"schoolwatch-work-list-{chosen.name}.csv", "text/csv", written)
    return Response(head + b"".join(rows), headers=answer)


def of_all(who: Who, server: Server, week: WeekName = None, commune: Commune = None) -> Json:
    """Every school that you may see and that has something on its list, the worst first."""
    chosen, schools = _of_all(who, server, week, commune)
    return {"week": chosen.name, "schools": [_school_json(place) for place in schools]}


def file_of_all(
    who: Who,
    server: Server,
    week: WeekName = None,
    commune: Commune = None,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """The same as a file, each row with the address of its school's list."""
    chosen, schools = _of_all(who, server, week, commune)
    looked.see(server.looked, server.engine, who, "export", f"{commune or ''} work-lists".strip())
    site = messages.public_url(server.config)
    written = pen(server, lang, excel)
    rows = [
        written.row(
            PLACES,
            _school_json(place)
            | {"week": chosen.name, "commune": place.above, "school": place.name}
            | {"link": f"{site}/schools/{place.code}/work-list?week={chosen.name}"},  # type: ignore[arg-type]
        )
        for place in schools
    ]
    head = written.heads([(server.texts.get(lang, f"work_list.column.{name}"), name) for name in PLACES])
    answer = headers(f"schoolwatch-work-lists-{chosen.name}.csv", "text/csv", written)
    return Response(head + b"".join(rows), headers=answer)


def _of_school(
    code: str, who: Principal, server: Context, week: str | None
) -> tuple[Week, str, str, Sequence[Task]]:
    chosen = chosen_week(week, time.time())
    with begin_read(server.engine) as conn:
        row = registry.school_by_code(conn, code, who.scope)
    if row is None:
        raise not_found("school", code)
    looked.see(server.looked, server.engine, who, "incident.list", code)  # what is not theirs, nobody saw
    with begin_read(server.engine) as conn:
        found = faults.of_school(conn, who.scope, row.id, chosen.start, chosen.end)
    return chosen, row.code or code, row.name, work_list.tasks(found, server.rules, chosen)


def _of_all(
    who: Principal, server: Context, week: str | None, commune: str | None
) -> tuple[Week, tuple[Listed, ...]]:
    chosen = chosen_week(week, time.time())
    with begin_read(server.engine) as conn:
        scope = who.scope if commune is None else _commune(conn, who, commune)
        found = schools_listed(conn, scope, chosen)
    looked.see(server.looked, server.engine, who, "incident.list", commune or "")
    return chosen, found


def _commune(conn: Connection, who: Principal, code: str) -> Scope:
    """The scope of a commune. Raises a 404 `Problem` for one that who asks does not see whole."""
    wide = who.scope.level in ("all", "province", "commune")
    found = [row.id for row in registry.communes(conn, who.scope) if row.code == code] if wide else []
    if not found:
        raise not_found("commune", code)
    return Scope("commune", found[0])


def _listed(school: SchoolRow, commune: str, tally: Tally) -> Listed:
    counts = (tally.tasks, tally.computers, tally.grave, tally.fresh)
    return Listed(school.code, school.name, commune, school.commune, 1, *counts)


def _school_json(place: Listed) -> Json:
    told = asdict(place)
    counts = {name: told[name] for name in ("tasks", "computers", "grave", "fresh")}
    return {"school_code": place.code, "name": place.name, "commune_code": place.above_code} | counts


def _task_json(task: Task) -> Json:
    return {
        "rule": task.id,
        "severity": task.severity,
        "standing": [_fault_json(fault, task) for fault in task.standing],
        "mended": [_fault_json(fault, task) for fault in task.mended],
    }


def _fault_json(fault: faults.Fault, task: Task) -> Json:
    return {
        "device": fault.device,
        "label": fault.label,
        "room": fault.room,
        "since": rfc3339(fault.since),
        "listed_at": rfc3339(fault.listed_at),
        "ended_at": rfc3339(fault.ended_at),
        "fresh": fault.device in task.fresh,
        "withdrawn": fault.withdrawn,
    }


def _task_cells(task: Task, language: Lang, site: str) -> Iterable[dict[str, Cell]]:
    title = getattr(task.rule.title, language) if task.rule else task.id
    for fault in (*task.standing, *task.mended):
        yield {
            "rule": task.id,
            "title": title,
            "severity": task.severity,
            "device": fault.device,
            "label": fault.label,
            "room": fault.room or "",
            "since": instant(fault.since),
            "listed_at": instant(fault.listed_at),
            "fresh": fault.device in task.fresh,
            "link": f"{site}/devices/{fault.device}",
            "mended_at": "" if fault.withdrawn else instant(fault.ended_at) or "",
        }


ROUTES = (
    Route(
        "GET", "/api/v1/work-list", of_school, "read", "A school's work list",
        answer=work_list_shapes.WorkList,
    ),
    Route("GET", "/api/v1/work-list.csv", file_of_school, "read", "The same as a file"),
    Route(
        "GET", "/api/v1/work-lists", of_all, "read", "Schools by what is on their work lists",
        answer=work_list_shapes.WorkLists,
    ),
    Route("GET", "/api/v1/work-lists.csv", file_of_all, "read", "The same as a file"),
)  # fmt: skip
