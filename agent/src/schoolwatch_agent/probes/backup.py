"""How long ago the last backup was made: by the system's own means, or by a marker file.

A marker is a file that the school's own backup touches when it succeeds; its path is `backup.marker` of
agent.toml, and only the time of its last change is read.
"""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.errors import TimedOut, why
from schoolwatch_agent.formats import windows_backup
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading


def marker(host: Host, path: str) -> Iterator[Reading | Fact]:
    """The marker's age; why there is none."""
    labels = {"source": "marker"}
    age, reason = None, "not configured"
    if path:
        try:
            age = host.now() - host.modified(path)
            reason = "" if age >= 0 else "the clock was set back"
        except OSError as error:
            reason = why(error)
        except TimedOut:
            reason = "timeout"
    known = not reason
    yield Reading("backup.age", age if known else None, labels)
    yield Fact("backup.state", "found" if known else None, labels, reason)


def read(host: Host, path: str) -> Iterator[Reading | Fact]:
    """The marker of that path, "" is none, and what Windows keeps itself."""
    yield from marker(host, path)
    if host.system == "windows":
        yield from windows_backup.parse(asked.posture(host), host.now())
