"""What people do about incidents: each act counts once, is in the audit log, and says who was first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from schoolwatch_server.access import Principal
from schoolwatch_server.database import audit, notifications, scopes, serious, unobserved
from schoolwatch_server.database import incident_acts as acts
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.incident_acts import Held

Act = Literal["acknowledge", "assign", "note", "resolve", "false_alarm", "withdraw", "reopen"]

ACTS: tuple[Act, ...] = get_args(Act)

NOTE_MAX = 2000
"""Characters of a note; a proposal of this project."""

AT_ONCE = 500
"""Incidents that one act is about at most: they are one transaction. A proposal of this project."""

TWICE_WITHIN = 600.0
"""Seconds within which the same note of the same person is a form that was sent twice."""

Why = Literal[
    "",
    "unseen",
    "acknowledged",
    "closed",
    "same",
    "changed",
    "nobody",
    "empty",
    "open",
    "evidence",
    "newer",
    "observed",
]
"""Why nothing was done: there is no such incident in one's scope, somebody acknowledged or closed it before,
it is so already, it was assigned to somebody else meanwhile, that person can't see to it, the note is empty,
it is open still, the readings closed it, it came anew as another incident, or whoever saw it still looks."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done. `was` is the assignee that they saw (None: they don't mind)."""

    act: Act
    note: str = ""
    assignee: str = ""
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it for one incident; where nothing was done, why, by whom and when (UTC seconds)."""

    incident: int
    why: Why = ""
    by: str = ""
    at: float | None = None
    newer: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether the incident was changed."""
        return not self.why

    @property
    def is_so(self) -> bool:
        """Whether the incident is as was wanted, by this act or before it."""
        return self.why in ("", "same")


def actor(who: Principal) -> str:
    """How a person or a program is named on an incident; no account may be called like a program's token."""
    return who.name if who.kind == "account" else f"API token {who.name}"


def handle(
    engine: Engine, who: Principal, incidents: Collection[int], wish: Wish, now: float
) -> tuple[Outcome, ...]:
    """Does it to each of at most `AT_ONCE` incidents, and says of each what became of it, in their order.

    Raises `ValueError` for more of them.
    """
    wanted = tuple(dict.fromkeys(incidents))
    if len(wanted) > AT_ONCE:
        raise ValueError(f"at most {AT_ONCE} incidents at once, these are {len(wanted)}")
    wish = replace(wish, note=clean(wish.note))
    try:
        return _handle(engine, who, wanted, wish, now)
    except IntegrityError:  # what was to be opened once more came anew at this moment: it is seen now
        return _handle(engine, who, wanted, wish, now)


def _handle(
    engine: Engine, who: Principal, wanted: Collection[int], wish: Wish, now: float
) -> tuple[Outcome, ...]:
    with begin_write(engine) as conn:
        held = acts.hold(conn, who.scope, wanted)
        outcomes = tuple(
            Outcome(one, "unseen") if one not in held else _do(conn, who, held[one], wish, now)
            for one in wanted
        )
        _tell(conn, who, [held[one.incident] for one in outcomes if one.is_done], wish, now)
    return outcomes


def _tell(conn: Connection, who: Principal, done: Collection[Held], wish: Wish, now: float) -> None:
    """Whoever was told of these learns what became of them."""
    told = [(held.id, event) for held in done if (event := _event(who, held, wish))]
    grave = serious.marked(conn, [id_ for id_, _ in told])
    for id_, event in told:
        notifications.tell_of_act(conn, id_, event, who.account, now, is_serious=id_ in grave)


def _event(who: Principal, held: Held, wish: Wish) -> str:
    """What an act is called in the outbox; empty for one that is told nobody."""
    match wish.act:
        case "acknowledge":
            return "acknowledged"
        case "assign":
            is_taken = who.kind == "account" and wish.assignee == who.name and held.acknowledged_at is None
            return "acknowledged" if is_taken else ""
        case "resolve":
            return "resolved"
        case "false_alarm":
            return "false_alarm"
        case "reopen":
            return "put_back"
        case "note" | "withdraw":  # that nobody looks any more is no news that wakes people
            return ""


def clean(note: str) -> str:
    """The note with its lines, without control characters and what is empty around it, within its length."""
    lines = ("".join(c for c in line if c.isprintable()).rstrip() for line in note.splitlines())
    return "\n".join(lines).strip()[:NOTE_MAX]


def assignable(conn: Connection, who: Principal, incident: int) -> tuple[str, ...]:
    """Names of accounts to which who asks may assign an incident, by name.

    They are of one's own part of the tree: a school doesn't hand out work to the department.
    """
    return tuple(
        row.name
        for held in acts.find(conn, who.scope, [incident])
        for row in acts.handlers(conn, who.scope, held.place)
    )


def colleagues(conn: Connection, who: Principal) -> tuple[str, ...]:
    """Names of accounts that see all that who asks sees and may see to it: for many incidents at once."""
    where = scopes.where(conn, [who.scope]).get(who.scope)
    return () if where is None else tuple(row.name for row in acts.handlers(conn, who.scope, where.place))


