"""Puts together what is known of each school, in a dozen queries however many schools there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from schoolwatch_server.database import lists, sites
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.clocks import clocks
from schoolwatch_server.database.reach import has_code, inside, place
from schoolwatch_server.database.seen import PAIRS, RUNG_NUMBERS, Sums, rung, seen
from schoolwatch_server.database.seen import Limits as Limits
from schoolwatch_server.indicators.facts import Assets, LabUse, LineTests, Pair
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.levels import stages
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """One school's counts and where it stands in the tree; `commune` is a code."""

    school_id: int
    commune_id: int
    province_id: int
    counts: Counts
    commune: str = ""
    former_place: str = ""


def count(conn: Connection, scope: Scope, limits: Limits) -> tuple[SchoolCounts, ...]:
    """The counts of every school that a scope sees, also of schools without devices or declarations."""
    lists_ = _Lists(conn, scope, limits)
    found = conn.execute(_schools(scope.level), place(scope)).all()
    return tuple(
        SchoolCounts(
            id_, commune_id, province_id, lists_.counts(id_, level, is_public), commune or "", former or ""
        )
        for id_, commune_id, province_id, commune, level, is_public, former in found
    )


@cache
def _schools(level: Level) -> Select[Any]:
    s, c = t.school.c, t.commune.c
    return (
        select(s.id, s.commune_id, c.province_id, c.code, s.level, s.is_public, s.former_place)
        .join_from(t.school, t.commune)
        .where(inside(level), has_code())
        .order_by(s.id)
    )


def schools_of(conn: Connection, scope: Scope, limit: int) -> tuple[int, ...]:
    """The ids of at most so many schools that a scope sees."""
    return tuple(conn.scalars(_ids(scope.level), place(scope) | {"limit": limit}))


@cache
def _ids(level: Level) -> Select[Any]:
    return select(t.school.c.id).where(inside(level), has_code()).limit(bindparam("limit"))


class _Lists:
    """All that was read of the schools of a scope, by school."""

    def __init__(self, conn: Connection, scope: Scope, limits: Limits) -> None:
        self._declared = _declared(conn, scope)
        self._seen = seen(conn, scope, limits)
        self._clocks = clocks(conn, scope, limits)
        self._rooms = lists.rooms(conn, scope, limits, self._seen, self._clocks)
        self._classes = lists.classes(conn, scope, limits.now)
        self._contracts = lists.contracts(conn, scope, limits.now)
        self._lines = lists.line_tests(conn, scope, limits.working_after)
        self._assets = lists.assets(conn, scope)
        self._uses = lists.uses(conn, scope, limits)
        self._said = lists.said(conn, scope)
        self._sites = sites.facts(conn, scope, limits.working_after)
        self._issued_named = bool(limits.issued)

    def counts(self, school: int, level: str, is_public: bool) -> Counts:
        declared = self._declared.get(school, {})
        rooms = self._rooms.get(school, lists.Rooms())
        return Counts(
            devices_declared=declared.get("devices"),
            students_declared=declared.get("students"),
            student_devices_declared=declared.get("student_devices"),
            issued_named=self._issued_named,
            clocks=_sum(self._clocks.get(school, {}).values()),
            stages=stages(level),
            is_public=is_public,
            labs=rooms.labs,
            classrooms=rooms.classrooms,
            classes=self._classes.get(school, ()),
            contracts=self._contracts.get(school, ()),
            line=self._lines.get(school, LineTests()),
            assets=self._assets.get(school, Assets()),
            use=self._uses.get(school, LabUse()),
            site=self._sites.get(school),
            said=self._said.get(school, {}),
            **_of_devices(self._seen.get(school, {})),
        )


def _sum(pairs: Iterable[tuple[int, int]]) -> Pair:
    rows = list(pairs)
    return Pair(sum(yes for yes, _ in rows), sum(known for _, known in rows))


_PLAIN = (
    "devices_enrolled",
    "devices_heard",
    "student_devices_known",
    "student_devices_working",
    "protected_yes",
    "protected_known",
    "signatures_old",
    "link_known",
    "wired",
    "wired_100",
    "wired_1000",
    "servers",
)


def _of_devices(rooms: Mapping[int | None, Sums]) -> dict[str, Any]:
    """The fields of `Counts` that are sums over all rooms of a school."""
    if not rooms:
        return {}
    first, *rest = rooms.values()
    total = dict(first)
    for sums in rest:
        for name, value in sums.items():
            total[name] += value
    rungs = tuple(total[rung(number)] for number in RUNG_NUMBERS)
    return {
        **{name: total[name] for name in _PLAIN},
        **{name: Pair(total[f"{name}_yes"], total[f"{name}_known"]) for name in PAIRS},
        "ipv6_known": sum(rungs),
        "ipv6_rung": rungs,
    }


def _declared(conn: Connection, scope: Scope) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for school, quantity, value in conn.execute(_declarations(scope.level), place(scope)).all():
        of = found.setdefault(school, {})
        of.pop(quantity, None)
        if value >= 0:
            of[quantity] = int(value)
    return found


@cache
def _declarations(level: Level) -> Select[Any]:
    d = t.declaration.c
    return (
        select(d.school_id, d.quantity, d.value)
        .join_from(t.declaration, t.school)
        .where(inside(level))
        .order_by(d.declared_at, d.id)  # the newest is read last and stays
    )
