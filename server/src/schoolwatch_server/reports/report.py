"""What a report holds, and what a format of reports is: a name and a pure function from report to text."""

from collections.abc import Callable
from dataclasses import dataclass

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.pen import Pen


@dataclass(frozen=True, slots=True)
class Report:
    """A school's indicators with the names of where it is; `at` is UTC seconds."""

    province: str
    commune: str
    school_code: str
    school: str
    at: float
    values: tuple[IndicatorValue, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: `id` is also the file name's ending; `render` gives the bytes of the whole file."""

    id: str
    media_type: str
    render: Callable[[Report, Pen], bytes]


def file_name(report: Report, chosen: Format) -> str:
    """`schoolwatch-TRUONG-MAU.csv`: only letters, digits, dots, lines and underscores, for any browser."""
    code = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in report.school_code)
    return f"schoolwatch-{code or 'school'}.{chosen.id}"
