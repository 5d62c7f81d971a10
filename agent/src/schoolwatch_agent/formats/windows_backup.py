"""When Windows last made a backup (posture.ps1).

Windows Server Backup says it itself (Get-WBSummary); on other editions event 4 of the log
Microsoft-Windows-Backup is a backup that finished. File History writes the time up to which it has saved
into the user's registry (FILETIME: 100 ns since 1601), and 0 between two runs, which says nothing. Restore
points (SystemRestore) bring back the system, not documents: they have their own source.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim, windows_users
from schoolwatch_contract.records import Fact, Reading

_FILETIME_1970: Final = 116_444_736_000_000_000


Told = tuple[float | None, str]
"""When, in UTC seconds, or why that is not known."""


def parse(found: dict[str, Any], now: float) -> Iterator[Reading | Fact]:
    """The newest backup of each source."""
    # a log without such an event is "never", whatever became of the cmdlet that servers alone have
    windows = [one for name in ("wbsummary", "wbevent") for one in _written(found, name, now)]
    yield from _records("windows backup", windows, now)
    users, closed = windows_users.users(found)
    saved = [_filetime(user.get("ProtectedUpToTime"), closed, now) for user in users]
    yield from _records("file history", saved or [(None, closed)], now)
    points, trouble = cim.part(found, "restore_points")
    made = [cim.moment(row.get("CreationTime"), now) for row in points]
    yield from _records("restore point", made or [(None, trouble or "never")], now)


def _written(found: dict[str, Any], name: str, now: float) -> list[Told]:
    """The dates of a part that is a list of texts, or why there are none."""
    _, trouble = cim.part(found, name)
    dates = [cim.moment(written, now) for written in cim.texts(found.get(name))]
    return dates or [(None, trouble or "never")]


def _filetime(value: object, reason: str, now: float) -> Told:
    number = cim.number(value)
    if not number or number <= _FILETIME_1970:
        return None, reason
    return cim.past((number - _FILETIME_1970) / 1e7, now)


def _records(source: str, told: list[Told], now: float) -> Iterator[Reading | Fact]:
    labels = {"source": source}
    times = [at for at, _ in told if at is not None]
    reasons = [why for _, why in told if why]
    reason = next((why for why in reasons if why != "not on this system"), "not on this system")
    yield Reading("backup.age", round(max(now - max(times), 0.0)) if times else None, labels)
    yield Fact("backup.state", "found" if times else None, labels, "" if times else reason)
