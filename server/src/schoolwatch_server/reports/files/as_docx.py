"""DOCX: the report as an official letter, ready for its number, its remarks and its signature.

What only the office can say (its superior, number, day, receivers, who signs) is left to be filled in.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.files import asks, below, words
from schoolwatch_server.reports.files.details import details
from schoolwatch_server.reports.files.paper import FileFormat, Paper

if TYPE_CHECKING:
    from schoolwatch_server.reports.files.letter import Letter

BLANK = "……………………"
_KINDS = ("Tỉnh ", "Thành phố ", "Xã ", "Phường ", "Thị trấn ", "Đặc khu ")


def render(paper: Paper) -> bytes:
    """The whole file."""
    from schoolwatch_server.reports.files.letter import Letter  # here: only who asks for a letter needs it

    about = paper.text("file.letter.about", period=words.period(paper))
    letter = Letter(about, words.simulated(paper), words.made_at(paper), paper.language)
    _heads(paper, letter)
    letter.title(paper.text("file.letter.report"), size=15)
    letter.title(about)
    letter.line()
    letter.middle(f"{paper.text('file.letter.to')}: {BLANK * 2}")
    _body(paper, letter)
    _end(paper, letter)
    _appendix(paper, letter)
    return letter.bytes()


# --- above ------------------------------------------------------------------------------------------------


def _heads(paper: Paper, letter: "Letter") -> None:
    from schoolwatch_server.reports.files.letter import rule, write

    left, right = letter.columns(0.4)
    above, office = _offices(paper)
    write(left.paragraphs[0], above, size=12)
    write(left.add_paragraph(), office, size=12, bold=True)
    rule(left.add_paragraph(), 22)
    write(left.add_paragraph(), paper.text("file.letter.number"), size=13)
    write(right.paragraphs[0], paper.text("file.letter.country"), size=12, bold=True)
    write(right.add_paragraph(), paper.text("file.letter.motto"), size=13, bold=True)
    rule(right.add_paragraph(), 20)
    year = words.made_at(paper).astimezone(words.VIETNAM).year
    write(
        right.add_paragraph(),
        paper.text("file.letter.day", place=_place(paper), year=year),
        size=14,
        italic=True,
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
    name = (content.within[-1] if content.within else BLANK) if content.level == "school" else content.name
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    rest = name.removeprefix(kind)
    return name if rest[:1].isdigit() else rest


# --- the body -----------------------------------------------------------------------------------------------


def _body(paper: Paper, letter: "Letter") -> None:
    content = paper.content
    numbers = iter(range(1, 12))

    def heading(key: str) -> None:
        letter.heading(f"{next(numbers)}. {paper.text(f'file.letter.{key}')}")

    heading("scope")
    window = (words.day_of(content.window_from), words.day_of(content.window_to))
    frozen = words.instant(content.frozen_at)
    letter.paragraph(paper.text("file.window", since=window[0], until=window[1], frozen=frozen))
    if (ended := words.ended_before(paper)) is not None:
        letter.paragraph(paper.text("reports.after_period", day=words.day(ended.isoformat())))
    if content.kind == "ad_hoc" and content.note:
        letter.paragraph(f"{paper.text('reports.what_for')}: {content.note}.")
    heading("results")
    heads = [
        paper.text(f"file.letter.column.{key}")
        for key in ("no", "name", "value", "coverage", "target", "verdict")
    ]
    rows = [_row(paper, number, value) for number, value in enumerate(content.values, 1)]
    letter.table(heads, rows, (0.07, 0.31, 0.16, 0.11, 0.17, 0.18))
    for key, lines in (("unknown", list(_unknown(paper))), ("declared", list(_declared(paper)))):
        if lines:
            heading(key)
        for line in lines:
            letter.paragraph(f"- {line};")
    for key, tables in (
        ("scores", asks.scores(paper)),
        ("plans", asks.plans(paper)),
        ("schools", below.tables(paper)),
    ):
        for number, table in enumerate(tables):
            if not number:
                heading(key)
            _table(paper, letter, table)
    heading("remarks")
    letter.paragraph(BLANK * 3)
    letter.paragraph(f"{paper.text('file.letter.close', period=words.period(paper), name=content.name)}./.")


def _table(paper: Paper, letter: "Letter", table: asks.Table) -> None:
    letter.paragraph(table.title, bold=True, keep=True)
    for note in table.notes:
        letter.paragraph(note)
    letter.table(table.heads, [asks.texts(paper, row) for row in table.rows], table.widths)


def _row(paper: Paper, number: int, value: IndicatorValue) -> list[str]:
    coverage = "" if value.coverage is None else words.amount(paper, value.coverage, "ratio")
    name = f"{words.name_of(paper, value)} [{value.source.confidence}]"
    target, verdict = words.target(paper, value), words.verdict(paper, value)
    return [str(number), name, words.observed(paper, value), coverage, target, verdict]


def _columns(paper: Paper, *keys: str) -> list[str]:
    return [paper.text(f"file.letter.column.{key}") for key in keys]


def _unknown(paper: Paper) -> Iterator[str]:
    for value in paper.content.values:
        if value.value is None:
            yield f"{words.name_of(paper, value)}: {words.reason(paper, value) or paper.text('unknown')}"


def _declared(paper: Paper) -> Iterator[str]:
    for value in paper.content.values:
        if value.declared is not None:
            yield f"{words.name_of(paper, value)}: {words.declared(paper, value)}"


# --- below ----------------------------------------------------------------------------------------------


def _end(paper: Paper, letter: "Letter") -> None:
    from schoolwatch_server.reports.files.letter import ALIGN, write

    left, right = letter.columns(0.5)
    write(
        left.paragraphs[0],
        paper.text("file.letter.receivers"),
        size=12,
        bold=True,
        italic=True,
        align=ALIGN.LEFT,
    )
    for line in (paper.text("file.letter.as_above"), f"{paper.text('file.letter.kept')} {BLANK}"):
        write(left.add_paragraph(), f"- {line}", size=11, align=ALIGN.LEFT)
    write(right.paragraphs[0], paper.text(f"file.letter.signer.{paper.content.level}"), bold=True)
    for _ in range(4):
        write(right.add_paragraph(), "")
    write(right.add_paragraph(), BLANK, bold=True)


def _appendix(paper: Paper, letter: "Letter") -> None:
    letter.title(paper.text("file.letter.appendix"), new_page=True)
    letter.title(paper.text("file.letter.sources"))
    letter.line()
    rows = []
    for value in paper.content.values:
        targets = (line.source for line in value.lines if line.kind == "target")
        for source in dict.fromkeys((value.source, *targets)):
            tag = words.confidence(paper, source.confidence)
            rows.append([words.name_of(paper, value), source.document, source.clause, tag, value.pack])
    heads = _columns(paper, "name", "document", "clause", "confidence", "pack")
    letter.table(heads, rows, (0.24, 0.22, 0.25, 0.15, 0.14))
    told = [[what, said] for what, said in details(paper)]
    letter.table([paper.text("file.about.what"), paper.text("file.about.told")], told, (0.3, 0.7))


DOCX = FileFormat("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", render)
