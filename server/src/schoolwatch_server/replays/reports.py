"""Rules of what devices report, over the journal: computer by computer, or school by school."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine

from schoolwatch_contract.envelope import from_json, inflate
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import incidents, journal, known_network, replaying, rule_reach, sightings
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.replays import judge
from schoolwatch_server.replays.job import Found, Job
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.follow import SENSOR_UP
from schoolwatch_server.rules.learning import subjects
from schoolwatch_server.rules.load import read
from schoolwatch_server.rules.sighted import Seen
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import RECALLED, subject


def steps(engine: Engine, rules: Sequence[Rule], job: Job) -> Iterator[tuple[int, int, list[list[Found]]]]:
    """How many computers were looked at together, how many reports there were, what each version found."""
    apart = judge.named_apart(rules)
    for ids in _together(engine, rules, job.devices):
        with begin_read(engine) as conn:
            yield len(ids), *_judged(conn, ids, rules, apart, job)


def _together(engine: Engine, rules: Sequence[Rule], devices: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Each computer by itself; for rules about schools those of a school that saw what they are about."""
    kinds = {rule.condition.sighting or "" for rule in rules if rule.scope == "school"}
    if not kinds:
        yield from ((one,) for one in devices)
        return
    with begin_read(engine) as conn:
        seers = sightings.seers(conn, devices, kinds)
        of = replaying.school_of(conn, seers)
    schools: dict[int, list[int]] = {}
    for one in devices:
        if one in of:
            schools.setdefault(of[one], []).append(one)
        else:
            yield (one,)
    yield from (tuple(its) for its in schools.values())


def _judged(
    conn: Connection, ids: Sequence[int], rules: Sequence[Rule], apart: Sequence[Rule], job: Job
) -> tuple[int, list[list[Found]]]:
    """In the order in which the reports came."""
    found = (row for one in ids for row in journal.of_device(conn, one, job.start, job.end))
    rows = sorted(found, key=lambda row: row.id)
    about = {Subject("device", one) for one in ids}
    seen: dict[int, list[Seen]] = {}
    if any(rule.condition.sighting is not None for rule in apart):
        numbers = {row.id for row in rows}
        seen = {row: told for one in ids for row, told in sightings.of_reports(conn, one, numbers).items()}
    beside = judge.teachers(apart, _teacher(job))
    every = (*apart, *beside)
    parts = subjects(every, seen, {row.id: row.device_id for row in rows})
    names = {named.id: rule.id for rule, named in zip(rules, apart, strict=True)}
    names |= {named.id: rules[0].known_by for named in beside}
    asking = {one.id: names[one.id] for one in every if one.learn is not None or one.known_by}
    cleared = _renamed(asking, incidents.false_alarms(conn, set(asking.values()), parts))
    ended = _renamed(asking, known_network.ends(conn, set(asking.values()), parts))
    places = {msgspec.structs.replace(one, part="") for one in parts}
    left_out = rule_reach.apart(conn, every, about | places)
    asked = frozenset(name for rule in every for name in _asked(rule))
    told = judge.of_reports(
        apart, _decoded(rows, asked), job.end, job.given, seen, left_out, cleared, ended, beside
    )
    return len(rows), told


def _teacher(job: Job) -> Rule | None:
    """The rule that knows for those of the job."""
    return read(job.teacher.encode(), Path("teacher"), "console").rule if job.teacher else None


def _renamed(
    names: Mapping[str, str], of: Mapping[tuple[str, Subject], Collection[float]]
) -> dict[tuple[str, Subject], Collection[float]]:
    """What is of a rule, for each of `names` that means it."""
    return {
        (name, about): told
        for name, meant in names.items()
        for (rule, about), told in of.items()
        if rule == meant
    }


def _asked(rule: Rule) -> tuple[str, ...]:
    """Subjects of readings; a rule that learns asks since when a sensor listens."""
    return (*rule.condition.evidence, *((subject(SENSOR_UP),) if rule.learn is not None else ()))


def _decoded(
    rows: Sequence[journal.JournalRow], asked: frozenset[str]
) -> Iterator[tuple[journal.JournalRow, Envelope | None]]:
    """Without the envelopes that say nothing of what is asked, and change no fact that rules remember."""
    names = (*(f'"{name}.' for name in asked), *(f'"{fact}"' for fact in RECALLED))
    signs = tuple(name.encode() for name in names)
    for row in rows:
        try:
            text = inflate(row.body)
            if b"\\u" not in text and not any(sign in text for sign in signs):
                yield row, None  # reading it costs more than this, and most say nothing of most rules
                continue
            envelope = from_json(text)
        except ContractError:  # as in `incidents`: an older program's
            yield row, None
            continue
        yield row, envelope
