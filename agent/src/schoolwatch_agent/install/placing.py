"""Puts files in place one by one, takes all of them back when a step fails, and keeps a record of them."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

Change = Literal["made", "changed", "same"]
RECORD: Final = "installed.json"
"""Beside the settings file: what `install` made, and so what `uninstall` may remove."""


class Record(msgspec.Struct, frozen=True):
    """Absolute paths of what was made, in the order of their making; `program` is a folder of ours."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    data: str = ""
    program: str = ""


class Placing:
    """One installation below `root`. Paths are those of the machine that `root` will be."""

    def __init__(self, root: Path, known: Record) -> None:
        self._root = root
        self._files, self._folders = list(known.files), list(known.folders)
        self._undo: list[Callable[[], object]] = []

    @property
    def is_image(self) -> bool:
        """Whether it is for a machine that doesn't run now."""
        return bool(self._root.name)

    def at(self, path: str) -> Path:
        """Where a path of that machine is now."""
        return self._root / Path(path).relative_to(Path(path).anchor) if self.is_image else Path(path)

    def folder(self, path: str, mode: int) -> Change:
        """Makes a folder; one that is there stays as it is. Raises OSError."""
        place = self.at(path)
        if place.is_dir():
            return "same"
        for above in reversed(place.parents):
            if not above.exists():
                above.mkdir(mode=0o755)
                self._undo.append(above.rmdir)
                if above.is_relative_to(self._root) and above != self._root:
                    self._note(self._folders, self._named(above))
        place.mkdir()
        place.chmod(mode)  # the umask has no say
        self._undo.append(place.rmdir)
        self._note(self._folders, path)
        return "made"

    def file(self, path: str, content: bytes, mode: int = 0o644) -> Change:
        """Writes a file in one step, or leaves it when it says that already. Raises OSError."""
        place = self.at(path)
        before = place.read_bytes() if place.is_file() else None
        if before == content:
            return "same"
        self.folder(str(Path(path).parent), 0o755)
        fresh = place.with_name(f".{place.name}.new")
        fresh.write_bytes(content)
        fresh.chmod(mode)
        fresh.replace(place)
        if before is None:
            self._undo.append(lambda: place.unlink(missing_ok=True))
            self._note(self._files, path)
            return "made"
        self._undo.append(lambda: place.write_bytes(before))
        return "changed"

    def link(self, path: str, target: str) -> Change:
        """A symbolic link, as `systemctl enable` makes them. Raises OSError."""
        place = self.at(path)
        if place.is_symlink() and str(place.readlink()) == target:
            return "same"
        self.folder(str(Path(path).parent), 0o755)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        self._undo.append(lambda: place.unlink(missing_ok=True))
        self._note(self._files, path)
        return "made"

    def remove(self, path: str) -> bool:
        """Removes a file that an earlier installation made. Raises OSError."""
        place = self.at(path)
        if path not in self._files:
            return False
        self._files.remove(path)
        if place.is_symlink():
            target = place.readlink()
            self._undo.append(lambda: place.symlink_to(target))
        elif place.exists():
            content = place.read_bytes()
            self._undo.append(lambda: place.write_bytes(content))
        else:
            return False
        place.unlink()
        return True

    def undo_with(self, step: Callable[[], object]) -> None:
        """Something else to take back when a later step fails."""
        self._undo.append(step)

    def record(self, *, data: str, program: str) -> Record:
        """What is in place now."""
        return Record(tuple(self._files), tuple(self._folders), data, program)

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

    @staticmethod
    def _note(made: list[str], path: str) -> None:
        if path not in made:
            made.append(path)


def read_record(file: Path) -> Record:
    """The record of an earlier installation, or an empty one. Raises OSError, `msgspec.DecodeError`."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()


def clear_files(record: Record, at: Callable[[str], Path], *, is_in_use: bool) -> Iterator[str]:
    """Removes the files that a record names, and a program not in use; yields each. Raises OSError."""
    for path in record.files:
        place = at(path)
        if place.exists() or place.is_symlink():
            place.unlink()
            yield path
    if record.program and at(record.program).is_dir() and not is_in_use:
        shutil.rmtree(at(record.program))
        yield record.program


def clear_folders(record: Record, at: Callable[[str], Path]) -> Iterator[tuple[bool, str]]:
    """Removes the folders that a record names, unless something else is in them; yields whether, and each."""
    for path in sorted(record.folders, key=len, reverse=True):
        place = at(path)
        if place.is_dir() and not place.is_symlink():
            try:
                place.rmdir()
            except OSError:
                yield False, path
            else:
                yield True, path
