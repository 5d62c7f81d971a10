"""Activation of Windows and Office, from SoftwareLicensingProduct (posture.ps1).

LicenseStatus is 0 Unlicensed, 1 Licensed, 2 OOBGrace, 3 OOTGrace, 4 NonGenuineGrace, 5 Notification,
6 ExtendedGrace (Microsoft, "SoftwareLicensingProduct class"). Whoever activated it need not own a licence,
so 1 is called activated and nothing more. slmgr's text is not read: it has the machine's language.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.product import slug
from schoolwatch_contract.records import Fact, Reading

_STATES: Final = (
    "not activated",
    "activated",
    "initial grace",
    "additional grace",
    "non-genuine grace",
    "notification",
    "extended grace",
)
_APPLICATIONS: Final = {
    "55c92734-d682-4d71-983e-d6ec3f16059f": "windows",
    "0ff1ce15-a989-479d-af46-f275c6370663": "office",
    "59a52881-a989-479d-af46-f275c6370663": "office",  # Office 2010
}


def parse(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """One product a key that is entered; a machine without Office says nothing of it."""
    rows, reason = cim.part(found, "licences")
    keyed = {label: row for row in rows if (label := _labels(row))}
    if not any(label[0] == "windows" for label in keyed):
        labels = {"product": "windows", "edition": "unknown"}
        yield Reading("activation.activated", None, labels)
        yield Fact("activation.state", None, labels, reason or "not reported")
    for (product, edition), row in sorted(keyed.items()):
        yield from _product({"product": product, "edition": edition}, row)


def _labels(row: dict[str, Any]) -> tuple[str, str] | None:
    product = _APPLICATIONS.get((cim.text(row.get("ApplicationID")) or "").lower())
    if product is None:
        return None
    name = cim.text(row.get("Name")) or ""
    if cim.flag(row.get("LicenseIsAddon")) or "ESU" in name:
        product = "esu" if "ESU" in name else f"{product} add-on"
    return product, slug(cim.text(row.get("LicenseFamily")) or name or "unknown")


def _product(labels: dict[str, str], row: dict[str, Any]) -> Iterator[Reading | Fact]:
    status = cim.whole(row.get("LicenseStatus"))
    known = status is not None and status < len(_STATES)
    yield Reading("activation.activated", float(status == 1) if known else None, labels)
    state = _STATES[status] if status is not None and known else None
    yield Fact("activation.state", state, labels, "" if known else "not reported")
    minutes = cim.number(row.get("GracePeriodRemaining"))
    if minutes:  # 0 is also what an activation without end says
        yield Reading("activation.grace", minutes * 60, labels)
    if channel := cim.text(row.get("ProductKeyChannel")):
        yield Fact("activation.channel", channel[:64], labels)