def _do(conn: Connection, who: Principal, held: Held, wish: Wish, now: float) -> Outcome:
    match wish.act:
        case "acknowledge":
            outcome = _acknowledge(conn, who, held, now)
        case "assign":
            outcome = _assign(conn, who, held, wish, now)
        case "note":
            outcome = _note(conn, who, held, wish, now)
        case "resolve" | "false_alarm" | "withdraw":
            outcome = _end(conn, who, held, wish.act, now)
        case "reopen":
            outcome = _reopen(conn, who, held, now)
    noted = wish.act != "note" and bool(wish.note) and _note(conn, who, held, wish, now).is_done
    if outcome.is_done or noted:  # a note is kept, whoever was first
        detail: dict[str, object] = {"by": who.kind}
        if wish.act == "assign":
            detail |= {"assignee": wish.assignee, "before": held.assignee}
        if noted or wish.act == "note":
            detail |= {"note_length": len(wish.note)}
        action = f"incident.{wish.act if outcome.is_done else 'note'}"
        audit.record(conn, actor=who.name, action=action, subject=str(held.id), detail=detail, now=now)
    return outcome


def _acknowledge(conn: Connection, who: Principal, held: Held, now: float) -> Outcome:
    if held.closed_at is not None:
        return _closed(held)
    if held.acknowledged_at is not None:
        why: Why = "same" if held.acknowledged_by == actor(who) else "acknowledged"
        return Outcome(held.id, why, held.acknowledged_by, held.acknowledged_at)
    _take(conn, who, held, now)
    return Outcome(held.id)


def _take(conn: Connection, who: Principal, held: Held, now: float) -> None:
    """Who is the first to do something that shows that they have seen it acknowledges it."""
    if held.acknowledged_at is None:
        acts.set_columns(conn, held.id, acknowledged_at=now, acknowledged_by=actor(who))
        acts.add_event(conn, held.id, "acknowledged", {"by": actor(who)}, now)


def _assign(conn: Connection, who: Principal, held: Held, wish: Wish, now: float) -> Outcome:
    if held.closed_at is not None:
        return _closed(held)
    last = acts.last(conn, held.id, "assigned")
    by, at = (str(last.detail.get("by", "")), last.at) if last else ("", None)
    if held.assignee == wish.assignee:
        return Outcome(held.id, "same", by, at)
    if wish.was is not None and held.assignee != wish.was:
        return Outcome(held.id, "changed", by, at)
    if wish.assignee and not _may_be_assigned(conn, who, held, wish.assignee):
        return Outcome(held.id, "nobody", wish.assignee)
    acts.set_columns(conn, held.id, assignee=wish.assignee)
    acts.add_event(conn, held.id, "assigned", {"by": actor(who), "assignee": wish.assignee}, now)
    if who.kind == "account" and wish.assignee == who.name:
        _take(conn, who, held, now)
    return Outcome(held.id)


def _may_be_assigned(conn: Connection, who: Principal, held: Held, name: str) -> bool:
    return any(row.name == name for row in acts.handlers(conn, who.scope, held.place))


def _note(conn: Connection, who: Principal, held: Held, wish: Wish, now: float) -> Outcome:
    if not wish.note:
        return Outcome(held.id, "empty")
    told = {"by": actor(who), "text": wish.note}
    last = acts.last(conn, held.id, "noted")
    if last is not None and last.detail == told and now - last.at < TWICE_WITHIN:
        return Outcome(held.id, "same", actor(who), last.at)
    acts.add_event(conn, held.id, "noted", told, now)
    return Outcome(held.id)


def _end(conn: Connection, who: Principal, held: Held, act: Act, now: float) -> Outcome:
    """Withdrawn is what nobody can see any more, as who saw it is gone or silent; seen again it opens."""
    if act == "withdraw" and held.closed_at is None and not unobserved.among(conn, [held.id]):
        return Outcome(held.id, "observed")
    return _close(conn, who, held, *_ENDS[act], now)


_ENDS: Mapping[Act, tuple[str, str]] = {
    "resolve": ("resolved", "resolved"),
    "false_alarm": ("false_alarm", "false_alarm"),
    "withdraw": ("withdrawn", "unobserved"),
}
"""Act → verdict, and the event in the timeline: one called `withdrawn` says that a rule applies no more."""


def _close(conn: Connection, who: Principal, held: Held, verdict: str, event: str, now: float) -> Outcome:
    """Closed by a person; what the rule remembers stays: see `database.incidents.close_incident`."""
    if held.closed_at is not None:
        return _closed(held, "same" if held.verdict == verdict and held.verdict_by else "closed")
    _take(conn, who, held, now)
    acts.set_columns(conn, held.id, closed_at=now, verdict=verdict, verdict_by=actor(who))
    acts.add_event(conn, held.id, event, {"by": actor(who)}, now)
    return Outcome(held.id)


def _closed(held: Held, why: Why = "closed") -> Outcome:
    return Outcome(held.id, why, held.verdict_by, held.closed_at)


def _reopen(conn: Connection, who: Principal, held: Held, now: float) -> Outcome:
    """Takes back that a person closed it: a thumb slips at night."""
    if held.closed_at is None:
        return Outcome(held.id, "open")
    if not held.verdict_by:
        return _closed(held, "evidence")
    newer = acts.newer(conn, held)
    if newer is not None:
        return Outcome(held.id, "newer", newer=newer)
    acts.set_columns(conn, held.id, closed_at=None, verdict="", verdict_by="", reopened_at=now)
    acts.raise_to(conn, held.id, acts.add_event(conn, held.id, "reopened", {"by": actor(who)}, now))
    return Outcome(held.id)
