"""Rows of the registry as other parts read them."""

from dataclasses import dataclass

from schoolwatch_server import levels


@dataclass(frozen=True, slots=True)
class ProvinceRow:
    """A province and its code."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CommuneRow:
    """A commune with its province."""

    id: int
    code: str
    name: str
    province_id: int
    province: str


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school with its present code, its place in the tree and its newest declared numbers.

    `manager` is what somebody chose (so, xa; empty: nobody), `managed_by` whom it reports to.
    `former_place` is the province or district that it was in before July 2025; `position` is its degrees as
    `position.Position.text` writes them, empty while nobody said.
    """

    id: int
    code: str
    name: str
    level: str
    commune_id: int
    commune: str
    province_id: int
    province: str
    declared: dict[str, float]
    manager: str = ""
    is_specialised: bool = False
    is_boarding: bool = False
    is_public: bool = True
    former_place: str = ""
    position: str = ""

    @property
    def managed_by(self) -> levels.Manager | None:
        """Whom it reports to: the Sở or its commune; None while its level is not known."""
        return levels.manager(
            self.level,
            is_specialised=self.is_specialised,
            is_boarding=self.is_boarding,
            chosen=self.manager,
        )


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device where it is now, with the few columns of its state; None there is unknown or never heard."""

    id: int
    device: str
    label: str
    role: str | None
    room: str | None
    school_id: int
    school_code: str
    school: str
    heard_at: float | None
    taken_at: float | None
    agent: str | None
    protected: bool | None
    ipv6_rung: int | None
    link_speed: float | None
    link_medium: str | None
    broken: bool
    antivirus: str | None
