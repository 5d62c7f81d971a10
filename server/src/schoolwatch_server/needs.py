"""What a school must buy or repair to reach what is asked of it (I-29), line by line with its numbers. Pure.

A line says what is surely missing (`least`) and what at most may be (`most`): a computer that nobody has
heard of may be in order or not. Where neither can be said the line says so with the reason, and no sum takes
it for 0.
A new need is one function and one line in `NEEDS`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.facts import Lab, Pair, SchoolClass
from schoolwatch_server.indicators.indicator import Counts, Indicator, Numbers, Source
from schoolwatch_server.indicators.judge import Prepared, prepare
from schoolwatch_server.indicators.lesson_ratio import lab_of, learns, working_of
from schoolwatch_server.packs import Packs

_NO_SOURCE = Source("", "", "")

Unit = Literal["computer", "room", "lab", "school"]


class Need(msgspec.Struct, frozen=True, gc=False):
    """One line. `terms` are the numbers of the item's formula, by name.

    `least` None: it is not known whether anything is missing, `reason` says why. `most` None: nobody knows.
    """

    item: str
    least: int | None
    most: int | None
    terms: tuple[tuple[str, float], ...] = ()
    stage: str = ""
    room_id: int | None = None
    reason: str = ""
    unit: Unit = "computer"
    indicator: str = ""
    source: Source = _NO_SOURCE


class Sum(msgspec.Struct, frozen=True, gc=False):
    """What many schools lack of one item: `schools` surely lack something, of `unknown` nobody knows it all.

    `most` is of what can be said.
    """

    item: str
    unit: Unit
    indicator: str
    source: Source
    least: int
    most: int
    schools: int
    unknown: int


_Lines = Iterable[Need]


@dataclass(frozen=True, slots=True)
class Item:
    """A kind of need: its id, the indicator that it is to raise, in what it is counted, and its lines."""

    id: str
    indicator: str
    unit: Unit
    lines: Callable[[Counts, Numbers], _Lines]


Rules = Sequence[tuple[Item, Prepared, Mapping[str, Source]]]


def rules(packs: Packs, at: float) -> Rules:
    """The needs with what the packs say of their indicators, looked up once for however many schools."""
    return tuple((item, prepare(_BY_ID[item.indicator], packs, at), _sources(item, packs)) for item in NEEDS)


def of_school(counts: Counts, by: Rules) -> tuple[Need, ...]:
    """What a school lacks, in the order of `NEEDS`; what it surely lacks nothing of has no line."""
    return tuple(
        msgspec.structs.replace(
            line,
            item=item.id,
            unit=item.unit,
            indicator=item.indicator,
            source=sources.get(line.stage.lower(), prepared.source),
        )
        for item, prepared, sources in by
        for line in item.lines(counts, prepared.numbers)
        if line.least is None or line.most != 0
    )


def add_up(schools: Iterable[Sequence[Need]], by: Rules) -> tuple[Sum, ...]:
    """The sum of each item over schools, also of those that nobody lacks."""
    sums = {
        item.id: Sum(item.id, item.unit, item.indicator, prepared.source, 0, 0, 0, 0)
        for item, prepared, _ in by
    }
    for lines in schools:
        for item in {line.item for line in lines}:
            own = [line for line in lines if line.item == item]
            least = sum(line.least or 0 for line in own)
            known = [line for line in own if line.least is not None]
            held = sums[item]
            sums[item] = msgspec.structs.replace(
                held,
                least=held.least + least,
                most=held.most + sum(line.most or line.least or 0 for line in known),
                schools=held.schools + bool(least),
                unknown=held.unknown + any(line.least is None or line.most is None for line in own),
            )
    return tuple(sums.values())


def _sources(item: Item, packs: Packs) -> Mapping[str, Source]:
    """Of numbers that differ from stage to stage each its own."""
    numbers = packs.of(item.indicator).indicators[item.indicator].numbers
    return {name: Source(n.document, n.clause, n.confidence) for name, n in numbers.items()}


# --- computers --------------------------------------------------------------------------------------------


def _lab_computers(counts: Counts, numbers: Numbers) -> _Lines:
    """A lab needs as many as its most demanding class: pupils taught at once over pupils a computer.

    Those of its computers of which nothing is known may work or not.
    """
    if not any(numbers.get(stage.lower()) for stage in counts.stages):
        return
    classes = [c for c in counts.classes if c.taught > 0 and learns(c, numbers)]
    if not classes:
        yield _unknown("no_students" if counts.classes else "no_classes")
        return
    labs = {lab.room_id: lab for lab in counts.labs}
    placed = [(c, lab_of(c, labs)) for c in classes]
    for lab in counts.labs:
        yield from _of_lab(lab, [c for c, its in placed if its is lab], counts, numbers)
    if any(its is None for _, its in placed):
        yield _unknown("no_lab")


def _of_lab(lab: Lab, classes: Sequence[SchoolClass], counts: Counts, numbers: Numbers) -> _Lines:
    asked = [
        (math.ceil(c.taught / target - 1e-9), c, target)
        for c in classes
        if (target := numbers.get(c.stage.lower()))
    ]
    if not asked:
        return
    required, of, target = max(asked, key=lambda each: each[0])
    working = working_of(lab)
    missing = max(0, required - working)
    silent = _silent(lab, counts, missing)
    terms = (
        ("taught", of.taught),
        ("target", target),
        ("required", required),
        ("working", working),
        ("broken", lab.known - lab.working),
        ("silent", silent),
    )
    yield Need("", max(0, missing - silent), missing, terms, of.stage, lab.room_id)


def _silent(lab: Lab, counts: Counts, missing: int) -> int:
    """Computers of a lab of which nothing is known: where nobody said how many there are, as many as lack."""
    if lab.declared is not None:
        return max(0, lab.declared - lab.known - (lab.by_hand or 0))
    if counts.student_devices_declared is None:
        return missing
    by_hand = sum(each.by_hand or 0 for each in counts.labs)
    return max(0, counts.student_devices_declared - counts.student_devices_known - by_hand)


def _of_pair(pair: Pair, declared: int | None, *, good: bool) -> Need:
    """Devices that are not as they should be; those of which it is not known may be so too."""
    bad = pair.known - pair.yes if good else pair.yes
    if declared is None and not pair.known:
        return _unknown("not_declared")
    whole = max(pair.known, declared or 0)
    terms = (("known", pair.known), ("bad", bad), ("declared", whole))
    return Need("", bad, bad + whole - pair.known if declared is not None else None, terms)


def _antivirus(counts: Counts, _: Numbers) -> _Lines:
    yield _of_pair(Pair(counts.protected_yes, counts.protected_known), counts.devices_declared, good=True)


def _issued(counts: Counts, _: Numbers) -> _Lines:
    if not counts.issued_named:
        yield _unknown("no_product")
    else:
        yield _of_pair(counts.issued, counts.devices_declared, good=True)


def _due(counts: Counts, _: Numbers) -> _Lines:
    yield _of_pair(counts.due, counts.devices_declared, good=False)


def _slow_ports(counts: Counts, _: Numbers) -> _Lines:
    """Only what is known to be on a cable and slow: whether another computer is on one nobody knows."""
    if not counts.link_known:
        yield _unknown("nothing_to_count")
        return
    slow = counts.wired - counts.wired_100
    yield Need("", slow, slow, (("known", counts.wired), ("bad", slow)))


# --- rooms and lines --------------------------------------------------------------------------------------


def _projection(counts: Counts, _: Numbers) -> _Lines:
    rooms = counts.classrooms
    if not rooms.rooms:
        yield _unknown("no_rooms")
        return
    bad = rooms.equipped_known - rooms.equipped
    terms = (("known", rooms.equipped_known), ("bad", bad), ("declared", rooms.rooms))
    yield Need("", bad, rooms.rooms - rooms.equipped, terms)


def _network(counts: Counts, _: Numbers) -> _Lines:
    """That a room has no network shows itself nowhere: so many have no sign of one, perhaps none lacks it."""
    rooms = counts.classrooms
    if not rooms.rooms:
        yield _unknown("no_rooms")
        return
    without = rooms.rooms - rooms.connected
    yield Need("", 0, without, (("known", rooms.connected), ("bad", without), ("declared", rooms.rooms)))


def _labs(counts: Counts, numbers: Numbers) -> _Lines:
    if "THCS" not in counts.stages:
        return
    if not counts.labs and not counts.classrooms.rooms:
        yield _unknown("no_rooms")
        return
    missing = max(0, math.ceil(numbers["thcs"]) - len(counts.labs))
    yield Need("", missing, missing, (("required", numbers["thcs"]), ("working", len(counts.labs))))


def _whether(indicator: str) -> Callable[[Counts, Numbers], _Lines]:
    """A school either has it or not, as its indicator says."""

    def lines(counts: Counts, numbers: Numbers) -> _Lines:
        found = _BY_ID[indicator].compute(counts, numbers)
        if found.meets is None:
            if found.is_asked and found.reason != "not_applicable":
                yield _unknown(found.reason or "not_declared")
        elif not found.meets:
            yield Need("", 1, 1)

    return lines


def _unknown(reason: str) -> Need:
    return Need("", None, None, reason=reason)


_BY_ID: Mapping[str, Indicator] = {indicator.id: indicator for indicator in INDICATORS}

NEEDS: tuple[Item, ...] = (
    Item("lab_computers", "students_per_computer_in_lesson", "computer", _lab_computers),
    Item("labs", "informatics_rooms", "lab", _labs),
    Item("replacement", "due_for_replacement", "computer", _due),
    Item("antivirus", "antivirus_coverage", "computer", _antivirus),
    Item("issued_antivirus", "issued_antivirus", "computer", _issued),
    Item("projection", "classrooms_equipped", "room", _projection),
    Item("room_network", "classrooms_connected", "room", _network),
    Item("slow_ports", "wired_links_100", "computer", _slow_ports),
    Item("fibre", "fibre", "school", _whether("fibre")),
    Item("bandwidth", "bandwidth_standard", "school", _whether("bandwidth_standard")),
    Item("network_firewall", "network_firewall", "school", _whether("network_firewall")),
    Item("studio", "studio", "school", _whether("studio")),
)
"""In the order of pages and files."""
