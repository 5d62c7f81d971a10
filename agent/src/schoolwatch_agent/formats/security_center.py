"""Windows Security Center and Microsoft Defender, out of what antivirus.ps1 prints.

productState is not documented by Microsoft; third parties agree on its low 16 bits: state & 0xF000 (0x0000
off, 0x1000 on, 0x2000 snoozed, 0x3000 expired), owner & 0x0F00 (0x0100 Microsoft), signatures & 0x00F0
(0x00 current, 0x10 outdated). It is not the order of WSC_SECURITY_PRODUCT_STATE in the official API.
Windows Server has no Security Center (0x8004100e, invalid namespace): Defender alone speaks there.
"""

from dataclasses import replace
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.product import Product, slug

_STATES: Final = {0x0000: "off", 0x1000: "on", 0x2000: "snoozed", 0x3000: "expired"}
_SIGNATURES: Final = {0x00: True, 0x10: False}
_MICROSOFT: Final = 0x0100
_MODES: Final = {
    "normal": True,
    "passive": False,
    "passive mode": False,
    "sxs passive mode": False,
    "edr block mode": False,
    "edr blocked mode": False,
    "edr over passive": False,
    "not running": False,
}
"""AMRunningMode in lower case, to whether Defender is the machine's antivirus; others are unknown."""

_DAY: Final = 86400.0


class Found(msgspec.Struct, frozen=True):
    """Products, and whether all there are would be among them."""

    products: tuple[Product, ...]
    counted: bool


def parse(found: dict[str, Any], now: float) -> Found:
    """Security Center's products, merged by name, with Defender's own word about itself."""
    if not {"products", "products_error", "defender", "defender_error"} & found.keys():
        raise NotUnderstood("not antivirus.ps1's answer", found)
    registered = _merged(cim.objects(found.get("products")))
    status = next(iter(cim.objects(found.get("defender"))), None)
    defender = None if status is None else _defender(status, now)
    products = [product for product in registered if defender is None or product.id != "defender"]
    if defender is not None:
        center = next((product for product in registered if product.id == "defender"), None)
        products.append(defender if center is None else _completed(defender, center))
    # without Security Center, as on a server, other makers' products would not be seen
    return Found(tuple(products), counted=cim.text(found.get("products_error")) is None)


def _merged(rows: list[dict[str, Any]]) -> list[Product]:
    """One product a name: an entry whose program is gone is stale; of the rest the newest speaks."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if cim.text(row.get("displayName")):
            by_id.setdefault(_id(row), []).append(row)
    merged = []
    for label, entries in by_id.items():
        alive = [entry for entry in entries if cim.flag(entry.get("present")) is not False]
        if alive:  # every program of it is gone: it was uninstalled and left its entries behind
            merged.append(_registered(label, max(alive, key=_rank)))
    return merged


def _rank(row: dict[str, Any]) -> tuple[float, bool]:
    written = cim.text(row.get("timestamp"))
    return _timestamp(written) or 0.0, _state(row) == "on"


def _timestamp(written: str | None) -> float | None:
    """`Tue, 21 Nov 2023 03:12:45 GMT`, in English whatever the language; a text of no date ranks last."""
    from email.utils import parsedate_to_datetime

    try:
        return None if written is None else parsedate_to_datetime(written).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _id(row: dict[str, Any]) -> str:
    number = cim.number(row.get("productState"))
    exe = (cim.text(row.get("pathToSignedProductExe")) or "").lower()
    if exe.startswith("windowsdefender:") or (number is not None and int(number) & 0x0F00 == _MICROSOFT):
        return "defender"
    return slug(str(row["displayName"]))


def _state(row: dict[str, Any]) -> str | None:
    number = cim.number(row.get("productState"))
    return None if number is None else _STATES.get(int(number) & 0xF000)


def _registered(label: str, row: dict[str, Any]) -> Product:
    state, number = _state(row), cim.number(row.get("productState"))
    on = None if state is None else state == "on"
    return Product(
        id=label,
        name=str(row["displayName"]).strip()[:128],
        running=on,
        realtime=on,  # what Security Center calls on is real-time protection
        signatures_current=None if number is None else _SIGNATURES.get(int(number) & 0x00F0),
        mode=state,
    )


def _defender(status: dict[str, Any], now: float) -> Product:
    """MSFT_MpComputerStatus. AMRunningMode came late; before it AntivirusEnabled says the same."""
    mode = cim.text(status.get("AMRunningMode"))
    enabled, service = cim.flag(status.get("AntivirusEnabled")), cim.flag(status.get("AMServiceEnabled"))
    running = enabled if mode is None else _MODES.get(mode.lower())
    if running and False in (enabled, service):
        running = False
    realtime = cim.flag(status.get("RealTimeProtectionEnabled"))
    outdated = cim.flag(status.get("DefenderSignaturesOutOfDate"))
    return Product(
        id="defender",
        name="Microsoft Defender Antivirus",
        version=_version(status.get("AMProductVersion")),
        signature_version=_version(status.get("AntivirusSignatureVersion")),
        running=running,
        realtime=False if running is False else realtime,
        signatures_current=None if outdated is None else not outdated,
        signature_age=_signature_age(status, now),
        mode=mode,
    )


def _signature_age(status: dict[str, Any], now: float) -> float | None:
    updated = cim.instant(status.get("AntivirusSignatureLastUpdated"))
    if updated is not None and updated <= now + _DAY:
        return round(max(now - updated, 0.0))
    days = cim.number(status.get("AntivirusSignatureAge"))
    return None if days is None or days >= 65535 else days * _DAY  # 65535: never, in older versions


def _version(value: object) -> str | None:
    """A version; Defender writes 0.0.0.0 for none."""
    text = cim.text(value)
    return None if text is None or not text.strip("0.") else text[:128]


def _completed(defender: Product, center: Product) -> Product:
    """Defender's own word first; what it leaves open, Security Center tells; the name stays as shown."""
    return replace(
        defender,
        name=center.name,
        running=center.running if defender.running is None and defender.mode is None else defender.running,
        realtime=center.realtime if defender.realtime is None else defender.realtime,
        signatures_current=(
            center.signatures_current if defender.signatures_current is None else defender.signatures_current
        ),
    )
