"""From what waits for one channel to the messages that it gets now: storms become one message with a count.

Up to `BURST` messages a minute go out singly. What comes beyond that is one message; while the storm lasts,
what comes further is counted in a next one after `STORM_EVERY`, or after `CRITICAL_EVERY` when something
critical is in it. A storm hides no attack: those go out singly beside it, until they are a storm themselves.
Numbers are a proposal of this project.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

BURST = 5
ATTACKS = 5
"""Messages of attacks a minute that go out singly beside those."""

MINUTE = 60.0
STORM_EVERY = 300.0
CRITICAL_EVERY = 60.0

Kind = Literal["one", "fold", "digest"]

ACTS = ("acknowledged", "resolved", "false_alarm", "put_back")
"""What people did about an incident: they took it, closed it, opened it again."""

CALM = ("closed", *ACTS)
"""Events after which nobody has to hurry."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event of one incident that waits for the channel; ids are the outbox's and grow with time."""

    id: int
    severity: str
    event: str
    is_digest: bool = False
    is_exercise: bool = False
    is_attack: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A message that was made for the channel before, at an instant (UTC seconds)."""

    at: float
    kind: Kind
    is_exercise: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A message to make now, of these events, in the order in which they came."""

    kind: Kind
    ids: tuple[int, ...]
    is_exercise: bool = False


def fold(waiting: Iterable[Waiting], made: Sequence[Made], now: float) -> tuple[Batch, ...]:
    """The messages to make now; what is in none of them goes on waiting. Exercises are never mixed in."""
    rows = sorted(waiting, key=lambda row: row.id)
    found: list[Batch] = []
    for is_exercise in (False, True):
        own = [row for row in rows if row.is_exercise is is_exercise]
        late = tuple(row.id for row in own if row.is_digest)
        if late:
            found.append(Batch("digest", late, is_exercise))
        before = [one for one in made if one.is_exercise is is_exercise]
        found += _prompt([row for row in own if not row.is_digest], before, now, is_exercise=is_exercise)
    return tuple(found)


def _prompt(rows: Sequence[Waiting], made: Sequence[Made], now: float, *, is_exercise: bool) -> list[Batch]:
    recent = sum(1 for one in made if one.kind == "one" and 0 <= now - one.at < MINUTE)
    attacks = [row for row in rows if row.is_attack]
    if attacks and len(attacks) + recent <= BURST + ATTACKS:
        # all that happens to them, or "over" would come after "back"
        rows, recent = [row for row in rows if not row.is_attack], recent + len(attacks)
    else:
        attacks = []
    alone = [Batch("one", (row.id,), is_exercise) for row in attacks]
    return alone + _others(rows, made, recent, now, is_exercise=is_exercise)


def _others(
    rows: Sequence[Waiting], made: Sequence[Made], recent: int, now: float, *, is_exercise: bool
) -> list[Batch]:
    if not rows:
        return []
    ids = tuple(row.id for row in rows)
    stormed = max((one.at for one in made if one.kind == "fold" and one.at <= now), default=None)
    if stormed is not None and now - stormed < STORM_EVERY:
        urgent = any((row.severity == "critical" or row.is_attack) and row.event not in CALM for row in rows)
        return [Batch("fold", ids, is_exercise)] if urgent and now - stormed >= CRITICAL_EVERY else []
    if len(rows) + recent > BURST:
        return [Batch("fold", ids, is_exercise)]
    return [Batch("one", (row.id,), is_exercise) for row in rows]
