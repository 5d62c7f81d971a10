"""Who this agent is: a random install id of its own, and the credential that the server gave it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec

CREDENTIAL = "credential.json"
INSTALL_ID = "install_id"
AUTHORITY = "ca.pem"
"""The server's authority, as the enrolment code pinned it."""

WAITING = "enrolment.json"
"""What is needed to enrol when the server can be reached: see admission.py."""

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class IdentityError(Exception):
    """A credential or install id that cannot be read or written; `damaged` is the file that is none."""

    def __init__(self, problem: str, damaged: Path | None = None) -> None:
        super().__init__(problem)
        self.damaged = damaged


class Broker(msgspec.Struct, frozen=True):
    """Where the broker listens; `websocket` is the URL by which it is reached besides, empty for none."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    port: _Port
    tls: bool = False
    websocket: Annotated[str, msgspec.Meta(pattern=r"^(wss://[^\s@?#]{1,500})?$")] = ""


class Renewed(msgspec.Struct, frozen=True):
    """A new key and password that were offered in the start of the system called `boot`, not yet taken up."""

    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    made_at: float
    boot: str

    def __repr__(self) -> str:
        return f"Renewed(boot={self.boot!r})"


class Credential(msgspec.Struct, frozen=True):
    """What the server gave at enrolment: the device id, its frame key (hex), its broker password.

    `hint_key` (hex) is the school's, for digests of hardware numbers. `url` is where it enrolled; while it
    is `pending` nobody has let it in there yet. `made_at` is when key and password were made, UTC seconds by
    the server's clock.
    """

    device: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    mqtt: Broker
    hint_key: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    pending: bool = False
    made_at: float = 0.0
    renewed: Renewed | None = None

    def __repr__(self) -> str:  # a credential in a log line must give nothing away
        return f"Credential(device={self.device!r})"


def read_credential(data: Path) -> Credential | None:
    """The credential in the data folder, None when not enrolled. Raises `IdentityError`."""
    path = data / CREDENTIAL
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credential)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # never the content: it holds secrets
        raise IdentityError(
            f"{path} is damaged ({type(error).__name__}); enrol again with --again", damaged=path
        ) from error


def hint_key(data: Path) -> bytes:
    """The school's key for digests of hardware numbers; empty when not enrolled."""
    try:
        credential = read_credential(data)
    except IdentityError:
        return b""
    return bytes.fromhex(credential.hint_key) if credential else b""


def write_credential(data: Path, credential: Credential) -> None:
    """Atomically and readable by the agent alone. Raises `IdentityError`."""
    write_private(data / CREDENTIAL, msgspec.json.encode(credential))


def install_id(data: Path) -> str:
    """32 random hex digits, made once for this data folder. Raises `IdentityError`."""
    path = data / INSTALL_ID
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(text) == 32 and set(text) <= set("0123456789abcdef"):
        return text
    text = os.urandom(16).hex()
    write_private(path, text.encode())
    return text


def make_folder(data: Path) -> None:
    """The data folder, for the agent alone (0700 when made here). Raises `IdentityError`."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise IdentityError(f"{data}: {error.strerror or error}") from error


def write_private(path: Path, content: bytes) -> None:
    """Write the whole file or none of it, mode 0600, safe against a power cut. Raises `IdentityError`."""
    make_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _give(descriptor, path.parent)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror or error}") from error


def _give(descriptor: int, folder: Path) -> None:
    """To whom the folder belongs: what root writes there by hand, the service must be able to read."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
