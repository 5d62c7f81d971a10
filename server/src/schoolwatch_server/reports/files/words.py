"""How a report's values are written in files for people: numbers, days, verdicts, why there is none. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel.numbers import format_decimal, format_percent

from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports import calendar
from schoolwatch_server.reports.content import DeviceLine
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.texts import Language
from schoolwatch_server.vietnam import VIETNAM as VIETNAM

_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)
"""What XML 1.0 and fonts have no place for (section 2.2), and marks that turn the words around them.

Tabs and ends of lines become blanks too.
"""

_OF_SCHOOLS = frozenset(indicator.id for indicator in INDICATORS if indicator.counts_schools)
"""Of a commune or province these are shares of schools that meet what is asked."""

_LONG = re.compile(r"\S{25}(?=\S)")

LONGEST = 4000
"""Signs of one text in a file; a cell holds 32,767, and a page has an end."""


@lru_cache(maxsize=8192)
def clean(text: str) -> str:
    """The text in one line, composed (NFC), without what no file can hold; too long a one ends in `…`."""
    line = " ".join(unicodedata.normalize("NFC", _UNWRITABLE.sub(" ", text)).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def on_page(text: str) -> str:
    """The text as a page can hold it: a word without an end may break."""
    return _LONG.sub("\\g<0>\u200b", clean(text))


@lru_cache(maxsize=8192)
def number(value: float, language: Language, decimals: int = 2) -> str:
    """`1.234,5` in Vietnamese, `1,234.5` in English; no decimals where there are none."""
    return str(format_decimal(round(value, decimals), locale=language))


@lru_cache(maxsize=8192)
def percent(value: float, language: Language) -> str:
    """`85,5%` of 0.855: nearly all is never written as all."""
    shown = min(value, 0.999) if value < 1 else value
    return str(format_percent(round(shown, 3), format="#,##0.#%", locale=language))


def amount(paper: Paper, value: float, unit: str) -> str:
    """A value with its unit: `85,5%`, `2,5 học sinh/máy`, `mức 2`, `có`."""
    if unit == "ratio":
        return percent(value, paper.language)
    if unit == "boolean" and value in (0, 1):
        return paper.text("yes" if value else "no")
    if unit == "bit/s" and value >= 1e6:
        value, unit = value / 1e6, "Mbit/s"
    elif unit == "B" and value >= 2**30:
        return f"{number(value / 2**30, paper.language)} GiB"
    if unit == "step":  # of the IPv6 transition, which begin with V0
        return f"{paper.text('report.unit.step')} V{value:.0f}"
    told, of = number(value, paper.language), paper.known(f"report.unit.{unit}", unit)
    if unit in ("", "count", "boolean"):
        return told
    return f"{of} {told}" if unit in ("level", "grade") else f"{told} {of}"


def name_of(paper: Paper, value: IndicatorValue) -> str:
    """What the indicator is called, with its code in the catalogue: `I-17 Tỉ lệ …`."""
    name = paper.known(f"indicator.{value.indicator}", value.indicator)
    if value.level != "school" and value.indicator in _OF_SCHOOLS:
        name = paper.text("file.of_schools", name=name)
    return f"{value.code} {name}".strip()


def observed(paper: Paper, value: IndicatorValue) -> str:
    """The value, or that there is too little data for one; never a 0 for what is not known."""
    if value.value is None:
        return paper.text("report.status.not_enough_data")
    return amount(paper, value.value, value.unit)


def reason(paper: Paper, value: IndicatorValue) -> str:
    """Why there is no value; empty where there is one."""
    return paper.known(f"reason.{value.reason}", value.reason) if value.reason else ""


def is_reached(value: IndicatorValue) -> bool | None:
    """Whether what is asked is reached; None without a value or a target, unless it is known all the same.

    What is only recommended nobody fails.
    """
    reached = _is_so(value)
    return None if value.encouraged and reached is False else reached


def _is_so(value: IndicatorValue) -> bool | None:
    if value.meets is not None:
        return value.meets
    if value.value is None or value.target is None:
        return None
    return value.value >= value.target if value.better == "higher" else value.value <= value.target


def target(paper: Paper, value: IndicatorValue) -> str:
    """`từ 90% trở lên [P], hạn 31/12/2025`, in brackets how sure it is, or that there is none."""
    if value.target is None:
        return paper.text("report.none")
    told = amount(paper, value.target, value.unit)
    if value.unit != "boolean":
        told = paper.text(f"file.target.{value.better}", target=told)
    told = f"{told} [{_tag(value)}]"
    if value.encouraged:
        told = paper.text("file.target.encouraged", target=told)
    return f"{told}, {paper.text('file.deadline', day=day(value.deadline))}" if value.deadline else told


def _tag(value: IndicatorValue) -> str:
    """How sure the number is that is printed: the line that has it, and no other one.

    A yes that is asked of a school is what the document asks of every school. A number of no line at all
    (seven of ten checks, a step of a ladder) is this program's own proposal.
    """
    lines = [line for line in value.lines if line.kind in ("target", "threshold")]
    if value.encouraged:
        return value.source.confidence
    if value.unit == "boolean":
        return next((line.source.confidence for line in lines if line.kind == "target"), "P")
    known = [line for line in lines if line.value == value.target and line.unit == value.unit]
    known.sort(key=lambda line: line.kind != "target")
    return next((line.source.confidence for line in known), "P")


def verdict(paper: Paper, value: IndicatorValue) -> str:
    """`đạt`, `chưa đạt, quá hạn từ …`, or the reason why nobody can say."""
    reached = is_reached(value)
    told = [reason(paper, value)] if value.value is None else []
    if reached is not None:
        told.append(paper.text("file.reached" if reached else "file.missed"))
    elif value.encouraged and _is_so(value) is False:
        told.append(paper.text("file.encouraged"))
    if is_overdue(paper, value):
        told.append(overdue(paper, value))
    return ", ".join(one for one in told if one)


def overdue(paper: Paper, value: IndicatorValue) -> str:
    """`quá hạn từ 01/01/2026`, the day after the last one that counted."""
    since = date.fromisoformat(value.deadline) + timedelta(days=1)
    return paper.text("file.overdue", day=day(since.isoformat()))


def is_overdue(paper: Paper, value: IndicatorValue) -> bool:
    """Whether the deadline had passed, when the report was frozen, without the target being reached."""
    if not value.deadline or is_reached(value) is not False:
        return False
    return date.fromisoformat(value.deadline) < frozen_on(paper)


def frozen_on(paper: Paper) -> date:
    """The day in Vietnam on which the report was frozen."""
    return datetime.fromtimestamp(paper.content.frozen_at, VIETNAM).date()


def declared(paper: Paper, value: IndicatorValue) -> str:
    """`85% (khai báo, chưa kiểm chứng; hiệu trưởng đã duyệt)`: what the school says, never as if measured."""
    if value.declared is None:
        return ""
    known = "unverified" if value.value is None else "beside"
    state = paper.known(f"file.state.{value.declared_state}", value.declared_state)
    told = (
        f"{paper.text(f'file.declared.{known}')}; {state}" if state else paper.text(f"file.declared.{known}")
    )
    return f"{amount(paper, value.declared, value.unit)} ({told})"


def confidence(paper: Paper, tag: str) -> str:
    """`P: đề xuất của SchoolWatch, không phải quy định`."""
    return f"{tag}: {paper.known(f'confidence.{tag}', tag)}"


def day(iso: str) -> str:
    """`31/12/2025` of an ISO 8601 day."""
    return f"{date.fromisoformat(iso):%d/%m/%Y}"


def day_of(at: float) -> str:
    """`31/12/2025`, the day that it is in Vietnam."""
    return f"{datetime.fromtimestamp(at, VIETNAM):%d/%m/%Y}"


def instant(at: float) -> str:
    """`08:05:00 31/12/2025`, in Vietnam."""
    return f"{datetime.fromtimestamp(at, VIETNAM):%H:%M:%S %d/%m/%Y}"


def made_at(paper: Paper) -> datetime:
    """What a file says of when it was made: when its numbers were frozen, the same each time."""
    return datetime.fromtimestamp(int(paper.content.frozen_at), UTC)


def period(paper: Paper) -> str:
    """`tháng 11/2026`, `quý IV/2026`, `năm 2026`; the period itself where it is of another form."""
    return calendar.in_words(paper.text, paper.content.kind, paper.content.period)


def ended_before(paper: Paper) -> date | None:
    """The last day of the report's period, where that was over when the numbers were frozen."""
    content = paper.content
    if content.kind not in calendar.KINDS:
        return None
    try:
        ended = calendar.end_of_period(content.kind, content.period)
    except ValueError:
        return None
    return ended if ended < frozen_on(paper) else None


