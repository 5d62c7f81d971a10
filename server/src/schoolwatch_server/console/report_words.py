"""How reports, their periods, days and values are written for people."""

from dataclasses import dataclass
from datetime import date, datetime

from schoolwatch_server.console.words import ZONE, Words
from schoolwatch_server.database.reports import ReportRow
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.calendar import Deadline, called, in_words


@dataclass(frozen=True, slots=True)
class ReportWords:
    """The words of one language for reports."""

    words: Words

    def kind(self, kind: str) -> str:
        """`Báo cáo tháng`."""
        return self.words.known(f"reports.kind.{kind}", kind)

    def period(self, kind: str, period: str) -> str:
        """`tháng 11/2026`."""
        return in_words(self.words.text, kind, period)

    def of(self, kind: str, period: str) -> str:
        """`Báo cáo tháng 11/2026`."""
        return called(self.words.text, kind, period)

    def title(self, row: ReportRow) -> str:
        """`Báo cáo tháng 11/2026: Trường …`."""
        return f"{self.of(row.kind, row.period)}: {row.name}"

    def day(self, day: date | str) -> str:
        """`19/11/2026` of a day, or of its ISO form."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return self.words.day(datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).timestamp())

    def before(self, deadline: Deadline) -> str:
        """`20`, `10/12` or `5 tháng sau`, as the document has it."""
        month, _, day = deadline.before.partition("-")
        if month.startswith("+"):
            return self.words.text("reports.of_next_month", day=month.removeprefix("+"))
        return f"{day}/{month}" if day else month

    def left(self, last: date, today: date) -> str:
        """`còn 7 ngày`, `hạn hôm nay`, `quá hạn từ 20/11/2026`."""
        days = (last - today).days
        if days > 0:
            return self.words.text("reports.left", days=days)
        return self.words.text("reports.today") if days == 0 else self.overdue(last)

    def overdue(self, last: date) -> str:
        """`quá hạn từ …`, the day after the last one in time."""
        return self.words.text("reports.overdue", day=self.day(date.fromordinal(last.toordinal() + 1)))

    def value(self, value: IndicatorValue | None) -> str:
        """A value with its unit, or why there is none."""
        if value is None:
            return self.words.text("reports.no_value")
        if value.status == "ok":
            return self.words.amount(value.value, value.unit)
        reason = self.words.known(f"reason.{value.reason}", value.reason)
        return f"{self.words.text('report.status.not_enough_data')}: {reason}"

    def target(self, value: IndicatorValue, today: date) -> str:
        """`100%, quá hạn từ 01/01/2026`; empty without a target."""
        if value.target is None:
            return ""
        amount = self.words.amount(value.target, value.unit)
        if value.encouraged:
            amount = self.words.text("file.target.encouraged", target=amount)
        if not value.deadline:
            return amount
        last = date.fromisoformat(value.deadline)
        if last < today and not value.encouraged:
            since = date.fromordinal(last.toordinal() + 1)
            return self.words.text("reports.target_overdue", target=amount, day=self.day(since))
        return self.words.text("reports.target_by", target=amount, day=self.day(last))
