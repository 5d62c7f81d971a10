"""docs/vi/: the record of processing and what else the law asks for, with the default settings."""

from generators.markdown import page as whole
from generators.markdown import table
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.law import record as records
from schoolwatch_server.law.document import Document, Section


def record() -> str:
    """The record of processing."""
    return _page(records.record(ServerConfig()))


def _page(document: Document) -> str:
    blocks = [block for section in document.sections for block in _section(section)]
    return whole(document.title, "\n".join(document.text), *blocks)


def _section(section: Section) -> list[str]:
    blocks = [f"## {section.title}"]
    if section.text:
        blocks.append("\n".join(_line(line) for line in section.text))
    if section.head:
        blocks.append(table(section.head, section.rows))
    return blocks


def _line(line: str) -> str:
    return f"- {line[2:]}" if line.startswith("– ") else line
