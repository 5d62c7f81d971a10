"""Commits verified reports in one transaction: journal, marks, states, sightings, dirty buckets, counters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, insert

from schoolwatch_contract.ack import Ack
from schoolwatch_contract.records import Envelope
from schoolwatch_server import identity
from schoolwatch_server.database import counters, identities, journal, marks, quarantine, rollups, states
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import epoch
from schoolwatch_server.database.identities import CLONE, HintsTold
from schoolwatch_server.database.marks import Generation, Pair
from schoolwatch_server.intake.accept import Refused, Report
from schoolwatch_server.intake.clock import Reckoned, corrected, is_late, reckon, seen_when

Verdict = Literal["new", "duplicate", "fork"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a commit goes by: seconds between deliveries, rows in quarantine, and whether it's a replay."""

    delivery_period: float = 900.0
    quarantine_rows: int = quarantine.ROWS_MAX
    replay: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    """A report that goes into the journal, with its times on the server's clock.

    Of an `uncertain` one nobody knows when it was taken: nothing but the journal takes it in.
    """

    report: Report
    envelope: Envelope
    generation: Generation
    offset: float
    taken_at: float
    late: bool
    uncertain: bool
    fork: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """What to acknowledge to each device, and how many reports came to what: `committed`, `duplicates` …"""

    acks: dict[str, Ack]
    counts: Counter[tuple[str, str]]


def commit(
    conn: Connection, reports: Sequence[Report], refused: Sequence[Refused] = (), rules: Rules | None = None
) -> Committed:
    """Commits a batch in its order; gives what to acknowledge to each device, and what it came to.

    A report that is there already changes nothing and is acknowledged again.
    """
    rules = rules or Rules()
    name = epoch(conn, lock=True)
    counts: Counter[tuple[str, str]] = Counter()
    rows = [_refused_row(one) for one in refused]
    generations = _generations(conn, reports)
    stored = _decide(conn, reports, generations, rules, counts, rows)
    _store(conn, stored)
    marks.save(conn, generations.values())
    if not rules.replay:
        counts["received", ""] += len(reports) + len(refused)
        quarantine.add(conn, rows, rules.quarantine_rows)
        counts.update(("quarantined", row["reason"]) for row in rows)
    counters.add(conn, counts)
    devices = {report.device_id: report.device for report in reports}
    heard = [(device_id, spool, one.upto) for (device_id, spool), one in generations.items()]
    acks = marks.acks(conn, name, devices, heard)
    return Committed({devices[device_id]: ack for device_id, ack in acks.items()}, counts)


def verdict(
    report: Report, generation: Generation, held: set[bytes], taken_at: float, pruned: float
) -> Verdict:
    """Whether a report is news: `held` are the digests under its number, `pruned` the journal's horizon.

    A number that has been counted without a row in the journal is either pruned, or undecodable, or one
    that the agent had given up; the last, if it comes late after all, is news.
    """
    if report.digest in held:
        return "duplicate"
    if held:
        return "fork"
    if generation.counted(report.header.seq) and (report.envelope is None or taken_at < pruned):
        return "duplicate"
    return "new"


def _generations(conn: Connection, reports: Sequence[Report]) -> dict[Pair, Generation]:
    first: dict[Pair, Report] = {}
    for report in reports:
        first.setdefault((report.device_id, report.header.spool), report)
    found = marks.load(conn, first)
    new = {pair: report for pair, report in first.items() if pair not in found}
    if new:
        doubtful = {pair[0] for pair, report in new.items() if report.message.waited}
        known = marks.newest_offsets(conn, doubtful) if doubtful else {}
        reckoned = {pair: _reckon(report, None, known.get(pair[0], 0.0)) for pair, report in new.items()}
        now = max(report.message.arrived for report in new.values())
        unmeasured = {pair for pair, one in reckoned.items() if not one.is_measured}
        offsets = {pair: one.offset for pair, one in reckoned.items()}
        found |= marks.create(conn, offsets, now, unmeasured)
    return found


def _reckon(report: Report, measured: float | None, believed: float) -> Reckoned:
    taken_at = report.envelope.taken_at if report.envelope else report.header.sent_at
    return reckon(report.message, report.header, taken_at, measured, (believed, 0.0))


def _decide(
    conn: Connection,
    reports: Sequence[Report],
    generations: dict[Pair, Generation],
    rules: Rules,
    counts: Counter[tuple[str, str]],
    rows: list[dict[str, Any]],
) -> list[_Stored]:
    """Counts every report's number; gives those to store, adds the undecodable ones to `rows`."""
    of = [generations[report.device_id, report.header.spool] for report in reports]
    repeated = {
        (one.id, report.header.seq)
        for report, one in zip(reports, of, strict=True)
        if one.counted(report.header.seq)
    }
    held = journal.digests(conn, repeated)
    pruned = 0.0 if rules.replay else journal.pruned_before(conn)
    stored = []
    for report, generation in zip(reports, of, strict=True):
        one = _placed(report, generation, rules.delivery_period, is_replay=rules.replay)
        under = held.setdefault((generation.id, report.header.seq), set())
        at = 0.0 if one is None else report.message.arrived if one.uncertain else one.taken_at
        said = verdict(report, generation, under, at, pruned)
        under.add(report.digest)
        generation.take(report.header.seq, report.header.floor)
        generation.heard_at = max(generation.heard_at, report.message.arrived)
        if said == "duplicate":
            counts["duplicates", ""] += 1
        elif one is None:
            rows.append(_poison_row(report))
        else:
            counts["committed", ""] += 1
            counts["forks", ""] += said == "fork"
            counts["late", ""] += one.late and not one.uncertain
            counts["uncertain", ""] += one.uncertain
            stored.append(replace(one, fork=said == "fork"))
    return stored


