"""What an installed agent is: which program, how it runs, within which bounds."""

from dataclasses import dataclass, replace
from typing import Final, Literal

Mode = Literal["tick", "run"]
Role = Literal["pc", "gateway"]
MODES: Final[tuple[Mode, ...]] = ("tick", "run")
ROLES: Final[tuple[Role, ...]] = ("pc", "gateway")
MODE_OF: Final[dict[Role, Mode]] = {"pc": "tick", "gateway": "run"}
"""How it runs unless said otherwise: what a gateway sees of an attack must not wait for the next cycle."""

System = Literal["linux", "windows"]
NAME: Final = "schoolwatch-agent"
"""Of the unit, of the user it runs as, and of the folder below /var/lib."""


@dataclass(frozen=True, slots=True)
class Service:
    """One agent as the system is to run it.

    `program` is the command line before `tick` or `run`; `config` and `data` are paths on that machine.
    `every` and `cycle_max` are seconds, `memory_max` is bytes (children included).
    `seed` is the device's own text: machines that start together must not measure together.
    `watches` says whether links of the school's network are to be watched.
    `passage` are the server's ports (`host:port`) to which a gateway lets others pass, None for no passage.
    """

    program: tuple[str, ...]
    config: str
    data: str
    mode: Mode
    role: Role
    every: float
    cycle_max: float
    memory_max: int
    seed: str
    passage: tuple[str, ...] | None = None
    watches: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line; a gateway that stays keeps its connection too."""
        stays = ("--stay-connected",) if (self.mode, self.role) == ("run", "gateway") else ()
        return (*self.program, self.mode, *stays, "--config", self.config)

    @property
    def watching(self) -> tuple[str, ...]:
        """The whole command line of the watch of the school's network."""
        return (*self.program, "watch", "--config", self.config)

    @property
    def passing(self) -> tuple[str, ...]:
        """The whole command line of the passage."""
        ports = (word for port in self.passage or () for word in ("--to", port))
        return (*self.program, "gateway", "--config", self.config, *ports)


_WINDOWS: Final = r"C:\Program Files\SchoolWatch"
_LINUX: Final = "/opt/schoolwatch-agent"


def of_a_kit(service: Service, system: System) -> Service:
    """The same on a machine of another system than this one: its paths are those where a kit installs."""
    if system == "windows":
        program = (rf"{_WINDOWS}\python\python.exe", "-I", _WINDOWS)
        settings = r"C:\ProgramData\SchoolWatch"
        return replace(service, program=program, config=rf"{settings}\agent.toml", data=rf"{settings}\agent")
    return replace(
        service,
        program=("/usr/bin/python3", "-I", _LINUX),
        config="/etc/schoolwatch/agent.toml",
        data=f"/var/lib/{NAME}",
    )
