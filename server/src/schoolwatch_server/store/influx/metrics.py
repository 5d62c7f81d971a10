"""What a store says of itself at `/metrics`, in Prometheus' text. Pure."""

import re
from email.utils import parsedate_to_datetime

_START = re.compile(r"^(process_start_time_seconds|vm_app_start_timestamp) (\S+)", re.MULTILINE)
_VICTORIA = re.compile(r"^vm_app_version\{", re.MULTILINE)
_PERIOD = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([hdwy]?)")
_UNITS = {"": 31.0, "h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0}
CLOCK = 3600.0
"""Seconds by which two clocks may differ: points lie as far from where they are looked for."""

_SLACK = 7
"""Days of difference that are not worth a word: five years are 1825 or 1826."""

_FLAG = re.compile(r'^flag\{name="([^"]+)", value="([^"]*)", is_set="(\w+)"\}', re.MULTILINE)


def instance(text: str) -> str:
    """When it was started, as it writes it; "" where it doesn't."""
    found = _START.search(text)
    return "" if found is None else found[2]


def is_victoriametrics(text: str) -> bool:
    """Whether it is VictoriaMetrics that speaks: others have a start too."""
    return _VICTORIA.search(text) is not None


def notice(text: str, retention_days: int = 0) -> str:
    """What of VictoriaMetrics' flags should be otherwise; "" where all is well, or where it doesn't say.

    `retention_days` is what our settings say that it keeps; 0: nothing.
    """
    flags = {name: (value, is_set == "true") for name, value, is_set in _FLAG.findall(text)}
    if not flags:
        return ""
    wrong = []
    if flags.get("dedup.minScrapeInterval", ("0s", False))[0] in ("0", "0s", "0ms"):
        wrong.append("-dedup.minScrapeInterval=1ms is not set: what is written again counts twice")
    period, is_set = flags.get("retentionPeriod", ("", False))
    keeps = _days(period)
    if not is_set:
        wrong.append("-retentionPeriod is not set: it forgets after one month")
    elif keeps is not None and keeps < retention_days - _SLACK:
        wrong.append(
            f"-retentionPeriod={period} is {keeps:.0f} days, store.retention_days says {retention_days}: "
            "what is older is dropped without a word"
        )
    return "; ".join(wrong)


def of_clock(date: str, now: float) -> str:
    """What of its clock should be otherwise, by an answer's `Date` (RFC 9110, 6.6.1); "" where nothing is."""
    try:
        ahead = parsedate_to_datetime(date).timestamp() - now
    except (ValueError, OverflowError):
        return ""
    if abs(ahead) < CLOCK:
        return ""
    way = "ahead of" if ahead > 0 else "behind"
    return (
        f"its clock is {abs(ahead) / 3600:.0f} h {way} this server's: set both right (NTP); what lies too "
        "far ahead of its own, or before what it keeps, it may drop without a word"
    )


def _days(period: str) -> float | None:
    """A span as VictoriaMetrics' flags have it: without a unit months of 31 days."""
    found = _PERIOD.fullmatch(period)
    return None if found is None else float(found[1]) * _UNITS[found[2]]
