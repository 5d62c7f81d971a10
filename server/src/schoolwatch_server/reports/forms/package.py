"""An uploaded DOCX or XLSX as its parts (ECMA-376, part 2): what is not touched stays byte for byte.

Nothing is unpacked to a disk. A file that would unpack to too much, that holds macros, or whose XML has a
DOCTYPE is refused.
"""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
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
    if sum(len(part) for name, part in parts.items() if name.endswith((".xml", ".rels"))) > XML_MAX:
        raise FormError(Problem("too_large"))
    if any(name.casefold().endswith("vbaproject.bin") for name in parts):
        raise FormError(Problem("macros"))
    return Package(kind, parts)


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        if len(listed) > PARTS_MAX or sum(one.file_size for one in listed) > UNPACKED_MAX:
            raise FormError(Problem("too_large"))
        if len({one.filename for one in listed}) != len(listed):
            raise FormError(Problem("not_a_form"))
        left, parts = UNPACKED_MAX, {}
        for one in listed:
            with archive.open(one) as part:
                parts[one.filename] = part.read(left + 1)  # whatever its size was said to be
            left -= len(parts[one.filename])
            if left < 0:
                raise FormError(Problem("too_large"))
    return parts


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
