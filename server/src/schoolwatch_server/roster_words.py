"""What a list would do, or did, in words: line by line, what is wrong by row and column first."""

from collections.abc import Iterable, Iterator

from schoolwatch_server.rosters import Preview, numbers
from schoolwatch_server.texts import Voice
from schoolwatch_server.workbooks.grid import GridError
from schoolwatch_server.workbooks.schools import Change
from schoolwatch_server.workbooks.table import Field, Problem


def error(found: GridError, voice: Voice) -> str:
    """Why a file is no list."""
    return voice(f"error.{found.trouble}")


def head(preview: Preview, name: str, voice: Voice) -> Iterator[str]:
    """How the file was read."""
    yield voice(
        "read",
        file=name,
        things=voice(f"things.{preview.name}"),
        records=len(preview.read.records),
        blank=preview.grid.blank,
    )
    heading = preview.read.heading
    if heading is not None:
        yield voice("columns", columns="; ".join(heading.texts.values()))
        if heading.ignored:
            yield voice("ignored", columns="; ".join(heading.ignored))


def counts(preview: Preview, voice: Voice, *, done: bool) -> str:
    """How much is new, otherwise and the same."""
    plan = preview.plan
    new, removed = numbers(plan)
    what = "school" if preview.name == "school" else "things"
    things = voice(f"things.{preview.name}")
    told = voice(
        f"{'done' if done else 'would'}.{what}",
        things=things,
        new=new,
        changed=len(plan.changes) - new - removed,
        communes=len(plan.communes),
        same=plan.same,
    )
    if not removed:
        return told
    return f"{told} {voice('removed' if done else 'would_remove', things=things, removed=removed)}"


def problem(one: Problem, voice: Voice) -> str:
    """What is wrong where."""
    if one.column:
        return voice("at", row=one.row, column=one.column, heading=one.heading, what=reason(one, voice))
    return voice("at_row", row=one.row, what=reason(one, voice))


def reason(one: Problem, voice: Voice) -> str:
    """What is wrong, without where."""
    return voice(f"problem.{one.reason}", **one.values)


def change(one: Change, fields: Iterable[Field], voice: Voice) -> str:
    """What a row does; `fields` are the columns of its list."""
    if one.id is None:
        return voice("new", row=one.row, code=one.code, name=one.name)
    if one.removes:
        return voice("remove", row=one.row, code=one.code, name=one.name)
    by_name = {each.name: each for each in fields}
    what = "; ".join(
        _changed(by_name[name], before, after, voice, is_private=name in one.private)
        for name, (before, after) in one.values.items()
    )
    return voice("change", row=one.row, code=one.code, name=one.name, what=what)


def _changed(field: Field, before: object, after: object, voice: Voice, *, is_private: bool) -> str:
    is_english = voice.language == "en"
    title = field.title(is_english=is_english)
    if is_private:
        return voice("private", field=title)
    was, will = (field.said(value, is_english=is_english) or voice("nothing") for value in (before, after))
    return f"{title}: {was} → {will}"
