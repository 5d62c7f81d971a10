"""A document as a file of its own: HTML that any browser shows and prints on A4, without anything beside "
"it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from schoolwatch_server.law.document import Document
from schoolwatch_server.texts import Language

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(
    document: Document, made: str, language: Language = "vi", *, one_page: bool = False, simulated: str = ""
) -> str:
    """The page; `made` stands at its foot: by which version and when. `simulated` is a warning at its "
    "head."""
    template = _environment.get_template("document.html")
    return template.render(
        document=document, made=made, language=language, one_page=one_page, simulated=simulated
    )
