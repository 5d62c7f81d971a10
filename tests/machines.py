"""The recorded machines that tests of probes run on."""

from pathlib import Path

import schoolnet
from schoolwatch_agent.config import Sensors
from schoolwatch_agent.probe import Observed, observe
from schoolwatch_agent.probes import listed, probes
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_contract.records import Fact
from schoolwatch_contract.settings import Bandwidth, Settings

RECORDINGS = Path(__file__).parent / "agent" / "recordings"
NAMES = (
    "debian12",
    *(
        f"{folder}/{file.stem}"
        for folder in ("linux", "windows")
        for file in sorted((RECORDINGS / folder).glob("*.json"))
    ),
)
KEY = bytes(range(32))
"""A school's."""

PROBES = (
    *(
        probe
        for probe in probes(
            Settings(
                measures_use=True, ipv6=schoolnet.TARGETS.ipv6, bandwidth=Bandwidth("https://so.example")
            ),
            marker="/srv/backup/done",
        )
        if probe.name != "sensors"
    ),
    listed("sensors", 0, Sensors(("eth0", "eth1")), KEY, watched=["sensor.up"]),
)
"""In a lab, with a backup's marker, targets, a server to test against and links to watch: there is something
to see. Only the watch has the school's key: of this machine's own hardware nothing is to be compared."""

_BY_NAME = {probe.name: probe for probe in PROBES}


def machine(name: str) -> RecordedHost:
    """A recorded machine, by folder or by file."""
    folder = RECORDINGS / name
    return RecordedHost(folder if folder.is_dir() else folder.with_suffix(".json"))


def look(probe: str, name: str) -> Observed:
    """What a probe makes of a recorded machine."""
    return observe(_BY_NAME[probe], machine(name))


def readings(observed: Observed) -> dict[str, float | None]:
    """`antivirus.running clamav` to 1.0; label values follow the metric, probe.* left out."""
    return {
        " ".join([reading.metric, *reading.labels.values()]): reading.value
        for reading in observed.readings
        if not reading.metric.startswith("probe.")
    }


def facts(observed: Observed) -> dict[str, Fact]:
    """Facts likewise."""
    return {" ".join([fact.name, *fact.labels.values()]): fact for fact in observed.facts}


def failure(observed: Observed) -> str | None:
    """Why the probe failed; None when it worked."""
    return next((fact.value for fact in observed.facts if fact.name == "probe.failure"), None)
