"""ClamAV's daemon: asked by its socket; one that can't be asked is known by its process."""

from contextlib import suppress
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import NotUnderstood, TimedOut, why
from schoolwatch_agent.formats import linux_antivirus
from schoolwatch_agent.formats.product import Product
from schoolwatch_agent.host import Host

_PROGRAMS: Final = (
    "/usr/sbin/clamd",
    "/usr/local/sbin/clamd",
    "/usr/bin/clamscan",
    "/usr/local/bin/clamscan",
)
_CONFIGS: Final = ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf")
_SOCKETS: Final = (
    "/run/clamav/clamd.ctl",
    "/var/run/clamav/clamd.ctl",
    "/run/clamd.scan/clamd.sock",
    "/var/run/clamd.scan/clamd.sock",
    "/run/clamav/clamd.sock",
)
"""Debian's and Fedora's defaults, asked after the LocalSocket of clamd.conf. TCP sockets are not asked."""

_SIGNATURES: Final = ("/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd")
"""What freshclam writes (Debian's and Fedora's folder): patched, and as it came."""

_SILENT: Final = "timeout"


def clamav(host: Host) -> Product | None:
    """None when it is not installed; a daemon that is not there or does not answer does not run.

    When it can't be asked, its signatures are as old as what freshclam wrote last.
    """
    if not any(host.exists(path) for path in _PROGRAMS):
        return None
    answer, trouble = _ask(host)
    if answer is None:
        running = _runs_unasked(host, trouble)
        return Product(
            "clamav",
            "ClamAV",
            running=running,
            realtime=_on_access(host) if running else running,
            signature_age=_written(host),
            trouble=trouble or "not reported",
        )
    version, signatures, age = linux_antivirus.clamd_version(answer, host.now())
    return Product(
        "clamav", "ClamAV", version, signatures, running=True, realtime=_on_access(host), signature_age=age
    )


def _runs_unasked(host: Host, trouble: str) -> bool | None:
    """By its process; where those can't be seen, it does not run if each of its sockets was looked at."""
    if trouble == _SILENT:  # it took the question
        return False
    process = asked.process(host, "clamd")
    return False if process is None and not trouble else process


def _on_access(host: Host) -> bool | None:
    """On-access scanning is a process of its own beside clamd (clamonacc(8))."""
    return asked.process(host, "clamonacc")


def _ask(host: Host) -> tuple[str | None, str]:
    """VERSION's answer of the first daemon that answers PING; else why one that runs would not."""
    paths, trouble = _sockets(host)
    for path in paths:
        try:
            answer = host.ask(path, b"zPING\0")
            if answer.strip(b"\0\n") != b"PONG":
                raise NotUnderstood("not clamd's PONG", answer[:80])
            return host.ask(path, b"zVERSION\0").decode("utf-8", "replace"), ""
        except PermissionError as error:
            trouble = why(error)
        except TimedOut:
            trouble = trouble or _SILENT
        except OSError:
            continue
    return None, trouble


def _sockets(host: Host) -> tuple[tuple[str, ...], str]:
    """Where it may listen, and why that may not be all."""
    configured, trouble = [], ""
    for path in _CONFIGS:
        try:
            local, tcp = linux_antivirus.clamd_sockets(host.text(path))
        except OSError as error:
            trouble = trouble if isinstance(error, FileNotFoundError) else why(error)
            continue
        configured.append(local)
        trouble = "only its TCP socket is known" if tcp and not local else trouble
    return tuple(dict.fromkeys(path for path in (*configured, *_SOCKETS) if path)), trouble


def _written(host: Host) -> float | None:
    ages = []
    for path in _SIGNATURES:
        with suppress(OSError, TimedOut):
            ages.append(host.now() - host.modified(path))
    return next((age for age in sorted(ages) if age >= 0), None)  # the clock may have been set back
