"""Reads what is known of every school's network inside, for its series."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from schoolwatch_contract.catalogue.sensors import SUBJECT
from schoolwatch_server.database import lan_facts
from schoolwatch_server.indicators.limits import limits
from schoolwatch_server.packs import Packs
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.standings.lan import FAULTS, KINDS, LOOK_BACK, Lan, put_together

_SEEN: Final = frozenset(one.name for one in SUBJECT.sightings)
"""What sensors see."""


def read(conn: Connection, rules: Sequence[Rule], packs: Packs, now: float) -> dict[int, Lan]:
    """School → what is known of its network; schools without any device are left out."""
    by = limits(packs, now)
    listeners = lan_facts.listeners(conn)
    found = put_together(
        listeners,
        lan_facts.machines(conn, [one.device_id for one in listeners], KINDS, now - LOOK_BACK),
        lan_facts.connected(conn, by.working_after),
        (by.speed_100, by.speed_1000),
        now,
    )
    about_seen = [rule.id for rule in rules if rule.condition.sighting in _SEEN]
    for school, count in lan_facts.open_at_schools(conn, about_seen).items():
        found.setdefault(school, Lan()).strange = count
    for fault, conditions in FAULTS.items():
        about_cables = [rule.id for rule in rules if rule.condition.machine in conditions]
        for school, count in lan_facts.faulty(conn, about_cables).items():
            found.setdefault(school, Lan()).faults[fault] = count
    return found
