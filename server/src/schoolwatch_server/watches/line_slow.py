"""A school's line that is slower than its contract says, by the speed tests of some days."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.database import lists
from schoolwatch_server.indicators.facts import Contract, LineTests
from schoolwatch_server.indicators.lines import beside, fastest_of
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.watches.sight import Sight

DAY = 86400.0
BACK = 0.1
"""What the share must rise above the limit before the line counts as mended."""


def look(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """Of schools with a contract and at least `tests` tests in `days`, whose median is below `share` of it.

    A test runs over one line, so it is held against the fastest contract; of download and upload the one that
    falls further short counts. Tests held back by the server or the computer are none.
    """
    contracts = lists.contracts(sight.conn, EVERYTHING, sight.now)
    tested = lists.line_tests(sight.conn, EVERYTHING, sight.now - parameters["days"] * DAY)
    for school_id, tests in tested.items():
        fastest = fastest_of(contracts.get(school_id, ()))
        if fastest is None:
            continue
        finding = _finding(Subject("school", school_id), tests, fastest, parameters)
        if finding is not None:
            yield finding


def _finding(
    school: Subject, tests: LineTests, contract: Contract, parameters: Mapping[str, float]
) -> Finding | None:
    ways = beside(contract, tests.download, tests.upload)
    if tests.tests < parameters["tests"] or not ways:
        return Finding(school, value=None)
    measured, paid = min(ways.values(), key=lambda way: way[0] / way[1])
    share = measured / paid
    if share >= parameters["share"] + BACK:
        return None
    numbers: dict[str, float | None] = {
        "finding.line_measured": round(measured, 1),
        "finding.line_contract": paid,
        "finding.tests": float(tests.tests),
    }
    facts: dict[str, str | None] = {"finding.provider": contract.provider or None}
    return Finding(school, True if share < parameters["share"] else None, numbers, facts)
