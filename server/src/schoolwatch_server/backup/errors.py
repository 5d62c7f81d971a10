"""What can keep a copy from being made or put back, each with a text that says what to do."""

from typing import Literal

Trouble = Literal[
    "no_target",
    "bad_target",
    "no_program",
    "no_passphrase",
    "passphrase_mode",
    "passphrase_short",
    "passphrase_wrong",
    "unreachable",
    "host_key",
    "login",
    "unwritable",
    "disk_full",
    "no_space",
    "no_repository",
    "gone",
    "no_backup",
    "which_backup",
    "locked",
    "running",
    "damaged",
    "not_ours",
    "newer",
    "differs",
    "not_empty",
    "not_owner",
    "database_full",
    "no_key",
    "upgrade_failed",
    "no_upgrade",
    "in_use",
    "lists",
    "lists_damaged",
    "lists_lacking",
    "database",
    "died",
    "crashed",
    "other",
]


class BackupError(Exception):
    """It could not be done; `trouble` names the text `backup.error.…` and `values` fill its places."""

    def __init__(self, trouble: Trouble, **values: object) -> None:
        super().__init__(f"{trouble}: {', '.join(f'{k}={v}' for k, v in values.items())}")
        self.trouble: Trouble = trouble
        self.values = {name: " ".join(str(value).split())[:300] for name, value in values.items()}
