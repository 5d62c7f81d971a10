"""When Windows last made a backup (posture.ps1).

Windows Server Backup says it itself (Get-WBSummary); on other editions event 4 of the log
Microsoft-Windows-Backup is a backup that finished. File History writes the time up to which it has saved
into the user's registry (FILETIME: 100 ns since 1601), and 0 between two runs, which says nothing. Restore
points (SystemRestore) bring back the system, not documents: they have their own source.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim, windows_users
from schoolwatch_contract.records import Fact, Reading

_FILETIME_1970: Final = 116_444_736_000_000_000


def parse(found: dict[str, Any], now: float) -> Iterator[Reading | Fact]:
    """The newest backup of each source."""
    yield from _records("windows backup", *_windows_backup(found), now)
    users, closed = windows_users.users(found)
    saved = [_filetime(user.get("ProtectedUpToTime")) for user in users]
    yield from _records("file history", saved, closed, now)
    points, trouble = cim.part(found, "restore_points")
    yield from _records(
        "restore point", [_instant(row.get("CreationTime")) for row in points], trouble or "never", now
    )


def _windows_backup(found: dict[str, Any]) -> tuple[list[float | None], str]:
    times, reasons = [], []
    for name in ("wbsummary", "wbevent"):
        _, trouble = cim.part(found, name)
        times += [_instant(written) for written in cim.texts(found.get(name))]
        reasons.append(trouble or "never")
    # a log without such an event is "never", whatever became of the cmdlet that servers alone have
    return times, reasons[1] if reasons[0] == "not on this system" else reasons[0]


def _instant(written: object) -> float | None:
    try:
        return cim.instant(written)
    except NotUnderstood:
        return None


def _filetime(value: object) -> float | None:
    number = cim.number(value)
    seconds = None if not number else (number - _FILETIME_1970) / 1e7
    return seconds if seconds is not None and seconds > 0 else None


def _records(source: str, times: list[float | None], reason: str, now: float) -> Iterator[Reading | Fact]:
    labels = {"source": source}
    past = [at for at in times if at is not None and at <= now]
    yield Reading("backup.age", round(now - max(past)) if past else None, labels)
    yield Fact("backup.state", "found" if past else None, labels, "" if past else reason)
