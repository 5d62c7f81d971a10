"""An antivirus product as far as a machine tells of it; None is what it does not tell."""

import re
import unicodedata

import msgspec


class Product(msgspec.Struct, frozen=True):
    """`id` is a stable label; `running` means at work as this machine's antivirus; ages in seconds.
    `trouble` is why there is no version; `scans` maps a kind to the seconds since its last one, or why not.
    """

    id: str
    name: str
    version: str | None = None
    signature_version: str | None = None
    running: bool | None = None
    realtime: bool | None = None
    signatures_current: bool | None = None
    signature_age: float | None = None
    mode: str | None = None
    trouble: str = "not reported"
    tamper_protected: bool | None = None
    scans: dict[str, tuple[float | None, str]] | None = None


def slug(name: str) -> str:
    """A label out of a product's name: "Kaspersky Endpoint Security" is kaspersky-endpoint-security."""
    plain = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    words = re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode().lower())
    if words:
        return "-".join(words)[:64]
    # a name without a Latin letter keeps its own: labels are UTF-8
    return re.sub(r"\s+", "-", name.strip().lower())[:64] or "unnamed"
