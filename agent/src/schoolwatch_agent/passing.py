"""A tick on a disk that takes nothing any more: what is measured is told at once, from memory.

What the server does not take then is lost; nothing that the spool on the disk holds is touched.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from schoolwatch_agent import cycle, delivery, schedule
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.cycle import Pace
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.log import log
from schoolwatch_agent.memory import Outcome
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.spool import Spool

_MEMORY = Path("/dev/shm")  # nosec B108 # noqa: S108  a private folder is made in it
"""Linux's file system in memory; elsewhere, and without it, the usual folder for temporary files."""


def tick(
    config: AgentConfig, host: Host, probes: Sequence[Probe], credential: Credential, pace: Pace
) -> Outcome | None:
    """Measures and delivers once in each of the device's delivery periods; None when it is not time.

    Nothing is remembered, so a probe is due when its own period began within the last delivery period.
    """
    now, since = host.now(), host.now() - max(config.schedule.measure, config.schedule.deliver)
    before, deliver = now - pace.measure, config.schedule.deliver
    if not schedule.deliver_now(
        now=now, delivered_at=before, urgent=False, deliver=deliver, device=pace.device
    ):
        return None
    ran = {probe.name: since for probe in probes}
    due = schedule.due_probes(probes, ran, now=now, measure=pace.measure, device=pace.device)
    try:
        with (
            tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder,
            Spool(Path(folder) / "spool.db", "", now) as spool,
        ):
            cycle.run_cycle(host, due, spool, pace)
            return delivery.deliver(spool, credential, config, host, pace.measure * 0.8)
    except OSError as error:
        log(__name__).warning("there is no room in memory either: %s", error)
        return None
