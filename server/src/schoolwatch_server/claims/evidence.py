"""Whether a file may be kept as evidence: told by what is in it, not by what it is called. Pure.

Kept are PDF, PNG, JPEG, DOCX and XLSX without macros. Nothing is opened or unpacked: of DOCX and XLSX, which
are ZIP archives, the table of contents is read. They go out again as a download alone.
"""

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Literal

BYTES_MAX = 10 * 1024 * 1024
FILES_MAX = 5
"""Files of one answer."""

SCHOOL_BYTES_MAX = 200 * 1024 * 1024
"""Bytes of all evidence of one school: each lies in the database, and in every backup of it."""

NAME_MAX = 100
_ENTRIES_MAX = 5000

Refusal = Literal["empty", "large", "unknown", "macro", "damaged", "many", "full"]
"""Why a file is not kept; a key of the text file: `claims.refused.<it>`."""

_ZIPPED = {
    "word/document.xml": (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "xl/workbook.xml": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


class EvidenceError(ValueError):
    """The file of that name is not kept; `refusal` says why."""

    def __init__(self, refusal: Refusal, name: str = "") -> None:
        super().__init__(refusal)
        self.refusal: Refusal = refusal
        self.name = name


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be kept, with the type that its content has and a name that is harmless."""

    name: str
    media_type: str
    body: bytes


def accept(name: str, body: bytes) -> File:
    """The file as it is kept. Raises `EvidenceError`."""
    try:
        ending, media_type = _kind(body)
    except EvidenceError as error:
        raise EvidenceError(error.refusal, name[:NAME_MAX]) from None
    return File(_named(name, ending), media_type, body)


def _kind(body: bytes) -> tuple[str, str]:
    if not body:
        raise EvidenceError("empty")
    if len(body) > BYTES_MAX:
        raise EvidenceError("large")
    if body.startswith(b"%PDF-"):
        if b"%%EOF" not in body[-2048:]:
            raise EvidenceError("damaged")
        return "pdf", "application/pdf"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        if b"IEND" not in body[-64:]:
            raise EvidenceError("damaged")
        return "png", "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        if b"\xff\xd9" not in body[-65536:]:  # telephones write their own data behind the picture
            raise EvidenceError("damaged")
        return "jpg", "image/jpeg"
    if body.startswith(b"PK\x03\x04"):
        return _office(body)
    raise EvidenceError("unknown")


def _office(body: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise EvidenceError("damaged") from None
    if len(names) > _ENTRIES_MAX or "[Content_Types].xml" not in names:
        raise EvidenceError("unknown")
    if any(one.lower().endswith("vbaproject.bin") for one in names):
        raise EvidenceError("macro")
    for inside, kind in _ZIPPED.items():
        if inside in names:
            return kind
    raise EvidenceError("unknown")


def _named(name: str, ending: str) -> str:
    """The last part of the name, composed, without what systems take amiss, ending as its content is."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(c if unicodedata.category(c)[0] not in "CZ" or c == " " else "" for c in last)
    plain = " ".join(_FORBIDDEN.sub(" ", shown).split()).rstrip(". ")
    stem, dot, own = plain.rpartition(".")
    if not dot or own.lower() not in {ending, "jpeg" if ending == "jpg" else ending}:
        stem = plain
    return f"{stem[: NAME_MAX - len(ending) - 1].strip('. ') or 'minh-chung'}.{ending}"
