"""Students for each working student computer of the whole school: a statistic, no criterion of QĐ 4725.

UNESCO calls it ED4bis, learners-to-computer ratio; only computers in student labs count, never staff's.
Computers that can't run the agent count as a person found them, while that check holds.
"""

from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Needs both the number of students and of student computers declared."""
    students = counts.students_declared
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


INDICATOR = Indicator(
    "students_per_computer", "students/computer", compute, code="I-03", group="assessment", basis="hybrid"
)
