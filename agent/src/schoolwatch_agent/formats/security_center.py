"""Windows Security Center and Microsoft Defender, out of what antivirus.ps1 prints.

productState is not documented by Microsoft; third parties agree on its low 16 bits: state & 0xF000 (0x0000
off, 0x1000 on, 0x2000 snoozed, 0x3000 expired), owner & 0x0F00 (0x0100 Microsoft), signatures & 0x00F0
(0x00 current, 0x10 outdated). It is not the order of WSC_SECURITY_PRODUCT_STATE in the official API.
Windows Server has no Security Center (0x8004100e, invalid namespace): Defender alone speaks there.
"""

import re
from typing import Any, Final

import msgspec
from msgspec.structs import replace

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


_SERVICES: Final = (
    (r"AVP.*|KAVFS", "Kaspersky"),
    (r"ekrn", "ESET"),
    (r"SepMasterService", "Symantec Endpoint Protection"),
    (r"McShield", "Trellix (McAfee)"),
    (r"SAVService|Sophos Endpoint Defense Service", "Sophos"),
    (r"ntrtscan|TmCCSF", "Trend Micro"),
    (r"EPSecurityService|VSSERV", "Bitdefender"),
    (r"CSFalconService", "CrowdStrike Falcon"),
    (r"SentinelAgent", "SentinelOne"),
    (r"avast! Antivirus", "Avast"),
    (r"AVG Antivirus", "AVG"),
    (r"AntiVirService", "Avira"),
    (r"MBAMService", "Malwarebytes"),
    (r"BkavService", "Bkav"),
    (r"CMCCore", "CMC"),
)
"""Service names, as antivirus.ps1 asks for them, to makers. They speak where there is no Security Center.

Management agents (klnagent, mfemms, FSMA) are left out: they run on when the antivirus is stopped or gone.
"""

_PROVIDERS: Final = {
    1: "firewall",
    2: "updates",
    4: "antivirus",
    8: "antispyware",
    16: "internet settings",
    32: "user account control",
    64: "service",
}
_SELF_UPDATE: Final = 86400.0
"""Seconds between the times of two entries of one product, below which both are of today."""


class ProductState(msgspec.Struct, frozen=True):
    """productState decoded; None is a nibble that nobody has explained."""

    providers: tuple[str, ...]
    state: str | None
    microsoft: bool
    current: bool | None


def decode(number: int) -> ProductState:
    """0xPPSSDD: provider bits, state with owner, definitions."""
    bits = number >> 16 & 0xFF
    return ProductState(
        tuple(name for bit, name in _PROVIDERS.items() if bits & bit),
        _STATES.get(number & 0xF000),
        number & 0x0F00 == _MICROSOFT,
        _SIGNATURES.get(number & 0x00F0),
    )


class Found(msgspec.Struct, frozen=True):
    """Products; whether all there are would be among them; why a source did not answer ("": it did);
    threats that Defender found in the last week, each with its newest time, None where no date is one."""

    products: tuple[Product, ...]
    counted: bool
    sources: dict[str, str]
    threats: dict[str, float | None] | None
    detections: int = 0


def parse(found: dict[str, Any], now: float) -> Found:
    """Security Center's products, merged by name, with Defender's own word about itself."""
    if not {"products", "products_error", "defender", "defender_error"} & found.keys():
        raise NotUnderstood("not antivirus.ps1's answer", found)
    rows, no_center = cim.part(found, "products")
    statuses, no_defender = cim.part(found, "defender")
    services, no_services = cim.part(found, "services")
    if not statuses and not no_defender:
        no_defender = "not reported"
    registered = [
        replace(product, trouble=no_defender) if product.id == "defender" and no_defender else product
        for product in _merged(rows)
    ]
    if no_center:
        registered = _by_service(services, no_defender)
    defender = _defender(statuses[0], now) if statuses else None
    products = [product for product in registered if defender is None or product.id != "defender"]
    if defender is not None:
        center = next((product for product in registered if product.id == "defender"), None)
        products.append(defender if center is None else _completed(defender, center))
    detections, threats = _threats(found, now)
    sources = {"security center": no_center, "defender": no_defender, "services": no_services}
    # without Security Center, as on a server, other makers' products may not be seen
    return Found(tuple(products), not no_center, sources, threats, detections)


