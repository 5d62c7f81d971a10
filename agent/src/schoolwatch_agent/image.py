"""Makes a computer ready to be copied: nothing of its identity may get into a master image."""

from collections.abc import Iterator
from pathlib import Path

from schoolwatch_agent.identity import AUTHORITY, CREDENTIAL, INSTALL_ID
from schoolwatch_agent.limits import FILE as CYCLE
from schoolwatch_agent.probes.bandwidth import LEDGER
from schoolwatch_agent.probes.updates import KEPT as UPDATES
from schoolwatch_agent.probes.use import BOOT
from schoolwatch_agent.settings import FILE as SETTINGS
from schoolwatch_agent.tick import SPOOL
from schoolwatch_agent.ways import FILE as WAY

_NAMES = (CREDENTIAL, INSTALL_ID, AUTHORITY, WAY, SETTINGS, SPOOL, CYCLE, LEDGER, BOOT, UPDATES)


def strip(data: Path) -> tuple[Path, ...]:
    """Deletes id, credential, settings, spool and what probes keep, with what a crash or damage left of them.

    Gives what was deleted. Raises OSError at the first file that cannot be; call it holding the lock.
    """
    found = tuple(sorted(_own(data)))
    for path in found:
        path.unlink()
    return found


def _own(data: Path) -> Iterator[Path]:
    for name in _NAMES:
        yield from data.glob(f"{name}*")
        yield from data.glob(f".{name}.*")
