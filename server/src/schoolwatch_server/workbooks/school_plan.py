"""Compares a list of schools with the registry: what it would change, and what is wrong with it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from schoolwatch_server.alphabet import plain
from schoolwatch_server.workbooks.cells import Code
from schoolwatch_server.workbooks.faults import Faults, usual_width
from schoolwatch_server.workbooks.schools import DECLARED, STATUS, Change, Known, Place, Plan, School
from schoolwatch_server.workbooks.table import Heading, Read, Record

_KIND = re.compile(r"^(xa|phuong|thi tran|dac khu|tinh|thanh pho|tp)\b[ .]*")
"""What kind of place it is, which people write or leave out."""

_COMPARED = ("level", *STATUS, *DECLARED, "website")


def plan(read: Read, known: Known, today: date) -> Plan:
    """What the list would do to the registry as it is known; with any problem nothing may be done."""
    if read.heading is None:
        return Plan((), 0, (), (), read.problems)
    found = _Planner(read, read.heading, known, today)
    for record in read.records:
        found.take(record)
    found.compare_names()
    new_communes = tuple(one for code, one in found.communes.items() if code not in known.communes)
    new_provinces = tuple(one for code, one in found.provinces.items() if code not in known.provinces)
    return Plan(tuple(found.changes), found.same, new_communes, new_provinces, found.faults.all())


class _Planner:
    """One pass over the records; what the rows before brought is known to those after."""

    def __init__(self, read: Read, heading: Heading, known: Known, today: date) -> None:
        self._known, self._today = known, today
        self._widths = {
            "code": usual_width(read.records, ("code", "former_code"), known.schools),
            "commune": usual_width(read.records, ("commune",), known.communes),
            "province": usual_width(read.records, ("province",), known.provinces),
        }
        self._names = _usual_names(read.records)
        self._rows: dict[str, int] = {}
        self.communes, self.provinces = dict(known.communes), dict(known.provinces)
        self.changes: list[Change] = []
        self.same = 0
        self.faults = Faults(read, heading)

    def take(self, record: Record) -> None:
        """Adds what the record changes, or what is wrong with it."""
        before = len(self.faults)
        code = self._code(record, "code", self._known.schools)
        if code in self._rows:
            self.faults.add(record.row, "code", "twice", value=code, first=self._rows[code])
        if code:
            self._rows.setdefault(code, record.row)
        held = self._held(record, code)
        commune = self._commune(record, held)
        self._check_numbers(record, held)
        self._check_day(record, held, code)
        if len(self.faults) > before or not record.is_whole:
            return
        values = _values(record, held, code, commune)
        former = record.cells.get("former_code")
        if isinstance(former, Code) and former.text != code and self._is_of_before(record, former.text):
            values["former_code"] = (None, former.text)
        if not values:
            self.same += 1
            return
        since = record.cells.get("since")
        self.changes.append(
            Change(
                record.row,
                code,
                str(record.cells["name"]),
                held.id if held else None,
                values,
                since if isinstance(since, date) else None,
            )
        )

    def compare_names(self) -> None:
        """A new school that bears the name of another of its commune is most likely that one, mistyped."""
        here: dict[tuple[str, str], str] = {
            (plain(one.name), one.commune): one.code for one in self._known.schools.values()
        }
        for change in self.changes:
            if change.id is None:
                key = (plain(change.name), str(change.after("commune")))
                if key in here:
                    self.faults.add(change.row, "name", "same_name", value=change.name, code=here[key])
                here.setdefault(key, change.code)

    def _code(self, record: Record, field: str, known: Mapping[str, object]) -> str:
        width = self._widths["code" if field == "former_code" else field]
        return self.faults.code(record, field, known, width)

    def _held(self, record: Record, code: str) -> School | None:
        held, former = self._known.schools.get(code), self._code(record, "former_code", self._known.schools)
        if not former or former == code:
            if held is None and code in self._known.ended:
                self.faults.add(record.row, "code", "ended", value=code)
            return held
        if held is None and self._is_of_before(record, former):
            if code in self._known.ended:
                self.faults.add(record.row, "code", "ended", value=code)
            return None
        if held is None:
            if former not in self._known.schools:
                self.faults.add(record.row, "former_code", "no_school", value=former)
            elif former in self._rows:
                self.faults.add(record.row, "former_code", "twice", value=former, first=self._rows[former])
            else:
                self._rows[former] = record.row
            return self._known.schools.get(former)
        if former in self._known.schools:
            self.faults.add(record.row, "former_code", "both_there", value=former, code=code)
        return held

    def _is_of_before(self, record: Record, former: str) -> bool:
        """Whether a former code, told with its last day, is from before the registry."""
        known = former in self._known.schools or former in self._known.ended
        return bool(former) and not known and "since" in record.cells

    def _commune(self, record: Record, held: School | None) -> str:
        """The code of its commune, which is made known when it is new; empty where that is unclear."""
        code = self._code(record, "commune", self.communes)
        name = str(record.cells.get("commune_name", ""))
        if code in self._known.elsewhere:
            self.faults.add(record.row, "commune", "not_yours", value=code)
            return code
        if code:
            if code not in self.communes:
                self._add_commune(record, code, self._names.get(code, ""))
            there = self.communes.get(code)
            if there is not None and name and _bare(name) != _bare(there.name):
                self.faults.add(
                    record.row, "commune_name", "other_name", value=name, code=code, name=there.name
                )
            return code
        if name:
            alike = [one.code for one in self.communes.values() if _bare(one.name) == _bare(name)]
            if len(alike) != 1:
                reason = "several_communes" if alike else "no_commune"
                self.faults.add(record.row, "commune_name", reason, value=name, codes=", ".join(alike))
            return alike[0] if len(alike) == 1 else ""
        if held is None:
            self.faults.add(record.row, "commune", "missing")
        return held.commune if held else ""

    def _add_commune(self, record: Record, code: str, name: str) -> None:
        province = self._code(record, "province", self.provinces)
        title = str(record.cells.get("province_name", ""))
        if not province and len(self.provinces) == 1:
            province = next(iter(self.provinces))
        if not name:
            self.faults.add(record.row, "commune_name", "new_without_name", value=code)
        if not province:
            self.faults.add(record.row, "province", "missing")
        elif province not in self.provinces:
            if not self._known.may_add_province:
                self.faults.add(record.row, "province", "not_yours", value=province)
            elif not title:
                self.faults.add(record.row, "province_name", "new_without_name", value=province)
            else:
                self.provinces[province] = Place(province, title)
        if name and province in self.provinces:
            self.communes[code] = Place(code, name, province)

    def _check_numbers(self, record: Record, held: School | None) -> None:
        told = {**(held.declared if held else {}), **record.cells}
        total, part = told.get("devices"), told.get("student_devices")
        if isinstance(total, int | float) and isinstance(part, int | float) and part > total:
            self.faults.add(record.row, "student_devices", "more_than_all", value=int(part), all=int(total))

    def _check_day(self, record: Record, held: School | None, code: str) -> None:
        since = record.cells.get("since")
        if isinstance(since, date) and since > self._today:
            self.faults.add(record.row, "since", "in_future", value=f"{since:%d/%m/%Y}")
        elif isinstance(since, date) and held is not None and code != held.code and since <= held.code_since:
            told = {"value": f"{since:%d/%m/%Y}", "code": held.code, "day": f"{held.code_since:%d/%m/%Y}"}
            self.faults.add(record.row, "since", "before_present_code", **told)


def _values(record: Record, held: School | None, code: str, commune: str) -> dict[str, tuple[object, object]]:
    """What the record says otherwise than the registry, each as (before, after)."""
    after = {"code": code, "name": record.cells["name"], "commune": commune}
    after |= {name: record.cells[name] for name in _COMPARED if name in record.cells}
    before: dict[str, object] = {}
    if held is not None:
        before = {"code": held.code, "name": held.name, "commune": held.commune, "level": held.level}
        before |= {**held.declared, **held.status, "website": held.website}
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def _usual_names(records: Iterable[Record]) -> dict[str, str]:
    """The name that most rows give each commune: one row that says otherwise is the one to be corrected."""
    found: dict[str, Counter[str]] = {}
    for record in records:
        code, name = record.cells.get("commune"), record.cells.get("commune_name")
        if isinstance(code, Code) and isinstance(name, str):
            found.setdefault(code.text, Counter())[name] += 1
    return {code: names.most_common(1)[0][0] for code, names in found.items()}


def _bare(name: str) -> str:
    return _KIND.sub("", plain(name))
