"""What a watch may look at; what several watches need is read once a look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from schoolwatch_server import isps, packs
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import calendars, hearings, lists, maintenances, sites
from schoolwatch_server.database.calendars import Place
from schoolwatch_server.database.sites import SiteRow
from schoolwatch_server.hearing import Hearing
from schoolwatch_server.packs import Packs
from schoolwatch_server.planned import Planned
from schoolwatch_server.rules.subject import PART_MAX, Subject
from schoolwatch_server.school_time import DAY, SchoolTime, is_school_time, seconds_of_school
from schoolwatch_server.scope import EVERYTHING

QUIET = 900.0
"""Seconds without any hearing after which a school is looked at more closely: a delivery period."""


@dataclass(frozen=True)
class Sight:
    """A reading connection, the server's settings, and the instant (UTC seconds) that is looked at.

    `in_force` are the packs; `open_now` is what has an open incident, and since when, by watch, and
    `opened_on` the evidence of some of those. The server itself heard nobody, or was not looking, until
    `deaf_at`.
    """

    conn: Connection
    config: ServerConfig
    now: float
    in_force: Packs | None = None
    open_now: Mapping[str, Mapping[Subject, float]] = field(default_factory=dict)
    deaf_at: float = 0.0
    opened_on: Mapping[Subject, Any] = field(default_factory=dict)

    @cached_property
    def packs(self) -> Packs:
        """The packs in force; the shipped ones where none were given."""
        return self.in_force or packs.load()

    @cached_property
    def places(self) -> dict[int, Place]:
        """School → where it is in the tree."""
        return calendars.places(self.conn)

    @cached_property
    def calendars(self) -> dict[int, SchoolTime]:
        """School → when it is held."""
        return calendars.of_schools(self.conn, self.packs.calendar, self.now)

    @cached_property
    def isps(self) -> dict[int, dict[str, str]]:
        """School → the providers of its lines, by what they are compared by, as the school writes them."""
        found = lists.contracts(self.conn, EVERYTHING, self.now)
        return {school: {spelled(one.provider): one.provider for one in its} for school, its in found.items()}

    @cached_property
    def sites(self) -> tuple[SiteRow, ...]:
        """The schools' sites with what their newest looks found."""
        return sites.listed(self.conn, EVERYTHING)

    @cached_property
    def planned(self) -> tuple[Planned, ...]:
        """The planned work that goes on."""
        return maintenances.at(self.conn, self.now)

    @cached_property
    def heard(self) -> dict[int, float]:
        """School → when it was last heard."""
        return hearings.schools_heard(self.conn)

    @cached_property
    def quiet(self) -> dict[int, list[Hearing]]:
        """School → its devices, of the quiet schools at which school is held now or whose line is down."""
        of_open = {subject.id for subject in self.open_now.get("line_down", ()) if subject.kind == "school"}
        asked = [
            school
            for school, at in self.heard.items()
            if self.now - at >= QUIET and (school in of_open or self.is_school_time(school))
        ]
        return hearings.of_schools(self.conn, asked)

    def is_school_time(self, school_id: int) -> bool:
        """Whether school is held there now."""
        calendar = self.calendars.get(school_id)
        return calendar is not None and is_school_time(calendar, self.now)

    def is_held_since(self, school_id: int, start: float, seconds: float) -> bool:
        """Whether school is held there now, and was for so many seconds since an instant (UTC seconds)."""
        calendar = self.calendars.get(school_id)
        return (
            calendar is not None
            and is_school_time(calendar, self.now)
            and seconds_of_school(calendar, start, self.now) >= seconds
        )

    def days_back(self, watch: str, days: float) -> float:
        """So many days before now, and before the oldest open incident of a watch began: UTC seconds.

        What was good before an incident is looked for as long as it is open: its end is not that this is
        long ago.
        """
        return min([self.now, *self.open_now.get(watch, {}).values()]) - days * DAY

    def above(self, subject: Subject) -> dict[str, int]:
        """The places in which a school or commune lies, by kind."""
        if subject.kind == "school" and subject.id in self.places:
            place = self.places[subject.id]
            return {"commune": place.commune_id, "province": place.province_id}
        if subject.kind == "commune":
            return {"province": self._provinces[subject.id]} if subject.id in self._provinces else {}
        return {}

    def is_place(self, subject: Subject) -> bool:
        """Whether there is such a school, commune or province."""
        if subject.kind == "school":
            return subject.id in self.places
        return subject.id in (self._provinces if subject.kind == "commune" else self._provinces.values())

    @cached_property
    def _provinces(self) -> dict[int, int]:
        return {place.commune_id: place.province_id for place in self.places.values()}


def spelled(isp: str) -> str:
    """A provider's name as incidents are told apart by it."""
    return isps.compared(isp)[:PART_MAX]
