"""What was deleted on request, in a file outside the database: an older copy of that must not bring it back.

`audit/deletions` in the data folder: a line of JSON each, the newest last. It is in every backup, and names
devices by their random ids and schools by their numbers: nothing of what was deleted.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from schoolwatch_server.files import private_folder, write_atomically


class DeletionsError(ValueError):
    """The list can't be used; the text says what to do."""


class Deletion(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One device, or one school by its number and when it was made; times are UTC seconds."""

    at: float
    device: str = ""
    school: int = 0
    made: float = 0.0


_decoder = msgspec.json.Decoder(Deletion)


def path_in(folder: Path) -> Path:
    """The list of a data folder."""
    return folder / "audit" / "deletions"


def read(path: Path) -> tuple[Deletion, ...]:
    """The list, oldest first; empty when there is none. Raises `DeletionsError`."""
    try:
        return parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DeletionsError(f"{path}: can't be read ({error.strerror}): check its mode") from error


def parse(text: bytes, name: str) -> tuple[Deletion, ...]:
    """The list of a file's text, oldest first. Raises `DeletionsError`, which names the line."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found.add(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DeletionsError(
                f"{name}: line {number} is no deletion ({error}): take the file from a backup"
            ) from error
    return tuple(sorted(found))


def add(path: Path, one: Deletion) -> None:
    """One more, on the disk when this returns; whoever adds holds a lock. Raises `DeletionsError`."""
    known = read(path)
    try:
        write(path, (*known, one))
    except OSError as error:
        raise DeletionsError(
            f"{path}: the list of deletions can't be written ({error.strerror}): nothing was deleted"
        ) from error


def write(path: Path, deletions: Iterable[Deletion]) -> None:
    """The whole list anew. Raises OSError."""
    private_folder(path.parent)
    lines = (msgspec.json.encode(one).decode() + "\n" for one in sorted(set(deletions)))
    write_atomically(path, "".join(lines))
