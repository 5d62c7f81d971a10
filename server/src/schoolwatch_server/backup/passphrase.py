"""The file with the passphrase of the copies: named by the settings, or a credential of systemd.

Its path is all that travels: restic reads the file itself, so the passphrase stands in no argument, no
environment and no log.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from schoolwatch_server.backup.errors import BackupError

CREDENTIAL = "backup_passphrase"
SHORTEST = 16
"""Characters: a copy lies elsewhere, where somebody may try passphrases for years."""


def find(named: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The file; only its owner may read it. Raises `BackupError`."""
    credentials = environment.get("CREDENTIALS_DIRECTORY", "")
    if not named and not credentials:
        raise BackupError("no_passphrase", path="backup.passphrase_file")
    path = Path(named).absolute() if named else Path(credentials) / CREDENTIAL
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError("no_passphrase", path=path) from error
    if named and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BackupError("passphrase_mode", path=path)
    if len(text) < SHORTEST:
        raise BackupError("passphrase_short", path=path, least=SHORTEST)
    return path
