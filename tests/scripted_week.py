"""A week of thirty schools of one commune as a script: who is on and reports when, and what is really wrong.

Thursday 28 January to Wednesday 3 February 2027, on which Tết begins; it is Wednesday noon when it starts.
Everything follows from a seed. Pure: instants are UTC seconds, and nothing here knows of rules' workings.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

from schoolwatch_contract.records import Fact, Reading, Sighting

SEED = 2027
SCHOOLS = 30
EVERY = 900.0
"""Seconds between two reports of a computer that is on."""

VIETNAM = timezone(timedelta(hours=7))
Span = tuple[float, float]


def at(day: str, clock: str) -> float:
    """`28` and `09:20`; days from 20 on are of January, the others of February."""
    month = 1 if int(day) >= 20 else 2
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2027, month, int(day), hour, minute, tzinfo=VIETNAM).astimezone(UTC).timestamp()


START, END = at("27", "12:00"), at("3", "23:59")
SCHOOL_DAYS = ("27", "28", "29", "1", "2")

Kind = Literal["gateway", "office", "lab", "trolley"]
Name = tuple[int, Kind, int]


@dataclass(frozen=True)
class Computer:
    """One computer: when it is on, and what was wrong with it before."""

    school: int
    kind: Kind
    number: int
    phase: float
    on: tuple[Span, ...]
    standing: tuple[Reading, ...]
    habit: float
    """Share of the school days before on which it was heard."""

    @property
    def name(self) -> "Name":
        """What tells it apart."""
        return self.school, self.kind, self.number


@dataclass(frozen=True)
class School:
    """One school: its provider, its computers, and when its line is gone."""

    number: int
    isp: str
    computers: tuple[Computer, ...]
    no_line: tuple[Span, ...]


@dataclass(frozen=True)
class Report:
    """What a computer measured at `taken_at` and the server got at `arrived`."""

    computer: Computer
    taken_at: float
    arrived: float
    readings: tuple[Reading, ...]
    facts: tuple[Fact, ...]
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True)
class Truth:
    """Something that is really wrong: what it should be called, whose it is, and since and until when."""

    rule: str
    where: str
    since: float
    until: float | None
    is_attack: bool = False
    late: bool = False


# --- the script -------------------------------------------------------------------------------------------

POWER_CUTS: dict[int, Span] = {
    4: (at("28", "09:20"), at("28", "11:05")),
    9: (at("1", "14:00"), at("1", "15:30")),
    25: (at("29", "09:00"), at("29", "10:45")),  # without a gateway: many devices in two rooms stop
}
OUTAGE = (at("29", "08:30"), at("29", "10:45"))
"""Of one provider, by which schools 10 to 19 go."""

OFFLINE: Span = (at("27", "15:00"), at("1", "15:00"))
"""School 2, five days; its computers go on measuring, and what they measured comes then."""

CUT_OFF: Span = (at("1", "16:40"), at("2", "16:45"))
"""School 27, which has no gateway: only that it is not heard for a whole day tells of it."""

DEAD = (8, "lab", 3, at("28", "15:30"))
"""A computer that was always on with its room, and then never again."""

MALWARE: dict[Name, tuple[float, str]] = {
    (12, "lab", 1): (at("28", "08:30"), "Trojan.Test"),
    (2, "lab", 2): (at("29", "14:00"), "Worm.Late"),
}
SWITCHED_OFF: dict[Name, Span] = {
    (15, "office", 0): (at("1", "10:00"), at("1", "12:00")),
    (2, "lab", 0): (at("28", "14:00"), at("28", "15:00")),  # over long before it is heard of
}
CLONED: tuple[Name, float] = ((20, "lab", 2), at("2", "14:10"))
"""From then on a second machine reports under this one's name."""

OWN_SERVER = {"server": "10.0.0.1", "router": "10.0.0.1", "resolvers": "10.0.0.1"}
"""What each school's own router gives out; its gateway hears it every hour."""

ROGUES: dict[int, Span] = {
    17: (at("1", "08:10"), at("1", "11:30")),  # somebody plugs in a Wi-Fi router of their own
    2: (at("28", "09:00"), at("28", "11:00")),  # while the school was offline
}
"""Schools with a rogue DHCP server, and how long it answers: gateways have listened for a day by then."""