def kind(paper: Paper) -> str:
    """`Báo cáo định kỳ`."""
    return paper.known(f"file.kind.{paper.content.kind}", paper.content.kind)


def simulated(paper: Paper) -> str:
    """The mark of sample data; empty on a report of real schools."""
    return paper.text("file.simulated") if paper.content.simulated else ""


# --- devices ------------------------------------------------------------------------------------------------


def working(paper: Paper, device: DeviceLine) -> str:
    """Whether it works, or that nobody knows."""
    return paper.text({True: "working.yes", False: "working.no", None: "working.unknown"}[device.working])


def facts(paper: Paper, device: DeviceLine) -> Iterator[str]:
    """`Phần mềm diệt vi-rút đang chạy: có`: what is known of it, one by one."""
    for name, told in device.facts.items():
        yield f"{paper.known(f'file.fact.{name}', name)}: {fact(paper, name, told)}"


def fact(paper: Paper, name: str, told: str | float | bool | None) -> str:
    """A verdict in words; None is unknown."""
    if told is None:
        return paper.text("unknown")
    if isinstance(told, bool):
        return paper.text("yes" if told else "no")
    if isinstance(told, str):
        return paper.known(f"medium.{told}", told) if name == "link_medium" else clean(told)
    if name == "link_speed":
        return f"{number(told / 1e6, paper.language)} Mbit/s"
    return number(told, paper.language)
