"""Working order: what people say wins, silence is unknown, and what to look at is said beside the verdict."""

from dataclasses import replace

import pytest

from schoolwatch_server.database.rows import DeviceRow
from schoolwatch_server.state import State, Value, key
from schoolwatch_server.working import FailingDisk, Reason, working

NOW, DAY = 1_790_000_000.0, 86400.0
AFTER = NOW - 30 * DAY
PC = DeviceRow(
    1, "0" * 32, "Máy 01", "student_lab", "Phòng máy", 7, "S", "Trường",
    NOW, NOW, "0.1.0", None, None, None, None, broken=False, antivirus=None,
)  # fmt: skip
BESIDE = replace(PC, id=2)
FAILING = State({key("disk_health.failure_predicted", {"disk": "0"}): Value(1.0, NOW)})
UNHEALTHY = State({key("disk_health.healthy", {"disk": "0"}): Value(0.0, NOW)})
UNKNOWN = State({key("disk_health.healthy", {"disk": "0"}): Value(None, NOW)})


@pytest.mark.parametrize(
    ("device", "state", "verdict", "reasons"),
    [
        (PC, None, True, ()),
        (PC, UNKNOWN, True, ()),
        (PC, FAILING, True, ("disk_failing",)),
        (PC, UNHEALTHY, True, ("disk_failing",)),
        (replace(PC, broken=True), None, False, ("broken",)),
        (replace(PC, taken_at=None), None, None, ("never_heard",)),
        (replace(PC, taken_at=NOW - 4 * DAY), None, True, ("silent_in_used_room",)),
        (replace(PC, taken_at=NOW - 31 * DAY), None, None, ("silent_in_used_room",)),
        (replace(PC, taken_at=NOW - 31 * DAY, room="Kho"), None, None, ("silent",)),
        (replace(PC, taken_at=NOW - 4 * DAY, room=None), None, True, ()),
        (replace(PC, broken=True, taken_at=None), FAILING, False, ("broken", "never_heard", "disk_failing")),
    ],
)
def test_the_verdict_and_its_reasons(
    device: DeviceRow, state: State | None, verdict: bool | None, reasons: tuple[Reason, ...]
) -> None:
    found = working(device, (device, BESIDE), now=NOW, after=AFTER, state=state)
    assert (found.verdict, found.reasons) == (verdict, reasons)


def test_a_room_that_nobody_uses_says_nothing_of_its_computers() -> None:
    silent = replace(PC, taken_at=NOW - 4 * DAY)
    for other in (replace(BESIDE, taken_at=NOW - 2 * DAY), replace(BESIDE, taken_at=None), silent,
                  replace(BESIDE, school_id=8)):  # fmt: skip
        assert working(silent, (silent, other), now=NOW, after=AFTER).reasons == ()


def test_the_facts_stand_beside_the_verdict() -> None:
    silent = replace(PC, taken_at=NOW - 40 * DAY)
    others = (silent, replace(BESIDE, taken_at=NOW - 2 * DAY), replace(BESIDE, id=3, taken_at=NOW - 5 * DAY))
    state = State(FAILING.readings | {key("disk_health.healthy", {"disk": "1"}): Value(0.0, NOW - DAY)})
    facts = working(silent, others, now=NOW, after=AFTER, state=state).facts
    assert (facts.broken, facts.taken_at, facts.counts_since) == (False, NOW - 40 * DAY, AFTER)
    assert facts.room_taken_at == NOW - 2 * DAY
    assert facts.failing_disks == (FailingDisk("0", True, NOW), FailingDisk("1", False, NOW - DAY))


def test_a_disk_that_is_unhealthy_and_predicts_its_failure_is_told_once() -> None:
    both = State(FAILING.readings | UNHEALTHY.readings)
    assert working(PC, (PC,), now=NOW, after=AFTER, state=both).facts.failing_disks == (
        FailingDisk("0", True, NOW),
    )
    assert working(PC, (PC,), now=NOW, after=AFTER).facts.room_taken_at is None