def _placed(
    report: Report, generation: Generation, delivery_period: float, *, is_replay: bool
) -> _Stored | None:
    """The report on its instant; what came live tells the generation's clock."""
    reckoned = _reckon(report, generation.measured, generation.offset)
    if reckoned.is_measured and not is_replay:
        generation.offset, generation.at_its_word = reckoned.offset, False
    if report.envelope is None:
        return None
    arrived = report.message.arrived
    taken_at = corrected(report.envelope.taken_at, reckoned.offset, arrived)
    late = is_late(taken_at, arrived, delivery_period)
    uncertain = not reckoned.is_certain
    return _Stored(
        report, report.envelope, generation, reckoned.offset, taken_at, late, uncertain, fork=False
    )


def _store(conn: Connection, stored: Sequence[_Stored]) -> None:
    if not stored:
        return
    ids = journal.append(conn, [_journal_row(one) for one in stored])
    everything = list(zip(ids, stored, strict=True))
    numbered = [(id_, one) for id_, one in everything if not one.uncertain]
    sightings = [_clone(id_, one) for id_, one in everything if one.fork]
    sightings += [row for id_, one in numbered for row in _sightings(id_, one)]
    sightings += identities.compare(conn, [told for id_, one in numbered for told in _hints(id_, one)])
    if sightings:
        conn.execute(insert(t.sighting), sightings)
    states.advance(
        conn,
        [
            states.Told(
                one.report.device_id,
                one.report.header.seq,
                one.envelope,
                one.taken_at,
                one.report.message.arrived,
            )
            for _, one in numbered
        ],
    )
    if len(numbered) < len(stored):
        of = {one.report.device_id for one in stored if one.uncertain}
        states.hear(conn, of, max(one.report.message.arrived for one in stored if one.uncertain))
    rollups.mark(conn, [(one.report.device_id, one.taken_at, id_) for id_, one in numbered])


def _journal_row(one: _Stored) -> dict[str, Any]:
    return {
        "device_id": one.report.device_id,
        "generation_id": one.generation.id,
        "seq": one.report.header.seq,
        "digest": one.report.digest,
        "taken_at": one.taken_at,
        "received_at": one.report.message.arrived,
        "late": one.late,
        "carried": one.report.message.is_carried,
        "uncertain": one.uncertain,
        "body": one.report.body,
    }


def _sightings(journal_id: int, one: _Stored) -> list[dict[str, Any]]:
    arrived = one.report.message.arrived
    return [
        {
            "device_id": one.report.device_id,
            "journal_id": journal_id,
            "received_at": arrived,
            "kind": seen.kind,
            "subject": seen.subject,
            "detail": seen.detail,
            "seen_at": seen_when(seen.seen_at, one.offset, one.taken_at, arrived),
            "late": one.late,
        }
        for seen in one.envelope.sightings
        if seen.kind not in (CLONE, identities.CHANGED)  # only the server can see that
    ]


def _clone(journal_id: int, one: _Stored) -> dict[str, Any]:
    """What a fork is a sign of."""
    header, arrived = one.report.header, one.report.message.arrived
    return {
        "device_id": one.report.device_id,
        "journal_id": journal_id,
        "received_at": arrived,
        "kind": CLONE,
        "subject": one.report.device,
        "detail": {"spool": header.spool, "seq": str(header.seq), "digest": one.report.digest.hex()},
        "seen_at": arrived,
        "late": False,
    }


def _hints(journal_id: int, one: _Stored) -> tuple[HintsTold, ...]:
    facts = [fact for fact in one.envelope.facts if fact.name == identity.HINT]
    hints = identity.parse((fact.labels.get("kind", ""), fact.value) for fact in facts)
    if not hints:
        return ()
    report, arrived = one.report, one.report.message.arrived
    told = HintsTold(report.device_id, report.device, journal_id, hints, one.taken_at, arrived, one.late)
    return (told,)


def _refused_row(one: Refused) -> dict[str, Any]:
    return quarantine.row(
        received_at=one.message.arrived,
        topic=one.message.topic,
        device=one.device,
        reason=one.reason,
        detail=one.detail,
        verified=False,
        frame=one.message.payload,
    )


def _poison_row(report: Report) -> dict[str, Any]:
    return quarantine.row(
        received_at=report.message.arrived,
        topic=report.message.topic,
        device=report.device,
        reason=report.reason,
        detail=report.detail,
        verified=True,
        frame=report.message.payload,
        waited=report.message.waited,
        made_at=report.message.made_at,
    )
