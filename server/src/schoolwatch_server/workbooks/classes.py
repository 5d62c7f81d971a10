"""The list of classes of a school year: stage, grade, how many students, and the lab that the class uses."""

from collections.abc import Mapping

from schoolwatch_server import levels
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.faults import Faults
from schoolwatch_server.workbooks.listing import Listing, Row
from schoolwatch_server.workbooks.table import Field

STUDENTS_MAX = 200
"""Students of a class: more is a slip of the finger, or the count of a whole grade."""

GRADE_MAX = 12

STAGES: Mapping[str, tuple[str, ...]] = {
    "MN": ("MN", "Mầm non", "Mẫu giáo", "Nhà trẻ", "Preschool"),
    "TH": ("TH", "Tiểu học", "Cấp 1", "Primary"),
    "THCS": ("THCS", "Trung học cơ sở", "Cấp 2", "Lower secondary"),
    "THPT": ("THPT", "Trung học phổ thông", "Cấp 3", "Upper secondary"),
    "GDTX": ("GDTX", "Giáo dục thường xuyên", "Continuing"),
}

GRADES: Mapping[str, range] = {
    "MN": range(0),
    "TH": range(1, 6),
    "THCS": range(6, 10),
    "THPT": range(10, 13),
    "GDTX": range(1, 13),
}
"""Grades of each stage (Luật Giáo dục 2019, Điều 28); continuing education teaches any."""


def _complete(row: Row, faults: Faults) -> None:
    """The stage follows from the school where it teaches one alone, else from the grade."""
    here, grade = levels.stages(row.known.level), row.now("grade")
    if row.now("stage") is None:
        of_grade = [one for one in here if isinstance(grade, int) and grade in GRADES[one]]
        found = here if len(here) == 1 else of_grade
        if len(found) != 1:
            if here and isinstance(grade, int):
                faults.add(row.number, "grade", "grade_elsewhere", value=grade, stage=row.known.level)
            else:
                faults.add(row.number, "stage", "stage_unclear", level=row.known.level or "–")
            return
        row.cells["stage"] = found[0]
    stage = str(row.now("stage"))
    if here and stage not in here:
        faults.add(row.number, "stage", "stage_elsewhere", value=stage, level=row.known.level)
    elif isinstance(grade, int) and grade not in GRADES[stage]:
        faults.add(row.number, "grade", "grade_elsewhere", value=grade, stage=stage)
    group, students = row.now("group_students"), row.now("students")
    if isinstance(group, int) and isinstance(students, int) and group > students:
        faults.add(row.number, "group_students", "more_than_class", value=group, all=students)


LISTING = Listing(
    (
        Field("school_year", ("Năm học", "School year"), cells.school_year, True),
        Field("name", ("Tên lớp", "Lớp", "Class"), cells.text, True),
        Field("stage", ("Cấp học", "Cấp", "Stage"), cells.one_of(STAGES), words=STAGES),
        Field("grade", ("Khối", "Khối lớp", "Grade"), cells.up_to(GRADE_MAX), format="0"),
        Field(
            "students",
            ("Sĩ số", "Số học sinh", "Học sinh", "Students"),
            cells.up_to(STUDENTS_MAX),
            format="0",
        ),
        Field(
            "group_students",
            ("Nhóm đông nhất khi học Tin học", "Sĩ số nhóm Tin học", "Nhóm đông nhất", "Largest group"),
            cells.up_to(STUDENTS_MAX),
            format="0",
        ),
        Field("lab", ("Phòng máy", "Phòng Tin học", "Phòng máy sử dụng", "Lab"), cells.text),
    ),
    key=("school_year", "name"),
    needed=("students",),
    refers={"lab": "room"},
    complete=_complete,
)
