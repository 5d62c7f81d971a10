"""Puts files in place one by one, takes all of them back when a step fails, and keeps a record of them."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

Change = Literal["made", "changed", "same"]
RECORD: Final = "installed.json"
"""Beside the settings file: what `install` made, and so what `uninstall` may remove."""


class Record(msgspec.Struct, frozen=True):
    """Absolute paths of what was made, in the order of their making; `program` is a folder of ours.

    A path is in it before it is made: after a power cut the next run knows what is its own.
    """

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    data: str = ""
    program: str = ""


class Placing:
    """One installation below `root`, recorded in `file`. Paths are those of the machine that `root` will be.

    Raises OSError, `msgspec.DecodeError`.
    """

    def __init__(self, root: Path, file: str) -> None:
        self._root, self._file = root, file
        self.record = read_record(self.at(file))
        self._is_begun = False
        self._undo: list[Callable[[], object]] = []

    @property
    def is_image(self) -> bool:
        """Whether it is for a machine that doesn't run now."""
        return bool(self._root.name)

    def at(self, path: str) -> Path:
        """Where a path of that machine is now."""
        return self._root / Path(path).relative_to(Path(path).anchor) if self.is_image else Path(path)

    def begin(self) -> None:
        """From here on the record is written before each step. Raises OSError."""
        file = self.at(self._file)
        before = file.read_bytes() if file.exists() else None
        folder = str(Path(self._file).parent)
        if self.folder(folder, 0o755) == "same" and set(self.at(folder).iterdir()) <= {_unfinished(file)}:
            self._note("folders", folder)  # the power failed before there was a record
        self._undo.append(lambda: _write(file, before, 0o644) if before is not None else file.unlink())
        self._is_begun = True
        self._keep(self.record)

    def about(self, *, data: str, program: str) -> None:
        """Which data and which program belong to the installation. Raises OSError."""
        self._keep(msgspec.structs.replace(self.record, data=data, program=program))

    def folder(self, path: str, mode: int) -> Change:
        """Makes a folder; one that is there stays as it is. Raises OSError."""
        place = self.at(path)
        if place.is_dir():
            return "same"
        for above in reversed(place.parents):
            if not above.exists():
                if above.is_relative_to(self._root) and above != self._root:
                    self._note("folders", self._named(above))
                above.mkdir(mode=0o755)
                self._undo.append(above.rmdir)
        self._note("folders", path)
        place.mkdir()
        place.chmod(mode)  # the umask has no say
        self._undo.append(place.rmdir)
        return "made"

    def file(self, path: str, content: bytes, mode: int = 0o644) -> Change:
        """Writes a file in one step, or leaves it when it says that already. Raises OSError."""
        place = self.at(path)
        before = place.read_bytes() if place.is_file() else None
        if before == content:
            return "same"
        self.folder(str(Path(path).parent), 0o755)
        if before is None:
            self._note("files", path)
            self._undo.append(lambda: place.unlink(missing_ok=True))
        else:
            self._undo.append(lambda: place.write_bytes(before))
        _write(place, content, mode)
        return "made" if before is None else "changed"

    def link(self, path: str, target: str) -> Change:
        """A symbolic link, as `systemctl enable` makes them. Raises OSError."""
        place = self.at(path)
        if place.is_symlink() and str(place.readlink()) == target:
            return "same"
        self.folder(str(Path(path).parent), 0o755)
        self._note("files", path)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        self._undo.append(lambda: place.unlink(missing_ok=True))
        return "made"

    def remove(self, path: str) -> bool:
        """Removes a file that an earlier installation made. Raises OSError."""
        place = self.at(path)
        if path not in self.record.files:
            return False
        if place.is_symlink():
            target = place.readlink()
            self._undo.append(lambda: place.symlink_to(target))
        elif place.exists():
            content = place.read_bytes()
            self._undo.append(lambda: place.write_bytes(content))
        else:
            return False
        place.unlink()
        left = tuple(file for file in self.record.files if file != path)
        self._keep(msgspec.structs.replace(self.record, files=left))
        return True

    def undo_with(self, step: Callable[[], object]) -> None:
        """Something else to take back when a later step fails."""
        self._undo.append(step)

    @contextlib.contextmanager
    def whole_or_nothing(self, broken: Callable[[], object]) -> Iterator[None]:
        """All steps inside are taken back when one of them raises; `broken` is called before that."""
        try:
            yield
        except BaseException:
            broken()
            for step in reversed(self._undo):
                with contextlib.suppress(OSError):  # the next ones are taken back all the same
                    step()
            raise

    def _named(self, place: Path) -> str:
        return f"/{place.relative_to(self._root)}" if self.is_image else str(place)

    def _note(self, kind: Literal["files", "folders"], path: str) -> None:
        made: tuple[str, ...] = getattr(self.record, kind)
        if path not in made:
            self._keep(msgspec.structs.replace(self.record, **{kind: (*made, path)}))

    def _keep(self, record: Record) -> None:
        self.record = record
        if self._is_begun:
            _write(self.at(self._file), msgspec.json.format(msgspec.json.encode(record)) + b"\n", 0o644)


def read_record(file: Path) -> Record:
    """The record of an earlier installation, or an empty one. Raises OSError, `msgspec.DecodeError`."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()


def clear_files(record: Record, at: Callable[[str], Path]) -> Iterator[str]:
    """Removes the files that a record names; yields each. Raises OSError."""
    for path in record.files:
        place = at(path)
        _unfinished(place).unlink(missing_ok=True)
        if place.exists() or place.is_symlink():
            place.unlink()
            yield path


def clear_record(record: Record, at: Callable[[str], Path], file: str) -> Iterator[tuple[bool, str]]:
    """Removes the folders that a record names, unless something else is in them; yields whether, and each.

    The record itself goes when only its own folders are left. Raises OSError.
    """
    own = [folder for folder in record.folders if at(file).is_relative_to(at(folder))]
    yield from _clear_folders([folder for folder in record.folders if folder not in own], at)
    _unfinished(at(file)).unlink(missing_ok=True)
    at(file).unlink()
    yield from _clear_folders(own, at)


def clear_program(folder: Path) -> None:
    """Deletes a program that is not in use: in its place it is whole, or not there at all. Raises OSError."""
    going = folder.with_name(f"{folder.name}.new")  # which a kit deletes whenever it finds it
    folder.rename(going)
    shutil.rmtree(going)


def _clear_folders(folders: list[str], at: Callable[[str], Path]) -> Iterator[tuple[bool, str]]:
    for path in sorted(folders, key=len, reverse=True):
        place = at(path)
        if place.is_dir() and not place.is_symlink():
            try:
                place.rmdir()
            except OSError:
                yield False, path
            else:
                yield True, path


def _write(place: Path, content: bytes, mode: int) -> None:
    """The whole file or none of it, also when the power fails. Raises OSError."""
    fresh = _unfinished(place)
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(mode)
    fresh.replace(place)


def _unfinished(place: Path) -> Path:
    return place.with_name(f".{place.name}.new")
