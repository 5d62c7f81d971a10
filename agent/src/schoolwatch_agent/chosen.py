"""The probes of this computer: by its settings file, its enrolment, and what the server told it."""

from schoolwatch_agent import identity, probes, settings
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.probe import Probe
from schoolwatch_contract.settings import Settings


def probes_of(config: AgentConfig, told: Settings | None = None) -> tuple[Probe, ...]:
    """In the order they run; `told` is what the server said last, read from the data folder if not given."""
    return probes.probes(
        settings.read(config.data) if told is None else told,
        marker=config.backup.marker,
        hint_key=identity.hint_key(config.data),
        period=config.schedule.measure,
        sensors=config.sensors,
    )
