"""docs/vi/: the record of processing and what else the law asks for, with the default settings."""

from generators.markdown import page as whole
from generators.markdown import table
from schoolwatch_server import texts
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.law import level3 as checklists
from schoolwatch_server.law import notice as notices
from schoolwatch_server.law import record as records
from schoolwatch_server.law.document import Document, Section


def record() -> str:
    """The record of processing."""
    return _page(records.record(ServerConfig()))


def notice() -> str:
    """The notice of a school."""
    return _page(notices.notice(ServerConfig(), texts.load()))


def level3() -> str:
    """The checklist for the level-3 dossier."""
    return _page(checklists.checklist())


def _page(document: Document) -> str:
    blocks = [block for section in document.sections for block in _section(section)]
    return whole(document.title, "\n".join(document.text), *blocks)


def _section(section: Section) -> list[str]:
    blocks = [f"## {section.title}"]
    if section.text:
        blocks.append("\n".join(section.text))
    if section.items:
        blocks.append("\n".join(f"- {item}" for item in section.items))
    if section.head:
        blocks.append(table(section.head, section.rows))
    return blocks
