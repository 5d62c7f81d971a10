"""The child that replays: reads a job, reads what is stored, writes nothing but what it found, and ends."""

import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from schoolwatch_server.database.engine import open_database
from schoolwatch_server.replays import judge, places, reports
from schoolwatch_server.replays.job import SHOWN, Count, Found, Job, Said
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.load import read

JOB_MAX = 1 << 24
_SAY_EVERY = 0.5
_MEMORY = 1 << 30
_TOGETHER = 20
"""Found ones in one line: a line has a bound."""

Step = tuple[int, int, list[list[Found]]]
"""How many computers or looks are done, how many rows were read for them, and what each version found."""


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
    rules = [read(text.encode(), Path(f"rule {n}"), "console").rule for n, text in enumerate(job.texts)]
    engine = open_database(job.url)
    try:
        yield from _told(_steps(engine, rules, job), len(rules))
    finally:
        engine.dispose()


def _steps(engine: Engine, rules: Sequence[Rule], job: Job) -> Iterator[Step]:
    if any(rule.condition.watch is not None for rule in rules):
        return places.steps(engine, rules, job)
    return reports.steps(engine, rules, job)


def _told(steps: Iterator[Step], versions: int) -> Iterator[Said]:
    began = said_at = time.monotonic()
    counts, told = [Count() for _ in range(versions)], [0] * versions
    fresh: list[list[Found]] = [[] for _ in range(versions)]
    done = rows = 0

    def say() -> Said:
        lists = tuple(tuple(found[:_TOGETHER]) for found in fresh)
        for found in fresh:
            del found[:_TOGETHER]
        return Said(done, rows, time.monotonic() - began, tuple(counts), lists)

    for more, number, lists in steps:
        done, rows = done + more, rows + number
        for n, found in enumerate(lists):
            counts[n] = judge.count(counts[n], found)
            fresh[n] += found[: max(SHOWN - told[n], 0)]
            told[n] = min(told[n] + len(found), SHOWN)
        if time.monotonic() - said_at >= _SAY_EVERY:
            said_at = time.monotonic()
            yield say()
    while any(fresh):
        yield say()
    yield msgspec.structs.replace(say(), is_end=True)


if __name__ == "__main__":
    sys.exit(main())
