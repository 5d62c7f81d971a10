"""The list of communes: new ones, other names and provinces, and those that became part of another. Pure.

A row is one commune by its code. One that became part of another stays, without schools, so that what was
judged of it is still found.
"""

from collections import Counter

from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.cells import Code
from schoolwatch_server.workbooks.faults import Faults, usual_width
from schoolwatch_server.workbooks.schools import Change, Known, Place, Plan
from schoolwatch_server.workbooks.table import Field, Heading, Read, Record

FIELDS = (
    Field("code", ("Mã xã", "Mã phường/xã", "Mã xã/phường", "Mã", "Commune code"), cells.code, True),
    Field(
        "name",
        ("Tên xã", "Tên xã/phường", "Tên phường/xã", "Xã/Phường", "Phường/Xã", "Tên", "Commune"),
        cells.text,
        True,
    ),
    Field("province", ("Mã tỉnh", "Mã tỉnh/thành phố", "Province code"), cells.code),
    Field("province_name", ("Tên tỉnh", "Tỉnh", "Tỉnh/Thành phố", "Province"), cells.text),
    Field(
        "into",
        ("Sáp nhập vào xã (mã)", "Sáp nhập vào", "Mã xã mới", "Became part of (code)"),
        cells.code,
    ),
    Field("former_code", ("Mã xã cũ", "Mã phường/xã cũ", "Mã cũ", "Former code"), cells.code),
)
"""In the order of the template."""


def plan(read: Read, known: Known) -> Plan:
    """What the list would do to the registry as it is known; with any problem nothing may be done."""
    if read.heading is None:
        return Plan((), 0, (), (), read.problems)
    found = _Planner(read, read.heading, known)
    for record in read.records:
        found.take(record)
    new = tuple(one for code, one in found.provinces.items() if code not in known.provinces)
    return Plan(tuple(found.changes), found.same, (), new, found.faults.all())


class _Planner:
    """One pass over the records."""

    def __init__(self, read: Read, heading: Heading, known: Known) -> None:
        self._known = known
        self._width = usual_width(read.records, ("code", "into"), known.communes)
        self._wide = usual_width(read.records, ("province",), known.provinces)
        given = (record.cells.get("code") for record in read.records)
        self._listed = {code.text for code in given if isinstance(code, Code)}
        self._schools = Counter(school.commune for school in known.schools.values())
        self._rows: dict[str, int] = {}
        self.provinces = dict(known.provinces)
        self.changes: list[Change] = []
        self.same = 0
        self.faults = Faults(read, heading)

    def take(self, record: Record) -> None:
        """Adds what the record changes, or what is wrong with it."""
        before = len(self.faults)
        code = self.faults.code(record, "code", self._known.communes, self._width)
        if code in self._rows:
            self.faults.add(record.row, "code", "twice", value=code, first=self._rows[code])
        if code:
            self._rows.setdefault(code, record.row)
        if code in self._known.elsewhere:
            self.faults.add(record.row, "code", "not_yours", value=code)
        held = self._held(record, code)
        after: dict[str, object] = {"name": record.cells.get("name")}
        after["province"] = self._province(record, held)
        into = self._into(record, code)
        if into and self._schools[code]:
            after["into"] = into
        if len(self.faults) > before or not record.is_whole:
            return
        was = {"name": held.name, "province": held.within} if held else {}
        if held is not None and held.code != code:
            was["code"], after["code"] = held.code, code
        values = {name: (was.get(name), value) for name, value in after.items() if was.get(name) != value}
        if values:
            self.changes.append(
                Change(record.row, code, str(after["name"]), 0 if held is not None else None, values)
            )
        else:
            self.same += 1

    def _held(self, record: Record, code: str) -> Place | None:
        """The commune that has the code, or has had it under a former one until now."""
        held = self._known.communes.get(code)
        former = self.faults.code(record, "former_code", self._known.communes, self._width)
        if not former or former == code:
            return held
        before = self._known.communes.get(former)
        if held is not None:
            if before is not None:
                self.faults.add(record.row, "former_code", "both_communes", value=former, code=code)
            return held
        if before is None:
            self.faults.add(record.row, "former_code", "no_such_commune", value=former)
        return before

    def _province(self, record: Record, held: Place | None) -> str:
        code = self.faults.code(record, "province", self.provinces, self._wide)
        title = str(record.cells.get("province_name", ""))
        if not code:
            if held is not None:
                return held.within
            if len(self.provinces) == 1:
                return next(iter(self.provinces))
            self.faults.add(record.row, "province", "missing")
        elif code not in self.provinces:
            if not self._known.may_add_province:
                self.faults.add(record.row, "province", "not_yours", value=code)
            elif not title:
                self.faults.add(record.row, "province_name", "new_without_name", value=code)
            else:
                self.provinces[code] = Place(code, title)
        return code

    def _into(self, record: Record, code: str) -> str:
        into = self.faults.code(record, "into", self._known.communes, self._width)
        if into and into == code:
            self.faults.add(record.row, "into", "into_itself")
        elif into and into not in self._known.communes and into not in self._listed:
            self.faults.add(record.row, "into", "no_such_commune", value=into)
        return into
