"""What a copy says of itself: when it was made, of which version, and how many rows of each kind it holds."""

import hashlib
from pathlib import Path

import msgspec

from schoolwatch_server.backup.errors import BackupError

NAME = "manifest.json"
FORMAT = 1

SHOWN = ("school", "device", "account", "journal", "generation", "incident", "quarantine", "audit")
"""Tables whose rows people are told of; all others are compared too."""


class Member(msgspec.Struct, frozen=True):
    """A file of the copy: its bytes, and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`taken_at` and `newest_report` are UTC seconds; `schema` is the migration that the database was at.

    `history` names the server's database; up to `listed_at` its lists of what was ended are whole (0:
    nobody knows). `rows` counts every table in the very moment that was copied; `outside` says which
    setting named a file that lay outside the data folder: "section.key" → its path in the copy.
    """

    format: int
    taken_at: float
    program: str
    schema: str
    database: str
    rows: dict[str, int]
    newest_report: float | None
    files: dict[str, Member]
    outside: dict[str, str] = {}
    history: str = ""
    listed_at: float = 0.0

    def size(self) -> int:
        """Bytes of everything."""
        return sum(member.size for member in self.files.values())


_decoder = msgspec.json.Decoder(Manifest)


def read(text: bytes) -> Manifest:
    """Raises `BackupError` for what this program can't read."""
    try:
        found = _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise BackupError("not_ours", detail=str(error)) from error
    if found.format > FORMAT:
        raise BackupError("newer", version=found.program)
    return found


def write(path: Path, manifest: Manifest) -> None:
    """As JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def member(path: Path) -> Member:
    """Size and digest of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Member(file.tell(), digest.hexdigest())


def members(folder: Path) -> dict[str, Member]:
    """Every file below a folder, by its path there, without the manifest itself."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: member(path) for name, path in sorted(found.items()) if name != NAME}


def differences(manifest: Manifest, folder: Path) -> list[str]:
    """Names of files that are missing, too many, or not what was copied."""
    there = members(folder)
    names = sorted(manifest.files.keys() | there.keys())
    return [name for name in names if manifest.files.get(name) != there.get(name)]


def other_rows(manifest: Manifest, rows: dict[str, int]) -> list[str]:
    """Tables whose number of rows is another than in the moment of the copy: "table 5 ≠ 6"."""
    names = sorted(manifest.rows.keys() | rows.keys())
    return [
        f"{name} {rows.get(name, '–')} ≠ {manifest.rows.get(name, '–')}"
        for name in names
        if rows.get(name) != manifest.rows.get(name)
    ]
