"""Students for each working student computer of the whole school: a statistic, no criterion of QĐ 4725.

UNESCO's ED4bis, learners-to-computer ratio, is near to it, but counts the learners of every grade. Only
computers in student labs count, never staff's.
Computers that can't run the agent count as a person found them, while that check holds.
"""

from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Needs both the number of students and of student computers declared."""
    students = learners(counts, numbers)
    declared = counts.student_devices_declared if students is not None else None
    by_hand = sum(lab.by_hand or 0 for lab in counts.labs)
    working = counts.student_devices_working + by_hand
    known = counts.student_devices_known + by_hand
    said = None
    if students and declared:
        said = Said(students / declared, "declared", numbers["at"], students, declared)
    if students == 0:
        return Fraction(0, working, known, declared, "no_students")
    covered = declared is not None and known >= declared > 0
    if covered and not working:
        return Fraction(students, 0, known, declared, "none_working", said=said)
    return Fraction(students, working, known, declared, said=said)


def learners(counts: Counts, numbers: Numbers) -> int | None:
    """Declared students, without those of classes of primary school whose grade has no Informatics yet.

    They are taken off by the list of classes: what is not in it stays, so a short list makes nothing better.
    """
    if counts.students_declared is None:
        return None
    young = sum(
        of.students
        for of in counts.classes
        if of.stage == "TH" and of.grade is not None and of.grade < numbers["first_grade"]
    )
    return max(0, counts.students_declared - young)


INDICATOR = Indicator(
    "students_per_computer",
    "students/computer",
    compute,
    code="I-03",
    group="assessment",
    basis="hybrid",
    numbers=("first_grade",),
)
