"""What a report is: its period, when it was frozen, with what it was judged, and how anybody can check it."""

from collections.abc import Iterator

from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper


def details(paper: Paper, *, short: bool = False) -> Iterator[tuple[str, str]]:
    """What is told, and what it is; `short` leaves out what an evidence pack shows at places of its own."""
    yield from _frozen(paper)
    if not short:
        yield from _proofs(paper)


def _told(paper: Paper, key: str, what: str) -> tuple[str, str]:
    return paper.text(f"file.about.{key}"), what


def _frozen(paper: Paper) -> Iterator[tuple[str, str]]:
    """Of which place and period it is, and when and by what it was frozen."""
    content = paper.content

    def told(key: str, what: str) -> tuple[str, str]:
        return _told(paper, key, what)

    yield told("name", ", ".join((content.name, *reversed(content.within))))
    yield told("code", content.code)
    if content.school_level:
        yield told("school_level", content.school_level)
    yield told("kind", f"{words.kind(paper)} {words.period(paper)}")
    yield told("revision", str(content.revision))
    yield told("frozen_at", words.instant(content.frozen_at))
    yield told("window", f"{words.day_of(content.window_from)} - {words.day_of(content.window_to)}")
    if (ended := words.ended_before(paper)) is not None:
        yield told(
            "after_period", paper.text("file.about.after_period_what", day=words.day(ended.isoformat()))
        )
    if content.note:
        yield told("note", content.note)
    if content.due:
        yield told("due", words.day(content.due))
    yield told("program", f"SchoolWatch {content.program}")


def _proofs(paper: Paper) -> Iterator[tuple[str, str]]:
    """With what it was judged, what was declared with it, and how to check it."""
    content = paper.content

    def told(key: str, what: str) -> tuple[str, str]:
        return _told(paper, key, what)

    if content.simulated:
        yield told("simulated", words.simulated(paper))
    for pack in content.packs:
        since = f", {paper.text('file.since', day=words.day(pack.since))}" if pack.since else ""
        yield told("pack", f"{pack.name}{since}, SHA-256 {pack.sha256}")
    for one in content.evidence:
        question = paper.known(f"claim.question.{one.question}", one.question)
        yield told("evidence", f"{question}: {one.name} ({one.size} B), SHA-256 {one.sha256}")
    yield told("digest", paper.sha256)
    if paper.verify:
        yield told("verify", paper.verify)
    yield told("how", paper.text("file.about.how_to"))
