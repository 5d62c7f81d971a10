"""The Python that a kit carries for Windows: python.org's embeddable package, checked by its hash.

No package index that a server here can be told to trust carries CPython for Windows as its makers publish
it, so the file is downloaded once by a person: see docs/decisions/0010-kit.md.
"""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Final

from schoolwatch_server.kit.wheels import PYTHONS, KitError

RECOMMENDED: Final = "python-3.13.14-embed-amd64.zip"
PAGE: Final = "https://www.python.org/downloads/windows/"

KNOWN: Final = {
    "python-3.11.9-embed-amd64.zip": "009d6bf7e3b2ddca3d784fa09f90fe54336d5b60f0e0f305c37f400bf83cfd3b",
    "python-3.12.10-embed-amd64.zip": "4acbed6dd1c744b0376e3b1cf57ce906f9dc9e95e68824584c8099a63025a3c3",
    "python-3.13.14-embed-amd64.zip": "90b4e5b9898b72d744650524bff92377c367f44bd5fbd09e3148656c080ad907",
}
"""SHA-256 of files of python.org, each found alike in several independent projects that pin it."""

_NAME: Final = re.compile(r"python-(3\.\d+)\.\d+-embed-amd64\.zip")
_NEEDED: Final = ("python.exe", "python3.dll", "vcruntime140.dll")
"""What the program and its extension modules load."""


def check(file: Path, expected: str) -> str:
    """The Python version ("3.13") of a right file. Raises `KitError`.

    `expected` is the SHA-256 that a person copied from the release's page; empty for a file that we know.
    """
    named = _NAME.fullmatch(file.name)
    if named is None or named[1] not in PYTHONS:
        raise KitError(f"{file.name} is not a package such as {RECOMMENDED} (64-bit, embeddable): see {PAGE}")
    expected = expected.strip().lower() or KNOWN.get(file.name, "")
    if not re.fullmatch("[0-9a-f]{64}", expected):
        raise KitError(
            f"the hash of {file.name} is not known here: copy its SHA-256 from its page at {PAGE} "
            "into --windows-runtime-sha256"
        )
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise KitError(f"{file}: {error.strerror}") from error
    if found != expected:
        raise KitError(f"{file.name} is not the published file: its SHA-256 is {found}, not {expected}")
    return named[1]


def unpack(file: Path, into: Path) -> None:
    """Unpacks the checked package. Raises `KitError`."""
    try:
        with zipfile.ZipFile(file) as package:
            package.extractall(into)
    except (OSError, zipfile.BadZipFile) as error:
        raise KitError(f"{file}: {error}") from error
    for name in _NEEDED:
        if not (into / name).is_file():
            raise KitError(f"{file.name} holds no {name}")