ROGUE_SERVER = {"server": "192.168.1.1", "router": "192.168.1.1", "resolvers": "8.8.8.8"}

IN_STORIES = frozenset({2, 8, 12, 20, 25, 27})
"""Schools that need a whole lab for theirs; the others have a small one, to be played faster."""

TRUTHS = (
    Truth("line_down", "school 2", OFFLINE[0], OFFLINE[1]),
    Truth("line_down", "school 4", *POWER_CUTS[4]),
    Truth("line_down", "school 9", *POWER_CUTS[9]),
    Truth("line_down", "school 25", *POWER_CUTS[25]),
    Truth("line_down", "school 27", *CUT_OFF),
    Truth("outage_commune", "commune", *OUTAGE),
    Truth("device_silent", "school 8 lab 3", DEAD[3], None),
    Truth("malware_found", "school 12 lab 1", MALWARE[12, "lab", 1][0], None, is_attack=True),
    Truth("malware_found", "school 2 lab 2", MALWARE[2, "lab", 2][0], None, is_attack=True, late=True),
    Truth("antivirus_off", "school 15 office 0", *SWITCHED_OFF[15, "office", 0], is_attack=True),
    Truth("device_clone", "school 20 lab 2", CLONED[1], None, is_attack=True),
    Truth("dhcp_server_new", "school 17", ROGUES[17][0], None, is_attack=True),
    Truth("dhcp_server_new", "school 2", ROGUES[2][0], None, is_attack=True, late=True),
)
"""What there is to be found: nothing else happens but what is nobody's to act on today."""


def schools(seed: int = SEED) -> tuple[School, ...]:
    """The thirty schools with their computers."""
    chance = random.Random(seed)
    return tuple(_school(number, chance) for number in range(SCHOOLS))


def _school(number: int, chance: random.Random) -> School:
    kinds: list[tuple[Kind, int]] = [("office", 2), ("lab", 5 if number in IN_STORIES else 2)]
    if number < 22:
        kinds.append(("gateway", 1))
    if number == 6:
        kinds.append(("trolley", 6))
    lessons = _lessons(chance)
    no_line = [span for n, span in ((2, OFFLINE), (27, CUT_OFF)) if n == number]
    if 10 <= number < 20:
        no_line.append(OUTAGE)
    computers = tuple(
        _computer(number, kind, n, lessons, chance) for kind, count in kinds for n in range(count)
    )
    isp = "VNPT" if 10 <= number < 20 else ("Viettel", "FPT", "viettel ")[number % 3]
    return School(number, isp, computers, tuple(no_line))


def _lessons(chance: random.Random) -> tuple[Span, ...]:
    """Each school day a lesson in the morning and one in the afternoon; then the lab is switched off."""
    spans = []
    for day in SCHOOL_DAYS:
        spans.append(
            (at(day, f"07:{chance.randint(10, 30)}"), at(day, chance.choice(("09:25", "10:10", "11:20"))))
        )
        spans.append(
            (at(day, f"13:{chance.randint(35, 50)}"), at(day, chance.choice(("15:05", "16:00", "16:50"))))
        )
    return tuple(spans)


def _computer(
    school: int, kind: Kind, number: int, lessons: tuple[Span, ...], chance: random.Random
) -> Computer:
    is_lazy = kind == "trolley" or (kind == "lab" and number == 0 and school not in (2, 25))
    match kind:
        case "gateway":
            until = at("2", "17:20") if school % 3 == 0 else END  # some switch it off for the holidays
            on: list[Span] = [(START - 86_400, until)]
        case "office":
            on = [
                (at(day, f"06:{chance.randint(40, 59)}"), at(day, f"17:{chance.randint(2, 20):02d}"))
                for day in SCHOOL_DAYS
            ]
        case "lab":
            on = [span for span in lessons if not is_lazy or chance.random() < 0.5]
        case "trolley":
            on = [(at("28", "08:00"), at("28", "09:30"))]
    if (school, kind, number) == DEAD[:3]:
        on = [(begin, min(end, DEAD[3])) for begin, end in on if begin < DEAD[3]]
    if school in POWER_CUTS:
        on = [part for span in on for part in _without(span, POWER_CUTS[school])]
    standing = ()
    if chance.random() < 0.6 and kind != "gateway":
        standing = (
            Reading("updates.last_installed_age", 300 * 86_400.0),
            Reading("autorun.enabled", 1.0, {"drive": "removable"}),
        )
    return Computer(
        school, kind, number, chance.uniform(0, EVERY), tuple(on), standing, 0.5 if is_lazy else 1.0
    )


