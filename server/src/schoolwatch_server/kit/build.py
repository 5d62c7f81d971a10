"""Makes a kit: gathers everything first, asks for the token last, and puts the folder in place whole."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import jinja2
import msgspec

from schoolwatch_server import __version__
from schoolwatch_server.kit import runtime, wheels
from schoolwatch_server.kit.wheels import KitError

STICK: Final = Path(__file__).with_name("stick")
PAGE: Final = "HUONG-DAN.html"
NOTICE: Final = "THONG-BAO-DU-LIEU.html"
TOKEN: Final = "ma-dang-ky.txt"  # noqa: S105  the name of its file
INSIDE: Final = "schoolwatch"
SUMS: Final = "SHA256SUMS"
_WINDOWS: Final = "python-windows"
_CRLF: Final = (".cmd", ".txt")
_HERE_TIME: Final = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Wish:
    """What the kit is to be: for whom, reaching which server, with which parts."""

    school: str
    school_name: str
    room: str
    url: str
    insecure_http: bool
    ca: Path | None
    windows_runtime: Path | None
    windows_sha256: str
    arm: bool
    wheels: Path | None
    days: float
    uses: int
    proxy: str = ""


class Kit(msgspec.Struct, frozen=True):
    """kit.json: what the installer on the stick needs to know. Holds no secret."""

    version: str
    made: str
    school: str
    room: str
    url: str
    insecure_http: bool
    ca: str
    token_file: str
    expires: str
    uses: int
    wheels: dict[str, list[str]]
    proxy: str = ""


def check(wish: Wish, out: Path) -> str:
    """Refuses what can't become a kit before anything is made; gives the Windows Python ("" for none)."""
    parts = urlsplit(wish.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise KitError(
            "--url is the server's address as the school reaches it, such as https://schoolwatch.example.vn"
        )
    if parts.scheme == "http" and not wish.insecure_http:
        raise KitError(f"{wish.url} is not encrypted: anyone on the line could read the devices' passwords")
    if not re.fullmatch(r"(http://[^\s@/]+/?)?", wish.proxy):
        raise KitError("--proxy is the gateway's or proxy's address, such as http://192.168.1.10:3128")
    if wish.ca is not None and "BEGIN CERTIFICATE" not in _text(wish.ca):
        raise KitError(f"{wish.ca} is not a certificate in PEM form")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise KitError(f"{out} is there already: name a new folder, so that no token is left in an old one")
    if out.is_mount():
        raise KitError(
            f"{out} is a stick or disk of its own: make the kit in a new folder, and copy it there"
        )
    return "" if wish.windows_runtime is None else runtime.check(wish.windows_runtime, wish.windows_sha256)


def build(wish: Wish, out: Path, kept: Path, issue: Callable[[], str], *, notice: str, now: float) -> Kit:
    """Makes the folder `out` for a stick. `issue` gives the token. Raises `KitError`, OSError.

    `kept` is where wheels stay for the next kit, `notice` the page on data that the school pins up.
    """
    windows = check(wish, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        kit = _fill(folder, wish, windows, kept, now)
        _write(folder / NOTICE, notice)
        _private(folder / TOKEN, issue() + "\n")
        (folder / INSIDE / SUMS).write_text(_sums(folder), encoding="utf-8")
        if out.exists():
            out.rmdir()
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return kit


def _fill(folder: Path, wish: Wish, windows: str, kept: Path, now: float) -> Kit:
    """All but the token and the sums."""
    inside = folder / INSIDE
    (inside / "wheels").mkdir(parents=True)
    served = wheels.targets(windows_python=windows, arm=wish.arm)
    found = wheels.collect(served, inside / "wheels", given=wish.wheels, kept=kept)
    if wish.windows_runtime is not None:
        runtime.unpack(wish.windows_runtime, inside / _WINDOWS)
    if wish.ca is not None:
        shutil.copyfile(wish.ca, inside / "ca.pem")
    kit = _described(wish, found, now)
    _copy_stick(folder, inside)
    (inside / "kit.json").write_bytes(msgspec.json.format(msgspec.json.encode(kit)))
    _write(folder / PAGE, _page(wish, kit, has_windows=bool(windows)))
    return kit


def _described(wish: Wish, found: dict[str, list[str]], now: float) -> Kit:
    made = datetime.fromtimestamp(now, UTC)
    return Kit(
        version=__version__,
        made=made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        school=wish.school,
        room=wish.room,
        url=wish.url.rstrip("/"),
        insecure_http=wish.insecure_http,
        ca="ca.pem" if wish.ca is not None else "",
        token_file=TOKEN,
        expires=(made + timedelta(days=wish.days)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        uses=wish.uses,
        wheels=found,
        proxy=wish.proxy,
    )


def _copy_stick(folder: Path, inside: Path) -> None:
    for name in ("cai-dat.cmd", "cai-dat.sh", "go-cai-dat.cmd", "go-cai-dat.sh"):
        _write(folder / name, _text(STICK / name))
    for path in (*sorted(STICK.glob("*.py")), STICK / "words.toml", STICK / "schoolwatch-agent.cmd"):
        _write(inside / path.name, _text(path))
    (inside / "loi").mkdir()
    for path in sorted((STICK / "loi").glob("*.txt")):
        _write(inside / "loi" / path.name, _text(path))


def _write(path: Path, text: str) -> None:
    """Windows reads its files with CR LF, whatever this machine has."""
    path.write_text(text, encoding="utf-8", newline="\r\n" if path.suffix in _CRLF else "\n")


def _private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def _page(wish: Wish, kit: Kit, *, has_windows: bool) -> str:
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        _text(STICK / "huong-dan.html")
    )
    expires = datetime.fromisoformat(kit.expires).astimezone(_HERE_TIME)
    return template.render(
        wish=wish, kit=kit, has_windows=has_windows, expires=expires.strftime("%H:%M %d/%m/%Y")
    )


def _sums(folder: Path) -> str:
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KitError(f"{path} is not text") from error
    except OSError as error:
        raise KitError(f"{path}: {error.strerror}") from error
