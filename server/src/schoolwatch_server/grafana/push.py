"""Brings a Grafana to what it should show: looks first, then changes what differs, each piece by its uid."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from schoolwatch_server.grafana.client import Grafana, GrafanaError
from schoolwatch_server.grafana.difference import Change, changes
from schoolwatch_server.grafana.kinds import KINDS, Held, twin
from schoolwatch_server.grafana.pieces import KindName, Piece

OLDEST: Final = (9, 4)
NEWEST: Final = 13
"""Releases of Grafana whose API this was written for."""

TWINS: Final = (12, 0)
"""From this one on two folders may have one title."""

LINES: Final = 12
"""Fields of one piece that are shown."""

Deed = Literal["create", "change", "remove", "keep"]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one piece, and why not where it can't be."""

    deed: Deed
    piece: Piece
    held: Held | None = None
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        """`change dashboard schoolwatch-ipv6 (…)`, and a line for each field."""
        head = f"{self.deed} {self.piece.kind} {self.piece.uid} ({self.piece.title})"
        more = [f"    {one}" for one in self.changes[:LINES]]
        if len(self.changes) > LINES:
            more.append(f"    … {len(self.changes) - LINES} more")
        return "\n".join([head, *more])


def version(grafana: Grafana) -> tuple[int, int] | None:
    """Which Grafana this is (None: it doesn't say). Raises `GrafanaError` for one that is too old."""
    said = grafana.get("/api/health")
    if not isinstance(said, dict) or "database" not in said:
        raise GrafanaError(f"{grafana.url} is no Grafana: its /api/health says nothing of a database")
    numbers = re.match(r"(\d+)\.(\d+)", str(said.get("version", "")))
    if numbers is None:
        return None
    found = int(numbers[1]), int(numbers[2])
    if found < OLDEST:
        raise GrafanaError(f"this is Grafana {said['version']}: it needs 9.4 at least, update it first")
    return found


def plan(
    grafana: Grafana,
    wanted: Sequence[Piece],
    prune: Collection[KindName] = (),
    *,
    takes_over: bool = False,
    twins: bool = True,
) -> tuple[Step, ...]:
    """What would have to be done, in order; nothing is changed. Raises `GrafanaError` if it can't.

    `prune`: of which kinds goes what an earlier push made and is not wanted any more. `takes_over`: what
    bears our uid and is somebody else's becomes ours, and a folder of our title gets another one. `twins`:
    whether Grafana takes two folders of one title.
    """
    steps: list[Step] = []
    for piece in wanted:
        step = _step(grafana, piece)
        if piece.kind == "folder" and step.deed == "create" and not twins:
            steps += _moved_away(grafana, piece)
        steps.append(step)
    steps += _surplus(grafana, wanted, prune)
    _refuse(steps, takes_over=takes_over)
    return tuple(steps)


def _moved_away(grafana: Grafana, piece: Piece) -> Iterator[Step]:
    """A folder that has the title of ours gets another one, with all that is in it."""
    held = twin(grafana, piece.title, piece.uid)
    if held is not None:
        title = f"{piece.title} ({held.uid})"
        body = {"title": title}
        foreign = (
            "it has the title of ours, and Grafana takes no second one, an earlier setup may have left it"
        )
        away = Held(held.uid, held.title, held.body, held.locked, foreign)
        yield Step("change", Piece("folder", held.uid, title, body), away, tuple(changes(body, held.body)))


def _refuse(steps: Sequence[Step], *, takes_over: bool) -> None:
    """Raises `GrafanaError` where something may not be changed: nothing half done."""
    held = [(step.piece, step.held) for step in steps if step.deed == "change" and step.held is not None]
    locked = [(piece, one.locked) for piece, one in held if one.locked]
    if locked:
        raise GrafanaError(_in_the_way(locked, "can't be changed") + "; nothing was changed")
    foreign = [(piece, one.foreign) for piece, one in held if one.foreign and not takes_over]
    if foreign:
        said = _in_the_way(foreign, "is somebody else's")
        raise GrafanaError(
            f"{said}; nothing was changed. Give it another uid (a folder: another title) in Grafana, delete "
            "it, or have it replaced (a folder: renamed) with --take-over"
        )


def _in_the_way(found: Sequence[tuple[Piece, str]], what: str) -> str:
    piece, why = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{piece.kind} {piece.uid} {what}: {why}{more}"


def _step(grafana: Grafana, piece: Piece) -> Step:
    held = KINDS[piece.kind].read(grafana, piece.uid)
    if held is None:
        return Step("create", piece)
    found = tuple(changes(piece.body, held.body))
    return Step("change" if found else "keep", piece, held, found)


def _surplus(grafana: Grafana, wanted: Sequence[Piece], prune: Collection[KindName]) -> Iterator[Step]:
    known = {(piece.kind, piece.uid) for piece in wanted}
    for name, kind in reversed(tuple(KINDS.items())):
        for held in kind.old.ours(grafana) if kind.old is not None and name in prune else ():
            if (name, held.uid) not in known:
                yield Step("remove", Piece(name, held.uid, held.title, {}), held)


def apply(grafana: Grafana, steps: Sequence[Step], done: Callable[[Step, str], None]) -> None:
    """Does them one by one; `done` is told of each, and what Grafana keeps otherwise ("": nothing).

    Raises `GrafanaError` at the first that fails: what was done until then stands, and run again, the rest
    follows.
    """
    todo = [step for step in steps if step.deed != "keep"]
    for number, step in enumerate(todo):
        try:
            note = _do(grafana, step)
        except GrafanaError as error:
            left = f"{number} of {len(todo)} changes were made, {len(todo) - number} are left"
            raise GrafanaError(
                f"{step.piece.kind} {step.piece.uid}: {error}. {left}: put it right and run this again"
            ) from error
        done(step, note)


def _do(grafana: Grafana, step: Step) -> str:
    """Does it; what Grafana keeps otherwise."""
    kind = KINDS[step.piece.kind]
    if step.deed == "remove":
        if kind.old is not None:
            kind.old.remove(grafana, step.piece.uid)
        return ""
    kind.write(grafana, step.piece, step.held)
    return _kept_otherwise(grafana, step.piece)


def _kept_otherwise(grafana: Grafana, piece: Piece) -> str:
    """Whether it says now what it should: a release that keeps something else is told at once."""
    after = _step(grafana, piece)
    if after.deed == "create":
        raise GrafanaError("Grafana took it, and has it not")
    return str(after.changes[0]) if after.changes else ""
