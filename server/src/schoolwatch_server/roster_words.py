"""What a list of schools would do, or did, in words: line by line, what is wrong by row and column first."""

from collections.abc import Iterator

from schoolwatch_server.rosters import Preview
from schoolwatch_server.texts import Voice
from schoolwatch_server.workbooks.grid import GridError
from schoolwatch_server.workbooks.schools import Change
from schoolwatch_server.workbooks.table import Problem


def error(found: GridError, voice: Voice) -> str:
    """Why a file is no list."""
    return voice(f"error.{found.trouble}")


def head(preview: Preview, name: str, voice: Voice) -> Iterator[str]:
    """How the file was read."""
    yield voice(
        f"read.{preview.name}", file=name, records=len(preview.read.records), blank=preview.grid.blank
    )
    heading = preview.read.heading
    if heading is not None:
        yield voice("columns", columns="; ".join(heading.texts.values()))
        if heading.ignored:
            yield voice("ignored", columns="; ".join(heading.ignored))


def counts(preview: Preview, voice: Voice, *, done: bool) -> str:
    """How much is new, otherwise and the same."""
    plan = preview.plan
    new = sum(one.id is None for one in plan.changes)
    return voice(
        f"{'done' if done else 'would'}.{preview.name}",
        new=new,
        changed=len(plan.changes) - new,
        communes=len(plan.communes),
        same=plan.same,
    )


def problem(one: Problem, voice: Voice) -> str:
    """What is wrong where."""
    if one.column:
        return voice("at", row=one.row, column=one.column, heading=one.heading, what=reason(one, voice))
    return voice("at_row", row=one.row, what=reason(one, voice))


def reason(one: Problem, voice: Voice) -> str:
    """What is wrong, without where."""
    return voice(f"problem.{one.reason}", **one.values)


def change(one: Change, voice: Voice) -> str:
    """What a row does."""
    if one.id is None:
        return voice("new", row=one.row, code=one.code, name=one.name)
    what = "; ".join(
        f"{voice(f'field.{name}')} {_shown(name, before, voice)} → {_shown(name, after, voice)}"
        for name, (before, after) in one.values.items()
    )
    return voice("change", row=one.row, code=one.code, name=one.name, what=what)


def _shown(name: str, value: object, voice: Voice) -> str:
    if value is None or value == "":
        return voice("nothing")
    if name == "role":
        return voice.texts.get(voice.language, f"role.{value}")
    return f"{value:g}" if isinstance(value, float) else str(value)