def _without(span: Span, hole: Span) -> Iterator[Span]:
    for begin, end in ((span[0], min(span[1], hole[0])), (max(span[0], hole[1]), span[1])):
        if begin < end:
            yield begin, end


# --- what the server gets ----------------------------------------------------------------------------------


def reports(all_schools: tuple[School, ...]) -> list[Report]:
    """All reports in the order in which they arrive."""
    found = [report for school in all_schools for one in school.computers for report in _reports(school, one)]
    return sorted(found, key=lambda report: (report.arrived, report.taken_at))


def _reports(school: School, one: Computer) -> Iterator[Report]:
    for begin, end in one.on:
        first = max(begin + 60, START)
        taken_at = first + (one.phase if begin < START else one.phase % 120)
        while taken_at < min(end, END):
            readings, facts = _told(one, taken_at, begin)
            seen = tuple(_seen(one, taken_at)) if one.kind == "gateway" else ()
            yield Report(one, taken_at, _arrival(school, one, taken_at), readings, facts, seen)
            taken_at += EVERY if is_busy(taken_at + EVERY) else 3600


def is_busy(instant: float) -> bool:
    """By day of a school day; else the script's gateways say less, to be played faster."""
    local = datetime.fromtimestamp(instant, VIETNAM)
    return str(local.day) in SCHOOL_DAYS and 6 <= local.hour < 18


def _arrival(school: School, one: Computer, taken_at: float) -> float:
    """At once; or when the line is back and the computer on."""
    for begin, end in school.no_line:
        if begin <= taken_at < end:
            later = [max(start, end) + 30 + one.phase % 240 for start, stop in one.on if stop > end + 600]
            return min(later, default=END + 1)
    return taken_at + 1


def _seen(one: Computer, taken_at: float) -> Iterator[Sighting]:
    """The school's own server in the report after each full hour, and a rogue one in each."""
    own, rogue = f"{one.school:032x}", f"{0xBAD + one.school:032x}"
    if taken_at // 3600 != (taken_at - EVERY) // 3600:
        yield Sighting("dhcp.offer", own, {"nic": "lan0", **OWN_SERVER}, taken_at - 20)
    begin, end = ROGUES.get(one.school, (END, END))
    if begin <= taken_at < end:
        yield Sighting("dhcp.offer", rogue, {"nic": "lan0", "oui": "00:1a:2b", **ROGUE_SERVER}, taken_at - 10)


def _told(one: Computer, taken_at: float, on_since: float) -> tuple[tuple[Reading, ...], tuple[Fact, ...]]:
    off_since, off_until = SWITCHED_OFF.get(one.name, (END, END))
    found_at, threat = MALWARE.get(one.name, (END, ""))
    runs = 0.0 if off_since <= taken_at < off_until else 1.0
    detected = taken_at >= found_at
    product = {"product": "defender"}
    own = {reading.metric for reading in one.standing}
    usual = (
        Reading("antivirus.products", 1.0),
        Reading("antivirus.running", runs, product),
        Reading("antivirus.realtime", runs, product),
        Reading("antivirus.signature_age", 7200.0, product),
        Reading("antivirus.detections", 1.0 if detected else 0.0, product),
        Reading("firewall.enabled", 1.0, {"source": "active", "profile": "private"}),
        Reading("autorun.enabled", 0.0, {"drive": "removable"}),
        Reading("updates.last_installed_age", 5 * 86_400.0),
        Reading("uptime.seconds", taken_at - on_since),
    )
    facts = (Fact("os.kind", "client"), *((Fact("antivirus.threat", threat, product),) if detected else ()))
    hears = (Reading("sensor.up", 1.0, {"nic": "lan0"}),) if one.kind == "gateway" else ()
    return (*(each for each in usual if each.metric not in own), *one.standing, *hears), facts
