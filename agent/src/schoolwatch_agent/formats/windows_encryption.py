"""BitLocker, from Win32_EncryptableVolume (posture.ps1); administrators alone may ask.

ProtectionStatus: 0 off, 1 on, 2 unknown, as of a locked volume. ConversionStatus of GetConversionStatus:
0 fully decrypted to 5 decryption paused. VolumeType: 0 system, 1 fixed data, 2 removable.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_contract.records import Fact, Reading

_STATES: Final = (
    "decrypted",
    "encrypted",
    "encrypting",
    "decrypting",
    "encryption paused",
    "decryption paused",
)
_KINDS: Final = ("system", "data", "removable")


def parse(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """One volume a drive letter; none at all is unknown, with the reason."""
    rows, reason = cim.part(found, "volumes")
    named = {name[:16]: row for row in rows if (name := cim.text(row.get("volume")))}
    if not named:
        labels = {"volume": "unknown"}
        yield Reading("encryption.enabled", None, labels)
        yield Fact("encryption.state", None, labels, reason or "not reported")
    for name, row in named.items():
        labels = {"volume": name}
        status, conversion = cim.whole(row.get("protection")), cim.whole(row.get("conversion"))
        on = {0: 0.0, 1: 1.0}.get(-1 if status is None else status)
        yield Reading("encryption.enabled", on, labels)
        known = conversion is not None and conversion < len(_STATES)
        state = _STATES[conversion] if conversion is not None and known else None
        yield Fact("encryption.state", state, labels, "" if known else _why(status))
        yield Fact("encryption.volume_kind", _kind(row), labels)


def _why(status: int | None) -> str:
    return "locked" if status == 2 else "not reported"


def _kind(row: dict[str, Any]) -> str:
    if cim.flag(row.get("system")):
        return "system"
    kind = cim.whole(row.get("type"))
    return _KINDS[kind] if kind is not None and kind < len(_KINDS) else "data"
