"""Which incidents are open, by what they are about."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.subject import Subject


def subjects(conn: Connection, rules: Collection[str]) -> set[Subject]:
    """What open incidents of these rules are about."""
    return {about for found in of_rules(conn, rules).values() for about in found}


def of_rules(conn: Connection, rules: Collection[str]) -> dict[str, dict[Subject, float]]:
    """Rule → what has an open incident of it, and since when (UTC seconds); exercises are none."""
    i = t.incident.c
    is_found = i.rule.in_(list(rules)), i.closed_at.is_(None), ~i.is_exercise
    query = select(i.rule, i.subject, i.since).where(*is_found)
    found: dict[str, dict[Subject, float]] = {}
    for row in conn.execute(query):
        found.setdefault(row.rule, {})[subject.parse(row.subject)] = row.since
    return found


def evidence(conn: Connection, wanted: Collection[Subject]) -> dict[Subject, Any]:
    """What the open incidents of these were opened on; exercises are none."""
    i = t.incident.c
    found: dict[Subject, Any] = {}
    for part in in_parts({str(one) for one in wanted}):
        is_open = i.subject.in_(part), i.closed_at.is_(None), ~i.is_exercise
        for row in conn.execute(select(i.subject, i.evidence).where(*is_open)):
            found[subject.parse(row.subject)] = row.evidence
    return found
