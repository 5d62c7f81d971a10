"""What PowerShell's ConvertTo-Json makes of CIM objects, with its traps.

One object is not a list, none is null, a list inside an object may be {"value": [...], "Count": 2}; dates
are /Date(ms)/ in Windows PowerShell 5.1, ISO 8601 in PowerShell 7, and CIM_DATETIME when a script passes
the raw text (DMTF DSP0004 §5.2.4: yyyymmddHHMMSS.ffffff±UUU, UUU minutes from UTC). The year 1601 stands
for "never", and so does the largest unsigned number.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood

_EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC).timestamp()
_NEVER: Final = frozenset({2**32 - 1, 2**64 - 1, 2**63 - 1})
_TROUBLES: Final = {
    "timeout": "timeout",
    "0x80041003": "not permitted",  # WBEM_E_ACCESS_DENIED
    "0x80070005": "not permitted",  # E_ACCESSDENIED
    "0x80338104": "not permitted",  # WSMAN_E access denied
    "unauthorizedaccess": "not permitted",
    "securityexception": "not permitted",  # .NET's word for a registry key
    "0x8004100e": "not on this system",  # WBEM_E_INVALID_NAMESPACE
    "0x80041010": "not on this system",  # WBEM_E_INVALID_CLASS
    "0x8004100c": "not on this system",  # WBEM_E_NOT_SUPPORTED
    "commandnotfound": "not on this system",
    "nomatchinglogsfound": "not on this system",
    "noservicefound": "not on this system",
    "nomatchingeventsfound": "never",
    "0x80070422": "service disabled",  # ERROR_SERVICE_DISABLED
    "0x80041001": "not reported",  # WBEM_E_FAILED
}
"""What PowerShell's error ids and HRESULTs mean, in lower case; the first found counts."""

FAILED: Final = "failed"
"""The key under which an answer says why the whole script gave none."""

_DAY: Final = 86400.0
_MILLISECONDS: Final = r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/"
_CIM: Final = r"(\d{14})\.(\d{6})([+-])(\d{3})"


def document(text: str) -> dict[str, Any]:
    """The one object that a script prints. Raises `NotUnderstood` with the text's beginning."""
    try:
        found = msgspec.json.decode(text.lstrip("\ufeff").strip())
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood("not JSON", text) from error
    if not isinstance(found, dict):
        raise NotUnderstood("not a JSON object", text)
    return found


def part(found: dict[str, Any], name: str) -> tuple[list[dict[str, Any]], str]:
    """The objects of one part of a script's answer, and the reason why they are not known, else ""."""
    if reason := found.get(FAILED):
        return [], str(reason)
    error = text(found.get(f"{name}_error"))
    if error is not None:
        return [], trouble(error)
    return (objects(found[name]), "") if name in found else ([], "not understood")


def trouble(error: str) -> str:
    """Why a part failed, of parts.ps1's `message id 0xHRESULT`; the message has the machine's language."""
    for sign, reason in _TROUBLES.items():
        if sign in error.lower():
            return reason
    code = re.search(r"0x[0-9a-f]{8}", error.lower())
    return f"error {code[0]}" if code else "not understood"


def whole(value: object) -> int | None:
    """A whole number of a registry value or a CIM property."""
    found = number(value)
    return int(found) if found is not None and found == found // 1 else None


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a place that may hold none, one or several."""
    if isinstance(value, dict):
        wrapped = value.get("value")
        if isinstance(wrapped, list) and "Count" in value:
            return objects(wrapped)
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict)]
    return []


def texts(value: object) -> list[str]:
    """The texts in a place that may hold none, one or several."""
    if isinstance(value, dict) and "Count" in value:
        value = value.get("value")
    several = value if isinstance(value, list) else [value]
    return [item.strip() for item in several if isinstance(item, str) and item.strip()]


def text(value: object) -> str | None:
    """A text without white space around it; None when there is none."""
    found = texts(value)
    return found[0] if found else None


def number(value: object) -> float | None:
    """A number, also one that is written as text; None for none and for "never"."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        digits = value.strip()
        if not re.fullmatch(r"-?\d{1,20}", digits):
            return None
        value = int(digits)
    if not isinstance(value, int | float) or value in _NEVER or value < 0:
        return None
    return float(value)


def flag(value: object) -> bool | None:
    """True or False, also as 0, 1, or text; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower())
    if value in (0, 1):
        return bool(value)
    return None


def instant(value: object) -> float | None:
    """A date in UTC seconds; None for none and for "never". Raises `NotUnderstood` for another text."""
    if isinstance(value, dict):  # Get-Date's own shape: {"value": "/Date(...)/", "DateTime": "..."}
        value = value.get("value")
    if not isinstance(value, str) or not value.strip():
        return None
    seconds = _seconds(value.strip())
    return seconds if seconds >= _EARLIEST else None


def moment(value: object, now: float) -> tuple[float | None, str]:
    """A date that is over, in UTC seconds, or why there is none: a garbled one costs only its own field."""
    try:
        at = instant(value)
    except NotUnderstood:
        return None, "not understood"
    if at is None:
        return None, "never"
    return past(at, now)


def past(at: float, now: float) -> tuple[float | None, str]:
    """A time that is over, or why it is none; it may lie a day ahead, as far as clocks and zones err."""
    return (at, "") if at <= now + _DAY else (None, "the clock was set back")


def _seconds(written: str) -> float:
    if found := re.fullmatch(_MILLISECONDS, written):
        return int(found[1]) / 1000
    try:
        if found := re.fullmatch(_CIM, written):
            local = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            offset = timedelta(minutes=int(found[3] + found[4]))
            return (local - offset).timestamp()
        iso = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))
        return (iso if iso.tzinfo else iso.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise NotUnderstood("not a date", written) from error
