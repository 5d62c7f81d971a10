"""Lists in the data folder that outlive the database: an older copy of that brings back nothing they name.

`audit/…`: a line of JSON each, the oldest first; they are in every backup.
"""

import contextlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from schoolwatch_server.files import private_folder, write_atomically

log = logging.getLogger(__name__)

Line = TypeVar("Line", bound=msgspec.Struct)


class LastingError(ValueError):
    """A list can't be used; the text says what to do."""


def read(path: Path, kind: type[Line]) -> tuple[Line, ...]:
    """The list, oldest first; empty when there is none. Raises `LastingError`."""
    try:
        return parse(path.read_bytes(), str(path), kind)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise LastingError(f"{path}: can't be read ({error.strerror}): check its mode") from error


def trouble(path: Path, kind: type[Line]) -> str:
    """Why the list can't be read as a whole; empty when it can."""
    try:
        read(path, kind)
    except LastingError as error:
        return str(error)
    return ""


def read_or_mend(path: Path, kind: type[Line]) -> tuple[tuple[Line, ...], bool]:
    """The list, oldest first, and whether all of it can be read.

    Else what can be read is in its place, and the whole file is set aside (`….unreadable`). Raises
    `LastingError` when that can't be done.
    """
    why = trouble(path, kind)
    if not why:
        return read(path, kind), True
    aside = path.with_name(f"{path.name}.unreadable")
    log.error("%s; it is set aside as %s", why, aside.name)
    kept = _readable(path, kind)
    try:
        path.rename(aside)
    except OSError as error:
        raise LastingError(
            f"{path}: can't be set aside ({error.strerror}): check its folder's mode"
        ) from error
    write(path, kept)
    return kept, False


def _readable(path: Path, kind: type[Line]) -> tuple[Line, ...]:
    """The lines that are some: of a file that was cut off, all but the last."""
    try:
        text = path.read_bytes()
    except OSError:
        return ()
    decoder, found = msgspec.json.Decoder(kind), set()
    for line in text.splitlines():
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            found.add(decoder.decode(line))
    return _in_order(found)


def parse(text: bytes, name: str, kind: type[Line]) -> tuple[Line, ...]:
    """The list of a file's text, oldest first. Raises `LastingError`, which names the line."""
    decoder, found = msgspec.json.Decoder(kind), set()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found.add(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = kind.__name__.lower()
            raise LastingError(
                f"{name}: line {number} is no {what} ({error}): take the file from a backup"
            ) from error
    return _in_order(found)


def write(path: Path, lines: Iterable[Line]) -> None:
    """The whole list anew, on the disk when this returns. Raises `LastingError`."""
    text = "".join(msgspec.json.encode(one).decode() + "\n" for one in _in_order(lines))
    try:
        private_folder(path.parent)
        write_atomically(path, text)
    except OSError as error:
        raise LastingError(f"{path}: can't be written ({error.strerror}): check its mode") from error


def _in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted(set(lines), key=msgspec.structs.astuple))
