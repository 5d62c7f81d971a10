"""Numbers, times and labels as people read them, in Vietnamese or English."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent

from schoolwatch_server.rules import kept
from schoolwatch_server.serious.evidence import about_in_words
from schoolwatch_server.texts import InBoth, Language, Texts, pick

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""What clocks in schools show; the page says so at its foot."""

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_THOUSANDS = {
    "bit/s": ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"),
    "Hz": ("Hz", "kHz", "MHz", "GHz"),
}
_TOKEN = re.compile(r"enrolment token (\d+)")
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Words:
    """One language's way to write things."""

    language: Language
    texts: Texts

    def text(self, key: str, /, **values: object) -> str:
        """A text of the files."""
        return self.texts.get(self.language, key, **values)

    def known(self, key: str, otherwise: str) -> str:
        """A text of the files, or the word itself when other parts use a new one."""
        return self.texts.either(self.language, key, otherwise)

    def pick(self, both: InBoth) -> str:
        """Of a text in both languages the one in this."""
        return pick(both, self.language)

    def number(self, value: float, decimals: int = 1) -> str:
        """`1.234,5` in Vietnamese, `1,234.5` in English; no decimals where there are none."""
        return str(format_decimal(round(value, decimals), locale=self.language))

    def percent(self, value: float) -> str:
        """`85,5%` of 0.855: nearly all is never written as all."""
        shown = min(value, 0.999) if value < 1 else value
        return str(format_percent(round(shown, 3), format="#,##0.#%", locale=self.language))

    def amount(self, value: float | None, unit: str) -> str:
        """A value with its unit, or the word for unknown."""
        if value is None:
            return self.text("unknown")
        if unit == "ratio":
            return self.percent(value)
        if unit == "boolean":
            return self.text("yes" if value else "no")
        if unit == "B" and value >= 10 * 1024:  # an MTU of 1500 B is not 1.5 KiB
            return self._scaled(value, 1024, _BYTES)
        if unit in _THOUSANDS:
            return self._scaled(value, 1000, _THOUSANDS[unit])
        if unit == "s":
            return self.span(value)
        if unit in ("B", "dBm"):
            return f"{self.number(value, 0)}\u00a0{unit}"
        if unit == "days":
            return f"{self.number(value)} {self.text(f'unit.day.{1 if value == 1 else 0}')}"
        if unit == "students/computer":
            return f"{self.number(value)} {self.text('unit.students_per_computer')}"
        return self._otherwise(value, unit)

    def _otherwise(self, value: float, unit: str) -> str:
        if unit == "step":  # of the IPv6 transition, which begin with V0
            return f"{self.text('report.unit.step')} V{self.number(value, 0)}"
        if unit == "level":
            return f"{self.text('report.unit.level')} {self.number(value, 0)}"
        if unit in ("Mbit/s", "kbit/s/student", "hours/day"):
            return f"{self.number(value)} {self.text(f'report.unit.{unit}')}"
        return self.number(value, 2)

    def span(self, seconds: float) -> str:
        """Two units are enough: `3 ngày 4 giờ`; below a second in milliseconds, and 0 only of what is 0."""
        if abs(seconds) < 1:
            return self._milliseconds(seconds * 1000)
        rest = int(seconds)
        parts: list[str] = []
        for size, name in _SPANS:
            count, rest = divmod(rest, size)
            if count or parts:
                parts.append(f"{count} {self.text(f'unit.{name}.{1 if count == 1 else 0}')}" if count else "")
            if len(parts) == 2:
                break
        return " ".join(part for part in parts if part)

    def _milliseconds(self, value: float) -> str:
        """`25 ms`, `2,3 ms`, `< 0,1 ms`: a switch in the same room answers in less than one."""
        if value and abs(value) < 0.1:
            return f"< {self.number(0.1)}\u00a0ms" if value > 0 else f"> {self.number(-0.1)}\u00a0ms"
        return f"{self.number(value, 0 if abs(value) >= 10 else 1)}\u00a0ms"

    def hours(self, seconds: float) -> str:
        """`2,5 giờ`."""
        return f"{self.number(seconds / 3600)} {self.text('unit.hour.0')}"

    def when(self, at: float | None) -> str:
        """`23/11/2026 10:04:05` in Vietnam."""
        if at is None:
            return self.text("never")
        moment = datetime.fromtimestamp(at, UTC)
        form = "dd/MM/yyyy HH:mm:ss" if self.language == "vi" else "d MMM yyyy HH:mm:ss"
        return str(format_datetime(moment, form, tzinfo=ZONE, locale=self.language))

    def day(self, at: float) -> str:
        """`23/11/2026` in Vietnam."""
        return self.date(datetime.fromtimestamp(at, UTC).astimezone(ZONE).date())

    def date(self, day: date) -> str:
        """`23/11/2026` of a day."""
        form = "dd/MM/yyyy" if self.language == "vi" else "d MMM yyyy"
        return str(format_date(day, form, locale=self.language))

    def ago(self, at: float | None, now: float) -> str:
        """`5 phút trước`."""
        if at is None:
            return self.text("never")
        seconds = min(round(at - now), -1)
        return str(format_timedelta(seconds, add_direction=True, threshold=0.95, locale=self.language))

    def about(self, evidence: object, mark: str = ": ") -> str:
        """`: Tỷ lệ …` behind a rule's title: which of the many things that it may find this is, or who.

        Empty, and without the mark, where the title says it all.
        """
        if kept.is_many(evidence):
            found = self.text("network.others")
        else:
            found = about_in_words(evidence, self.texts, self.language) or kept.machine(evidence)
        return f"{mark}{found}" if found else ""

    def labels(self, labels: dict[str, str]) -> str:
        """`eth0 · IPv6` of a reading's labels."""
        return " · ".join(f"IPv{v}" if k == "family" else v for k, v in sorted(labels.items()))

    def actor(self, name: str) -> str:
        """Who did something, of the audit log: a person's name as it is, the server's own in words."""
        token = _TOKEN.fullmatch(name)
        if token:
            return self.text("actor.enrolment_token", number=token[1])
        return self.known(f"actor.{name}", name) or self.text("unknown")

    def _scaled(self, value: float, step: int, units: tuple[str, ...]) -> str:
        size, index = float(value), 0
        while abs(size) >= step and index < len(units) - 1:
            size, index = size / step, index + 1
        return f"{self.number(size)}\u00a0{units[index]}"
