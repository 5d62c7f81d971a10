"""DOCX: the report as an official letter, ready for its number, its remarks and its signature.

The letter itself is short, as one that somebody signs; what it rests on stands in appendices, each with page
numbers of its own (Nghị định 30/2020/NĐ-CP, Phụ lục I, Phần I, III.1). What only the office can say (its
superior, number, day, receivers, who signs) is left to be filled in.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.files import asks, below, letterhead, words
from schoolwatch_server.reports.files.details import details
from schoolwatch_server.reports.files.letterhead import BLANK
from schoolwatch_server.reports.files.paper import FileFormat, Paper

if TYPE_CHECKING:
    from schoolwatch_server.reports.files.letter import Letter

_ROMAN = ("I", "II", "III", "IV", "V", "VI")

Tables = Sequence[asks.Table]


def render(paper: Paper) -> bytes:
    """The whole file."""
    from schoolwatch_server.reports.files.letter import Letter  # here: only who asks for a letter needs it

    about = paper.text("file.letter.about", period=words.period(paper))
    letter = Letter(about, words.simulated(paper), words.made_at(paper), paper.language)
    annexes = list(_annexes(paper))
    _heads(paper, letter)
    letter.title(paper.text("file.letter.report"))
    letter.title(about)
    letter.line()
    letter.middle(f"{paper.text('file.letter.to')}: {BLANK * 2}")
    _body(paper, letter, [name for name, _ in annexes])
    _end(paper, letter)
    for number, (name, tables) in zip(_ROMAN, annexes, strict=False):
        told = paper.text("file.letter.annex_of", office=_offices(paper)[1])
        letter.annex(f"{paper.text('file.letter.appendix')} {number}", paper.text(f"file.annex.{name}"), told)
        for table in tables:
            _table(paper, letter, table, is_alone=len(tables) == 1)
    return letter.bytes()


# --- above ------------------------------------------------------------------------------------------------


def _heads(paper: Paper, letter: "Letter") -> None:
    """Offices and country, number and day."""
    year = words.made_at(paper).astimezone(words.VIETNAM).year
    letterhead.heads(
        letter,
        _offices(paper),
        (paper.text("file.letter.country"), paper.text("file.letter.motto")),
        paper.text("file.letter.number"),
        paper.text("file.letter.day", place=_place(paper), year=year),
    )


def _offices(paper: Paper) -> tuple[str, str]:
    """Who is above, and who writes. Whose a school is, its report does not say."""
    content = paper.content
    if content.level == "school":
        return BLANK, content.name.upper()
    above = paper.text("file.letter.committee", name=content.name).upper()
    return above, paper.text(f"file.letter.office.{content.level}").upper()


def _place(paper: Paper) -> str:
    """The place beside the day: the commune's or province's name, without what kind of place it is."""
    content = paper.content
    return letterhead.place(
        (content.within[-1] if content.within else BLANK) if content.level == "school" else content.name
    )


# --- the body -----------------------------------------------------------------------------------------------


def _body(paper: Paper, letter: "Letter", annexes: Sequence[str]) -> None:
    numbers = iter(range(1, 12))

    def part(key: str, lines: Iterable[str]) -> None:
        """A heading with its paragraphs; the last one says in which appendix the whole is."""
        letter.heading(f"{next(numbers)}. {paper.text(f'file.letter.{key}')}")
        for line in lines:
            letter.paragraph(line)
        if key in annexes:
            letter.paragraph(paper.text("file.letter.see", number=_ROMAN[annexes.index(key)]))

    part("scope", _scope(paper))
    part("results", _results(paper))
    if "scores" in annexes:
        part("scores", _scores(paper))
    if "plans" in annexes:
        part("plans", _plans(paper))
    if "schools" in annexes:
        part("schools", ())
    part("remarks", [BLANK * 3])
    sources = paper.text("file.letter.see_sources", number=_ROMAN[len(annexes) - 1])
    close = paper.text("file.letter.close", period=words.period(paper), name=paper.content.name)
    letter.paragraph(f"{close} {sources}./.", keep=True)


def _scope(paper: Paper) -> Iterator[str]:
    content = paper.content
    window = (words.day_of(content.window_from), words.day_of(content.window_to))
    frozen = words.instant(content.frozen_at)
    yield paper.text("file.window", since=window[0], until=window[1], frozen=frozen)
    if (ended := words.ended_before(paper)) is not None:
        yield paper.text("reports.after_period", day=words.day(ended.isoformat()))
    if content.kind == "ad_hoc" and content.note:
        yield f"{paper.text('reports.what_for')}: {content.note}."


def _results(paper: Paper) -> Iterator[str]:
    """How many stand how, and those one by one that miss what is asked."""
    counts = Counter(below.standing(value) for value in paper.content.values)
    told = {name: words.number(counts[name], paper.language) for name in below.STANDINGS}
    yield paper.text("file.letter.counted", all=len(paper.content.values), **told)
    for value in paper.content.values:
        if below.standing(value) == "missed":
            numbers = paper.text("file.letter.against", value=_value(paper, value),
                                 target=words.target(paper, value))  # fmt: skip
            late = f", {words.overdue(paper, value)}" if words.is_overdue(paper, value) else ""
            yield f"- {words.name_of(paper, value)}: {numbers}{late};"


def _scores(paper: Paper) -> Iterator[str]:
    """Totals and level, or how many schools have which; every score is in the appendix."""
    for one in paper.content.assessments:
        yield f"{one.document}:"
        for row in (*(asks.total(paper, group) for group in one.groups), asks.level(paper, one)):
            name, number, basis, *_ = asks.texts(paper, row)
            yield f"- {name}: {number}{f' ({basis})' if basis else ''};"
    if not paper.content.assessments:
        for table in asks.scores(paper):
            yield f"{table.title}:"
            for row in table.rows:
                name, basis, count = asks.texts(paper, row)
                yield f"- {name}{f' ({basis})' if basis else ''}: {count};"


def _plans(paper: Paper) -> Iterator[str]:
    lines = paper.content.plan_lines
    for document in dict.fromkeys(line.document for line in lines):
        own = [line for line in lines if line.document == document]
        counts = Counter(line.standing for line in own)
        late = sum(asks.is_overdue(paper, line) for line in own)
        known = {"met": counts["met"], "not_met": counts["not_met"]}
        rest = len(own) - sum(known.values())
        yield paper.text("file.letter.plan", document=document, all=len(own), late=late, rest=rest, **known)


def _value(paper: Paper, value: IndicatorValue) -> str:
    """As observed, and what is declared beside it."""
    claim = words.declared(paper, value)
    observed = words.observed(paper, value)
    return f"{observed}; {claim}" if claim else observed


# --- appendices ---------------------------------------------------------------------------------------------


def _annexes(paper: Paper) -> Iterator[tuple[str, Tables]]:
    """Their names with their tables, in their order; those without one are left out."""
    for name, tables in (
        ("results", [_every(paper)]),
        ("scores", list(asks.scores(paper))),
        ("plans", list(asks.plans(paper))),
        ("schools", list(below.tables(paper))),
        ("sources", list(_sources(paper))),
    ):
        if tables:
            yield name, tables


def _every(paper: Paper) -> asks.Table:
    heads = ("no", "name", "value", "coverage", "target", "verdict")
    rows = tuple(_row(paper, number, value) for number, value in enumerate(paper.content.values, 1))
    return asks.Table("", (), _columns(paper, *heads), rows, (0.07, 0.29, 0.19, 0.11, 0.17, 0.17))


def _row(paper: Paper, number: int, value: IndicatorValue) -> tuple[str, ...]:
    coverage = "" if value.coverage is None else words.amount(paper, value.coverage, "ratio")
    name = f"{words.name_of(paper, value)} [{value.source.confidence}]"
    return (
        str(number),
        name,
        _value(paper, value),
        coverage,
        words.target(paper, value),
        words.verdict(paper, value),
    )


def _sources(paper: Paper) -> Iterator[asks.Table]:
    rows = [
        (value.code, source.document, source.clause, source.confidence, value.pack)
        for value in paper.content.values
        for source in dict.fromkeys(
            (value.source, *(line.source for line in value.lines if line.kind == "target"))
        )
    ]
    tags = dict.fromkeys(row[3] for row in rows)
    notes = ("; ".join(words.confidence(paper, tag) for tag in tags),) if tags else ()
    heads = _columns(paper, "code", "document", "clause", "confidence", "pack")
    yield asks.Table(
        paper.text("file.letter.sources"), notes, heads, tuple(rows), (0.09, 0.31, 0.33, 0.11, 0.16)
    )
    told = tuple(details(paper))
    heads = (paper.text("file.about.what"), paper.text("file.about.told"))
    yield asks.Table(paper.text("file.letter.proofs"), (), heads, told, (0.3, 0.7))


def _table(paper: Paper, letter: "Letter", table: asks.Table, *, is_alone: bool) -> None:
    if table.title and not is_alone:
        letter.paragraph(table.title, bold=True, keep=True)
    for note in table.notes:
        letter.paragraph(note)
    letter.table(table.heads, [asks.texts(paper, row) for row in table.rows], table.widths)


def _columns(paper: Paper, *keys: str) -> tuple[str, ...]:
    return tuple(paper.text(f"file.letter.column.{key}") for key in keys)


# --- below ----------------------------------------------------------------------------------------------


def _end(paper: Paper, letter: "Letter") -> None:
    receivers = (paper.text("file.letter.as_above"), f"{paper.text('file.letter.kept')} {BLANK}.")
    signer = paper.text(f"file.letter.signer.{paper.content.level}")
    letterhead.end(letter, paper.text("file.letter.receivers"), receivers, signer)


DOCX = FileFormat("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", render)
