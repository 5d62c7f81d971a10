"""The list of incidents as a file: one line each, what nobody did is empty, no text is a formula."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from schoolwatch_server.console.words import Words
from schoolwatch_server.database import incident_lists
from schoolwatch_server.database.incident_lists import Wanted
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.rules import Rule
from schoolwatch_server.scope import Scope

COLUMNS = (
    "incident", "state", "severity", "rule", "title", "about", "commune_code", "commune", "school_code",
    "school", "device", "label", "since", "opened_at", "acknowledged_at", "acknowledged_by", "assignee",
    "closed_at", "closed_by", "reopened_at", "late", "exercise",
)  # fmt: skip

_STEP = 500


def file(
    conn: Connection, scope: Scope, wanted: Wanted, pen: Pen, rules: Mapping[str, Rule], words: Words
) -> Iterator[bytes]:
    """In pieces, the newest incident first."""
    yield pen.heads([(words.text(f"incident_column.{name}"), name) for name in COLUMNS])
    before: int | None = None
    while rows := incident_lists.listed(conn, scope, wanted, after=before, limit=_STEP):
        yield b"".join(pen.row(COLUMNS, _cells(row, rules.get(row.rule), words)) for row in rows)
        before = rows[-1].id


def _cells(row: IncidentRow, rule: Rule | None, words: Words) -> dict[str, Cell]:
    title = words.pick(rule.title) if rule else row.rule
    return {
        "incident": row.id,
        "state": words.text(f"incident_state.{row.state}"),
        "severity": words.known(f"severity.{row.severity}", row.severity),
        "rule": f"{row.rule}@{row.rule_version}",
        "title": title,
        "about": words.about(row.evidence, ""),
        "commune_code": row.commune_code or "",
        "commune": row.commune or row.place or "",
        "school_code": row.school_code or "",
        "school": row.school or "",
        "device": row.device or "",
        "label": row.label or "",
        "since": instant(row.since),
        "opened_at": instant(row.opened_at),
        "acknowledged_at": instant(row.acknowledged_at) or "",
        "acknowledged_by": row.acknowledged_by,
        "assignee": row.assignee,
        "closed_at": instant(row.closed_at) or "",
        "closed_by": row.verdict_by,
        "reopened_at": instant(row.reopened_at) or "",
        "late": row.late,
        "exercise": row.is_exercise,
    }
