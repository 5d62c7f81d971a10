"""PDF/A-3: a place's evidence pack, with the kept bytes of the report attached where they are not too many.

Typst sets it, from a template and data in memory: it has no folder, no fonts of the system, no network.
"""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import msgspec

from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.evidence import carries_body, evidence
from schoolwatch_server.reports.files.paper import FileFormat, Paper

if TYPE_CHECKING:
    from typst import Fonts

TEMPLATE: Final = Path(__file__).with_name("evidence.typ").read_bytes()


def render(paper: Paper) -> bytes:
    """The whole file."""
    from typst import Compiler  # here: 40 MB that only who asks for a PDF needs

    body = paper.body.decode() if carries_body(paper) else ""
    inputs = {"data": msgspec.json.encode(evidence(paper)).decode(), "body": body}
    with TemporaryDirectory() as empty:  # all that typst can see of this machine
        compiler = Compiler(
            TEMPLATE,
            root=empty,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs=inputs,
            package_path=empty,
            package_cache_path=empty,
        )
        made = compiler.compile(format="pdf", pdf_standards=["a-3u"], timestamp=words.made_at(paper))
    assert isinstance(made, bytes)  # a list is of formats with a file for each page
    return made


@lru_cache(maxsize=1)
def _fonts() -> "Fonts":
    """Those that typst brings along, the same on every machine; they hold all of Vietnamese."""
    from typst import Fonts

    return Fonts(include_system_fonts=False, include_embedded_fonts=True)


PDF = FileFormat("pdf", "application/pdf", render)
