"""Rules of what devices report, over the journal: computer by computer."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine

from schoolwatch_contract.envelope import from_json, inflate
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import journal, rule_reach, sightings
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.replays import judge
from schoolwatch_server.replays.job import Found, Job
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import RECALLED


def steps(engine: Engine, rules: Sequence[Rule], job: Job) -> Iterator[tuple[int, int, list[list[Found]]]]:
    """Of each computer how many reports there were, and what each version found in them."""
    apart = judge.named_apart(rules)
    for device_id in job.devices:
        with begin_read(engine) as conn:
            yield 1, *_device(conn, device_id, apart, job)


def _device(
    conn: Connection, device_id: int, rules: Sequence[Rule], job: Job
) -> tuple[int, list[list[Found]]]:
    """In the order in which the reports came."""
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