def _by_service(services: list[dict[str, Any]], no_defender: str) -> list[Product]:
    """Products whose service is installed; of Defender's only when it did not answer for itself."""
    found: dict[str, Product] = {}
    for row in services:
        service, running = cim.text(row.get("Name")) or "", cim.flag(row.get("running"))
        maker = next((maker for names, maker in _SERVICES if re.fullmatch(f"(?i){names}", service)), None)
        if maker is not None:
            before = found.get(maker)
            # where one of two services is stopped, nothing says which of them protects
            agreed = running if before is None or before.running is running else None
            found[maker] = Product(slug(maker), maker, running=agreed, trouble="seen by its service alone")
        elif service.lower() == "windefend" and no_defender:
            stopped = False if running is False else None  # it also runs in passive mode
            found[service] = Product(
                "defender",
                "Microsoft Defender Antivirus",
                running=stopped,
                realtime=stopped,
                trouble=no_defender,
            )
    return list(found.values())


def _threats(found: dict[str, Any], now: float) -> tuple[int, dict[str, float | None] | None]:
    rows, reason = cim.part(found, "detections")
    if reason == "never":
        return 0, {}
    if reason:
        return 0, None
    newest: dict[str, float | None] = {}
    for row in rows:  # of the last week: Windows was asked for no others
        at, _ = cim.moment(row.get("at"), now)
        threat = (cim.text(row.get("threat")) or "unnamed")[:128]
        known = [when for when in (at, newest.get(threat)) if when is not None]
        newest[threat] = max(known, default=None)
    return len(rows), newest


def _merged(rows: list[dict[str, Any]]) -> list[Product]:
    """One product a name: an entry whose program is gone is stale; of the rest the newest speaks.

    A product that updates itself leaves two entries of the same day, of which one is on and the other
    current: such entries speak together.
    """
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if cim.text(row.get("displayName")):
            by_id.setdefault(_id(row), []).append(row)
    merged = []
    for label, entries in by_id.items():
        alive = [entry for entry in entries if cim.flag(entry.get("present")) is not False]
        if alive:  # every program of it is gone: it was uninstalled and left its entries behind
            newest = max(map(_written, alive))
            recent = [entry for entry in alive if _written(entry) >= newest - _SELF_UPDATE]
            merged.append(_together([_registered(label, entry) for entry in recent]))
    return merged


def _together(entries: list[Product]) -> Product:
    """One product of its entries of one day."""
    speaks = next((entry for entry in entries if entry.running), entries[0])
    current = [entry.signatures_current for entry in entries]
    return replace(speaks, signatures_current=True if True in current else speaks.signatures_current)


def _written(row: dict[str, Any]) -> float:
    return _timestamp(cim.text(row.get("timestamp"))) or 0.0


def _timestamp(written: str | None) -> float | None:
    """`Tue, 21 Nov 2023 03:12:45 GMT`, in English whatever the language; a text of no date ranks last."""
    from email.utils import parsedate_to_datetime

    try:
        return None if written is None else parsedate_to_datetime(written).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _id(row: dict[str, Any]) -> str:
    number = cim.whole(row.get("productState"))
    exe = (cim.text(row.get("pathToSignedProductExe")) or "").lower()
    if exe.startswith("windowsdefender:") or (number is not None and decode(number).microsoft):
        return "defender"
    return slug(str(row["displayName"]))


def _registered(label: str, row: dict[str, Any]) -> Product:
    number = cim.whole(row.get("productState"))
    told = ProductState((), None, microsoft=False, current=None) if number is None else decode(number)
    on = None if told.state is None else told.state == "on"
    return Product(
        id=label,
        name=str(row["displayName"]).strip()[:128],
        running=on,
        realtime=on,  # what Security Center calls on is real-time protection
        signatures_current=told.current,
        mode=told.state,
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
        tamper_protected=cim.flag(status.get("IsTamperProtected")),
        scans=None if running is False else _scans(status, now),
    )


def _scans(status: dict[str, Any], now: float) -> dict[str, tuple[float | None, str]]:
    """Seconds since the last scan of each kind, or why not. FullScanAge is 4294967295 for never."""
    ended = {
        kind.lower(): cim.moment(status[f"{kind}ScanEndTime"], now)
        for kind in ("Quick", "Full")
        if f"{kind}ScanEndTime" in status
    }
    return {
        kind: (None if at is None else round(max(now - at, 0.0)), why) for kind, (at, why) in ended.items()
    }


def _signature_age(status: dict[str, Any], now: float) -> float | None:
    updated, _ = cim.moment(status.get("AntivirusSignatureLastUpdated"), now)
    if updated is not None:
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
