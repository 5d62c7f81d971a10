"""An uploaded DOCX or XLSX as its parts (ECMA-376, part 2): what is not touched stays byte for byte.

Nothing is unpacked to a disk. A file that would unpack to too much, that holds macros, or whose XML has a
DOCTYPE is refused. What it fetches from elsewhere when it is opened is named to whoever fills it.
"""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lxml import etree
from lxml.etree import _Element

from schoolwatch_server.reports.forms.trouble import FormError, Problem
from schoolwatch_server.workbooks.grid import BYTES_MAX, UNPACKED_MAX

Kind = Literal["docx", "xlsx"]

PARTS_MAX = 2000
XML_MAX = 24 << 20
"""Of all parts that are XML together: as trees they take some ten times that."""
TAGS_MAX = 1_500_000
"""In all of them: a table of 20,000 rows and 15 columns has fewer."""

_MAIN: Mapping[str, Kind] = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, OSError, EOFError, ValueError),
)
"""What zipfile lets through of a damaged archive, of its decompressors, and of a locked one."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    """The parts in their order, by name."""

    kind: Kind
    parts: Mapping[str, bytes]

    def with_parts(self, changed: Mapping[str, bytes]) -> bytes:
        """The file with some of its parts changed, and without the time of day."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            for name, data in self.parts.items():
                one = zipfile.ZipInfo(name, _EPOCH)
                target.writestr(one, changed.get(name, data), zipfile.ZIP_DEFLATED)
        return out.getvalue()


def unpack(data: bytes) -> Package:
    """The parts of an uploaded file. Raises `FormError`."""
    if len(data) > BYTES_MAX:
        raise FormError(Problem("too_large"))
    if data.startswith(_OLE):
        is_encrypted = "EncryptedPackage".encode("utf-16-le") in data
        raise FormError(Problem("encrypted" if is_encrypted else "old_format"))
    try:
        parts = _parts(data)
    except FormError:
        raise
    except _DAMAGED as error:
        raise FormError(Problem("not_a_form")) from error
    kind = next((kind for name, kind in _MAIN.items() if name in parts), None)
    if kind is None:
        raise FormError(Problem("not_a_form"))
    written = [part for name, part in parts.items() if name.endswith((".xml", ".rels"))]
    if sum(map(len, written)) > XML_MAX or sum(part.count(b"<") for part in written) > TAGS_MAX:
        raise FormError(Problem("too_large"))
    package = Package(kind, parts)
    if _has_macros(package):
        raise FormError(Problem("macros"))
    return package


def outside(package: Package) -> tuple[str, ...]:
    """What the file fetches from elsewhere when it is opened (workbooks, templates, pictures, programs).

    Links that a reader has to click are none of them.
    """
    found = [
        link.get("Target") or ""
        for name in package.parts
        if name.endswith(".rels")
        for link in tree(package, name).iter("*")
        if link.get("TargetMode") == "External" and not (link.get("Type") or "").endswith("/hyperlink")
    ]
    found += [name for name, part in package.parts.items() if _EXCHANGE.search(part)]
    return tuple(dict.fromkeys(one[:200] for one in found))


_EXCHANGE = re.compile(
    rb"<(?:\w+:)?ddeLink\b|<(?:\w+:)?instrText\b[^>]*>\s*(?:DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE)\b"
)
"""Data that another program or file gives (ECMA-376 part 1, 18.14.4 and 17.16.5)."""


def _has_macros(package: Package) -> bool:
    """By what the parts are and how they are linked, whatever they are called (part 2, 9.1.2 and 9.3)."""
    if any(name.casefold().endswith("vbaproject.bin") for name in package.parts):
        return True
    kinds = (one.get("ContentType") or "" for one in _of(package, "[Content_Types].xml"))
    links = (
        link.get("Type") or ""
        for name in package.parts
        if name.endswith(".rels")
        for link in _of(package, name)
    )
    return any(
        word in one.casefold()
        for one in (*kinds, *links)
        for word in ("macroenabled", "vbaproject", "xlmacro")
    )


def _of(package: Package, name: str) -> Iterator[_Element]:
    if name in package.parts:
        yield from tree(package, name).iter("*")


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        if len(listed) > PARTS_MAX or sum(one.file_size for one in listed) > UNPACKED_MAX:
            raise FormError(Problem("too_large"))
        names = {one.filename for one in listed}
        if len(names) != len(listed) or any(_leads_out(name) for name in names):
            raise FormError(Problem("not_a_form"))
        left, parts = UNPACKED_MAX, {}
        for one in listed:
            with archive.open(one) as part:
                parts[one.filename] = part.read(left + 1)  # whatever its size was said to be
            left -= len(parts[one.filename])
            if left < 0:
                raise FormError(Problem("too_large"))
    return parts


def _leads_out(name: str) -> bool:
    """Whether unpacking it would write somewhere else (part 2, 6.2.2: no dot segments, no backslash)."""
    return name.startswith("/") or "\\" in name or ".." in name.split("/")


def tree(package: Package, name: str) -> _Element:
    """A part as XML. Raises `FormError` when it is none, or has a DOCTYPE."""
    data = package.parts[name]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise FormError(Problem("broken", name)) from error
    if root.getroottree().docinfo.doctype:
        raise FormError(Problem("broken", name))
    return root


def written(root: _Element) -> bytes:
    """The XML of a part."""
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True, standalone=True)
