"""A device: posture, facts, newest readings that refresh by themselves, probes, IPv6 ladder, plots."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from starlette.responses import Response

from schoolwatch_contract import ladder as ladder_words
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server import ladder
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import lines, support
from schoolwatch_server.console.lines import Line
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.schools import commune_code_of, place_of
from schoolwatch_server.console.words import ZONE, Words
from schoolwatch_server.database import (
    identities,
    incident_rows,
    journal,
    lives,
    pages,
    registry,
    sightings,
    states,
)
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.posture import issued
from schoolwatch_server.shown import visible
from schoolwatch_server.state import State, key, parse_key
from schoolwatch_server.working import working

_CHANGES = 10
"""Changes of the machine that are shown, the newest."""


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """One probe: whether it worked (None: unknown), how long it took, and why it failed."""

    name: str
    worked: bool | None
    took: str
    failure: str
    at: float


def show(request: Request, device: str, who: Who, server: Server) -> Response:
    """The device's page."""
    return _page(request, "device.html", device, who, server)


def now(request: Request, device: str, who: Who, server: Server) -> Response:
    """The part of the page that refreshes: what was heard last."""
    return _page(request, "device_now.html", device, who, server)


def _page(request: Request, template: str, name: str, who: Who, server: Context) -> Response:
    words = words_of(request)
    with begin_read(server.engine) as conn:
        device = registry.device(conn, name, who.scope)
        school = None if device is None else registry.school(conn, device.school_id, who.scope)
        if device is None or school is None:
            raise not_found("device", name)
        whole = states.load(conn, device.id) or State()
        state = visible(whole, who.scope)
        now = time.time()
        beside = registry.devices(conn, who.scope, school_id=device.school_id)
        order = working(
            device,
            beside,
            now=now,
            after=limits(server.packs, now).working_after,
            state=whole,
        )
        commune_code = commune_code_of(conn, who, school)
        rooms = pages.rooms(conn, device.school_id)
        revoked, replaced = lives.is_revoked(conn, device.id), lives.replaced(conn, device.id)
        asset_tag = lives.asset_tag(conn, device.id)
        own_role = lives.own_role(conn, device.id)
        carried, uncertain = journal.carried(conn, device.id), journal.uncertain(conn, device.id)
        changes = sightings.of_device(conn, device.id, (identities.CHANGED, identities.CLONE), _CHANGES)
        incidents = incident_rows.incidents(conn, who.scope, device=name, is_open=True, limit=10)
    return page(
        request,
        template,
        who,
        device=device,
        order=order,
        working_window=server.packs.windows.working,
        school=school,
        place=place_of(school),
        commune_code=commune_code,
        rooms=rooms,
        roles=registry.DEVICE_ROLES,
        own_role=own_role,
        revoked=revoked,
        replaced=replaced,
        asset_tag=asset_tag,
        others=[row for row in beside if row.id != device.id],
        readings=lines.grouped(lines.readings(state, words), words),
        facts=lines.grouped(_with_support(lines.facts(state, words), state, server.systems, words), words),
        issued=issued(device.antivirus, server.config.antivirus.issued),
        asks_issued=bool(server.config.antivirus.issued),
        probes=_probes(state, words),
        steps=(steps := ladder.ladder(state, server.packs.ipv6_slow)),
        first=ladder.first(steps),
        told=ladder_words,
        carried=carried,
        uncertain=uncertain,
        changes=changes,
        metrics=_metrics(state, words),
        incidents=incidents,
        rules=server.rules,
    )


def _with_support(facts: Sequence[Line], state: State, systems: Systems, words: Words) -> Sequence[Line]:
    """The facts with one more after the operating system's name: until when it is supported."""
    place = next((index for index, line in enumerate(facts) if line.name == "os.name"), None)
    if place is None:
        return facts
    system = support.of(state, systems)
    today = datetime.now(ZONE).date()
    told = support.told(system, today, words)
    line = Line("os.support", words.text("support.title"), "", told, system is not None, facts[place].at)
    return (*facts[: place + 1], line, *facts[place + 1 :])


def _probes(state: State, words: Words) -> list[ProbeLine]:
    found = []
    for text, number in state.readings.items():
        name, labels = parse_key(text)
        if name != "probe.ok":
            continue
        seconds = state.readings.get(key("probe.seconds", labels))
        failure = state.facts.get(key("probe.failure", labels))
        worked = None if number.value is None else number.value == 1
        found.append(
            ProbeLine(
                labels.get("probe", ""),
                worked,
                "" if seconds is None or seconds.value is None else words.amount(seconds.value, "s"),
                "" if worked or failure is None else failure.value or failure.reason,
                number.taken_at,
            )
        )
    return sorted(found, key=lambda line: (line.worked is not False, line.name))


def _metrics(state: State, words: Words) -> list[tuple[str, str]]:
    """Metrics that can be plotted: those that the device has readings of."""
    here = {parse_key(text)[0] for text in state.readings}
    return [(name, lines.title(name, metric, words)) for name, metric in METRICS.items() if name in here]


ROUTES = (
    Route("GET", "/devices/{device}", show, "read"),
    Route("GET", "/devices/{device}/now", now, "read"),
)
