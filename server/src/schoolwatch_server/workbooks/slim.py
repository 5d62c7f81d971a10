"""An XLSX with nothing in it but what its lists hold, before a library makes cells of it. Pure.

Excel keeps each row and cell that somebody formatted, down to the sheet's last row. A million of them read as
cells take most of a minute and a gigabyte; here they are dropped as text. What no list needs goes too:
pictures, charts, tables, comments, rules of validation. ECMA-376 part 1, 18.3.1; part 2, 8.1.4 (no DTD).
"""

import io
import re
import zipfile
from collections.abc import Iterator

from schoolwatch_server.workbooks.grid import UNPACKED_MAX

ELEMENTS_MAX = 2_000_000
"""Marks `<` that are left in all parts: half a million filled cells, 20,000 rows of 25."""

MERGED_MAX = 300_000
"""Cells that merged areas span."""

UNCOMPUTED = "#?"
"""Stands for a formula whose result is not in the file: a program wrote it that does not reckon."""

_PART = 1 << 20

_FORMATTED = re.compile(rb'<((?:\w+:)?)c r="[A-Z]+[0-9]+"(?: [a-z]+="[^"<>]*")*\s*(?:/>|></\1c>)')
_BARE_ROW = re.compile(rb'<((?:\w+:)?)row r="[0-9]+"[^<>]*(?:/>|></\1row>)')
_NO_RESULT = re.compile(
    rb'<((?:\w+:)?)c r="([A-Z]+[0-9]+)"((?: [a-z]+="[^"<>]*")*)>'
    rb"<\1f\b[^<>]*(?:/>|>[^<]*</\1f>)(?:<\1v\s*/>|<\1v></\1v>)?</\1c>"
)
_DATA_ENDS = re.compile(rb"</((?:\w+:)?)sheetData>|<((?:\w+:)?)sheetData\s*/>")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCells\b[^<>]*>.*?</(?:\w+:)?mergeCells>", re.DOTALL)
_AREA = re.compile(rb'ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_PIVOTS = re.compile(rb"<(?:\w+:)?pivotCaches>.*?</(?:\w+:)?pivotCaches>", re.DOTALL)

_LEFT_OUT = re.compile(
    r"xl/(?:drawings|media|charts|chartsheets|pivot|comments|threadedComments|persons|externalLinks|embeddings"
    r"|tables|queryTables|printerSettings|ctrlProps|activeX|slicer|calcChain|richData|customProperty"
    r"|worksheets/_rels)|customXml/|docProps/"
)


class TooMuchError(ValueError):
    """The workbook holds more than a list does."""


def slim(data: bytes) -> bytes:
    """The same workbook, as a library reads it fast. Raises `TooMuchError`, and `ValueError` for a DTD."""
    out, left, seen = io.BytesIO(), ELEMENTS_MAX, set()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(out, "w") as made:
        parts = package.infolist()
        if sum(one.file_size for one in parts) > UNPACKED_MAX:
            raise TooMuchError
        for one in parts:
            if one.filename in seen or _LEFT_OUT.match(one.filename):
                continue
            seen.add(one.filename)
            text = package.read(one)
            if b"<!DOCTYPE" in text:
                raise ValueError("a workbook has no DTD")
            if one.filename.startswith("xl/worksheets/"):
                text = _sheet(text)
            elif one.filename == "xl/workbook.xml":
                text = _PIVOTS.sub(b"", text)
            left -= text.count(b"<")
            if left < 0:
                raise TooMuchError
            made.writestr(one.filename, text)
    return out.getvalue()


def _sheet(text: bytes) -> bytes:
    """A sheet's filled rows and its merged areas."""
    end = _DATA_ENDS.search(text)
    if end is None:
        return text
    merged = _MERGED.search(text, end.end())
    areas = merged[0] if merged else b""
    if sum(map(_cells, _AREA.finditer(areas))) > MERGED_MAX:
        raise TooMuchError
    body = b"".join(_filled(part) for part in _parts(text, end.end()))
    prefix = end[1] if end[1] is not None else end[2]
    return body + areas + b"</" + prefix + b"worksheet>"


def _parts(text: bytes, end: int) -> Iterator[bytes]:
    """The text up to `end` in parts that each begin with a row, so that few are in memory twice."""
    begin = 0
    while begin < end:
        stop = text.rfind(b"<row ", begin + 1, begin + _PART) if end - begin > _PART else -1
        stop = end if stop < 0 else stop
        yield text[begin:stop]
        begin = stop


def _filled(text: bytes) -> bytes:
    return _NO_RESULT.sub(_uncomputed, _BARE_ROW.sub(b"", _FORMATTED.sub(b"", text)))


def _uncomputed(cell: re.Match[bytes]) -> bytes:
    if b't="str"' in cell[3]:
        return cell[0]  # a text formula that gave an empty text
    prefix, place = cell[1], cell[2]
    value = UNCOMPUTED.encode()
    return b'<%bc r="%b" t="e"><%bv>%b</%bv></%bc>' % (prefix, place, prefix, value, prefix, prefix)


def _cells(area: re.Match[bytes]) -> int:
    left, top, right, bottom = (part.decode() for part in area.groups())
    return (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
