"""What a file of a frozen report is made from, and what a format is: a pure function from that to bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content
from schoolwatch_server.texts import Language, Texts


@dataclass(frozen=True)
class Paper:
    """A report with what its files print besides; the same paper gives the same bytes in every format.

    `body` is what is kept and what the digest is of, `content` the same decoded. `verify` is the address at
    which anybody can check the digest, empty where there is none.
    """

    body: bytes
    content: Content
    texts: Texts
    language: Language = "vi"
    verify: str = ""

    @cached_property
    def sha256(self) -> str:
        """The digest of the kept bytes, in hexadecimal; a province has 40 MB of them and it in each row."""
        return content.digest(self.body)

    def text(self, key: str, /, **values: object) -> str:
        """A text of the files."""
        return self.texts.get(self.language, key, **values)

    def known(self, key: str, otherwise: str) -> str:
        """A text of the files, or the word itself when other parts use a new one."""
        return self.texts.either(self.language, key, otherwise)


def paper(body: bytes, texts: Texts, language: Language = "vi", verify: str = "") -> Paper:
    """The paper of kept bytes. Raises `msgspec.ValidationError` when they are no report."""
    return Paper(body, content.decode(body), texts, language, verify)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format: `id` is also the file name's ending, unless there is another (`ending`)."""

    id: str
    media_type: str
    render: Callable[[Paper], bytes]
    ending: str = ""


def file_name(of: Content, chosen: FileFormat) -> str:
    """`schoolwatch-01000702-2026-11-r1.pdf`: letters, digits, dots, lines, underscores, for any browser."""
    return (
        f"{plain_name(of)}-{chosen.id}.{chosen.ending}" if chosen.ending else f"{plain_name(of)}.{chosen.id}"
    )


def plain_name(of: Content) -> str:
    """The same without the ending."""
    parts = (of.code or of.level, of.period, f"r{of.revision}")
    return f"schoolwatch-{'-'.join(map(_plain, parts))}"


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)
