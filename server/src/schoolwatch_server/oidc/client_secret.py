"""The secret by which the provider knows this server: a file of the settings, or a credential of systemd."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from schoolwatch_server.config import ConfigError

CREDENTIAL = "oidc_client_secret"


def read(named: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret; read anew each time, so that another one needs no restart. Raises `ConfigError`."""
    credentials = environment.get("CREDENTIALS_DIRECTORY", "")
    if not named and not credentials:
        raise ConfigError(
            "oidc.client_secret_file: is empty: write the provider's client secret into a file of mode 0600"
            f" and name it, or give it as systemd's credential {CREDENTIAL}"
        )
    path = Path(named) if named else Path(credentials) / CREDENTIAL
    try:
        mode = path.stat().st_mode
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"oidc.client_secret_file: {path}: can't be read: check the path and its mode"
        ) from error
    if named and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"oidc.client_secret_file: others may read {path}: chmod 600 {path}")
    if not secret or not secret.isprintable():
        raise ConfigError(
            f"oidc.client_secret_file: {path}: holds no secret: one line, as the provider shows it"
        )
    return secret
