"""What a list would do, or did, in words: line by line, what is wrong by row and column first."""

from collections.abc import Iterable, Iterator, Sequence

from schoolwatch_server.rosters import Preview, numbers
from schoolwatch_server.texts import Voice
from schoolwatch_server.workbooks.grid import GridError
from schoolwatch_server.workbooks.schools import Change
from schoolwatch_server.workbooks.table import Field, Problem

_ASIDES = 12
"""Rows that are none of the list, as many as are told one by one."""


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
    if preview.grid.sheet and (preview.grid.others or preview.grid.is_hidden):
        yield voice("sheet_hidden" if preview.grid.is_hidden else "sheet", sheet=preview.grid.sheet)
    if preview.grid.others:
        yield voice("other_sheets", sheets="; ".join(f"“{one}”" for one in preview.grid.others))
    last_row = preview.read.heading.last_row if preview.read.heading else 0
    hidden = [number for number in preview.grid.hidden if number > last_row]
    if hidden:
        yield voice("hidden", count=len(hidden), rows=numbered(hidden))
    if preview.read.asides:
        yield voice("asides", count=len(preview.read.asides), rows=_asides(preview.read.asides))
    heading = preview.read.heading
    if heading is not None:
        yield voice("columns", columns="; ".join(heading.texts.values()))
        if heading.ignored:
            yield voice("ignored", columns="; ".join(heading.ignored))


def numbered(rows: Sequence[int]) -> str:
    """Numbers of rows in their order, those that follow each other as a span: `3-5, 9`."""
    spans: list[list[int]] = []
    for row in rows:
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def by_column(found: Sequence[Problem], voice: Voice) -> list[tuple[str, str, int, str, str]]:
    """All that is wrong, in short: column, heading, how often, an example, and each row; most first."""
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for one in found:
        groups.setdefault((one.column, one.heading, one.reason), []).append(one)
    ranked = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    return [
        (column, heading, len(ones), reason(ones[0], voice), numbered(sorted({one.row for one in ones})))
        for (column, heading, _), ones in ranked
    ]


def _asides(rows: Sequence[tuple[int, str]]) -> str:
    told = ", ".join(f"{number} “{text[:40]}”" if text else str(number) for number, text in rows[:_ASIDES])
    return told + ("; …" if len(rows) > _ASIDES else "")


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
    if one.heading:
        return voice("at_no_column", row=one.row, heading=one.heading, what=reason(one, voice))
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
