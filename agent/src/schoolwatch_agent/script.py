"""A script of `scripts/` as it is handed to PowerShell on its command line."""

from base64 import b64encode
from importlib import resources
from typing import Final

_PREAMBLE: Final = (
    "$ErrorActionPreference='Stop';$ProgressPreference='SilentlyContinue';"
    "[Console]::OutputEncoding=[Text.Encoding]::UTF8;"
)


def encoded(script: str) -> str:
    """A script behind what all of them begin with (parts.ps1), without comments and indentation.

    Base 64 of UTF-16, as -EncodedCommand takes it; a command line of Windows has 32,767 characters.
    """
    folder = resources.files("schoolwatch_agent") / "scripts"
    source = "".join((folder / f"{name}.ps1").read_text("utf-8") for name in ("parts", script))
    lines = (line.strip() for line in source.splitlines())
    short = "\n".join(line for line in lines if line and not line.startswith("#"))
    return b64encode((_PREAMBLE + short).encode("utf-16-le")).decode()
