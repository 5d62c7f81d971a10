"""The child that replays: reads a job, reads the journal, writes nothing but what it found, and ends."""

import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import journal, rule_reach, sightings
from schoolwatch_server.database.engine import begin_read, open_database
from schoolwatch_server.replays import judge
from schoolwatch_server.replays.job import SHOWN, Count, Found, Job, Said
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.load import read
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import RECALLED, subject

JOB_MAX = 1 << 22
_SAY_EVERY = 0.5
_MEMORY = 1 << 30
_TOGETHER = 20
"""Found ones in one line: a line has a bound."""


def main() -> int:
    """Reads the job from standard input."""
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, _MEMORY)):
        resource.setrlimit(kind, (most, most))
    os.nice(10)
    for said in replay(msgspec.json.decode(sys.stdin.buffer.read(JOB_MAX), type=Job)):
        os.write(1, msgspec.json.encode(said) + b"\n")
    return 0


def replay(job: Job) -> Iterator[Said]:
    """Says now and then how far it is, and at the end."""
    began = said_at = time.monotonic()
    rules = judge.named_apart(
        [read(text.encode(), Path(f"rule {n}"), "console").rule for n, text in enumerate(job.texts)]
    )
    counts, told, fresh = [Count() for _ in rules], [0] * len(rules), [list[Found]() for _ in rules]
    engine = open_database(job.url)
    done = reports = 0

    def say() -> Said:
        lists = tuple(tuple(found) for found in fresh)
        for found in fresh:
            found.clear()
        return Said(done, reports, time.monotonic() - began, tuple(counts), lists)

    try:
        for device_id in job.devices:
            if time.monotonic() - began >= job.seconds:
                break
            with begin_read(engine) as conn:
                number, lists = _device(conn, device_id, rules, job)
            done, reports = done + 1, reports + number
            for n, found in enumerate(lists):
                counts[n] = judge.count(counts[n], found)
                room = max(SHOWN - told[n], 0)
                fresh[n] += found[:room]
                told[n] += len(found[:room])
            while any(len(found) > _TOGETHER for found in fresh):
                yield Said(done, reports, 0.0, tuple(counts), tuple(_take(found) for found in fresh))
            if time.monotonic() - said_at >= _SAY_EVERY:
                said_at = time.monotonic()
                yield say()
        yield say()
    finally:
        engine.dispose()


def _take(found: list[Found]) -> tuple[Found, ...]:
    taken = tuple(found[:_TOGETHER])
    del found[:_TOGETHER]
    return taken


def _device(
    conn: Connection, device_id: int, rules: Sequence[Rule], job: Job
) -> tuple[int, list[list[Found]]]:
    """How many reports there were, and what each rule found in them: in the order in which they came."""
    rows = sorted(journal.of_device(conn, device_id, job.start, job.end), key=lambda row: row.id)
    about = {Subject("device", device_id)}
    seen = {}
    if any(rule.condition.sighting is not None for rule in rules):
        seen = sightings.of_reports(conn, device_id, {row.id for row in rows})
        about |= {Subject("device", device_id, one.part) for told in seen.values() for one in told}
    apart = rule_reach.apart(conn, rules, about)
    asked = frozenset(name for rule in rules for name in rule.condition.evidence)
    return len(rows), judge.of_device(rules, _decoded(rows, asked), job.end, job.given, seen, apart)


def _decoded(
    rows: Sequence[journal.JournalRow], asked: frozenset[str]
) -> Iterator[tuple[journal.JournalRow, Envelope | None]]:
    """Without the envelopes that say nothing of what is asked, and change no fact that rules remember."""
    for row in rows:
        try:
            envelope = row.envelope
        except ContractError:  # as in `incidents`: an older program's
            yield row, None
            continue
        names = {fact.name for fact in envelope.facts}
        subjects = map(subject, (*names, *(reading.metric for reading in envelope.readings)))
        speaks = not RECALLED.isdisjoint(names) or not asked.isdisjoint(subjects)
        yield row, envelope if speaks else None


if __name__ == "__main__":
    sys.exit(main())
