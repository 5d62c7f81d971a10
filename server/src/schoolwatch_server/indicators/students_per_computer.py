"""Students for each working student computer: declared students over computers that are seen working.

UNESCO calls it ED4bis, learners-to-computer ratio; only computers in student labs count, never staff's.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator


def compute(counts: Counts) -> Fraction:
    """Needs both the number of students and of student computers declared."""
    declared = counts.student_devices_declared if counts.students_declared is not None else None
    return Fraction(
        counts.students_declared, counts.student_devices_working, counts.student_devices_known, declared
    )


INDICATOR = Indicator("students_per_computer", "students/computer", compute)
