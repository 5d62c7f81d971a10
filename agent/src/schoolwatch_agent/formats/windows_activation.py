"""Activation of Windows and Office, from SoftwareLicensingProduct (posture.ps1) and Click-to-Run's own list.

LicenseStatus is 0 Unlicensed, 1 Licensed, 2 OOBGrace, 3 OOTGrace, 4 NonGenuineGrace, 5 Notification,
6 ExtendedGrace; PartialProductKey is NULL where no key is entered, and such rows are not asked for
(Microsoft, "SoftwareLicensingProduct class"). Each key that is entered has its own row: which of several
speaks for the program is not documented, so keys that differ are counted, and nothing is concluded.
Microsoft 365 Apps since version 1910 keep their activation for each user and not there (Microsoft, "Check the
license and activation status for Microsoft 365 Apps"): ProductReleaseIds tells that they are installed.
Whoever activated it need not own a licence, so 1 is called activated and nothing more. slmgr's text is not
read: it has the machine's language.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.product import slug
from schoolwatch_agent.formats.registry import Unread, Value
from schoolwatch_contract.records import Fact, Reading

CLICK_TO_RUN: Final = (r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration", "ProductReleaseIds")
"""Below HKEY_LOCAL_MACHINE: the installed products of Office, as `O365ProPlusRetail,VisioProRetail`."""

SUBSCRIBED: Final = "subscription of each user"
DIFFERENT: Final = "keys that differ"
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
_SUBSCRIPTION: Final = r"(?i)o365"
"""In the names of all products of Microsoft 365: O365ProPlusRetail, Office16O365ProPlusR_Grace."""

Rows = list[dict[str, Any]]


def parse(found: dict[str, Any], click_to_run: Value) -> Iterator[Reading | Fact]:
    """One product an edition with a key, and what Click-to-Run installed without one.

    A machine without Office says nothing of it.
    """
    rows, reason = cim.part(found, "licences")
    keyed: dict[tuple[str, str], Rows] = {}
    for row in rows:
        if label := _labels(row):
            keyed.setdefault(label, []).append(row)
    if not any(product == "windows" for product, _ in keyed):
        yield from _unknown("windows", "unknown", reason or "not reported")
    for (product, edition), entries in sorted(keyed.items()):
        yield from _product({"product": product, "edition": edition}, entries)
    office = [row for (product, _), entries in keyed.items() if product == "office" for row in entries]
    yield from _click_to_run(click_to_run, office, reason)


def _labels(row: dict[str, Any]) -> tuple[str, str] | None:
    product = _APPLICATIONS.get((cim.text(row.get("ApplicationID")) or "").lower())
    if product is None:
        return None
    name = cim.text(row.get("Name")) or ""
    if cim.flag(row.get("LicenseIsAddon")) or "ESU" in name:
        product = "esu" if "ESU" in name else f"{product} add-on"
    return product, slug(cim.text(row.get("LicenseFamily")) or name or "unknown")


def _product(labels: dict[str, str], rows: Rows) -> Iterator[Reading | Fact]:
    states = [_state(row) for row in rows]
    agree = len(set(states)) == 1
    state, reason = states[0] if agree else (None, DIFFERENT)
    yield Reading("activation.activated", None if state is None else float(state == "activated"), labels)
    yield Fact("activation.state", state, labels, reason)
    if not agree:
        told = [state or "unknown" for state, _ in states]
        for each in sorted(set(told)):
            yield Reading("activation.keys", float(told.count(each)), {**labels, "state": each})
        return
    # 0 is also what an activation without end says
    minutes = [left for row in rows if (left := cim.number(row.get("GracePeriodRemaining")))]
    if minutes:
        yield Reading("activation.grace", min(minutes) * 60, labels)
    channels = {channel for row in rows if (channel := cim.text(row.get("ProductKeyChannel")))}
    if channels:
        yield Fact("activation.channel", ", ".join(sorted(channels))[:64], labels)


def _state(row: dict[str, Any]) -> tuple[str | None, str]:
    """A key's state, or why it is unknown: a key of Microsoft 365 that is not activated tells nothing."""
    status = cim.whole(row.get("LicenseStatus"))
    if status is None or status >= len(_STATES):
        return None, "not reported"
    if status != 1 and _is_subscription(row):
        return None, SUBSCRIBED
    return _STATES[status], ""


def _is_subscription(row: dict[str, Any]) -> bool:
    return re.search(_SUBSCRIPTION, f"{row.get('LicenseFamily')} {row.get('Name')}") is not None


def _click_to_run(installed: Value, office: Rows, reason: str) -> Iterator[Reading | Fact]:
    """Products of Office of which no key says anything; `office` are the rows of those that have one."""
    if installed in (None, ""):
        return
    listed = cim.text(installed)
    if listed is None:
        if not office:
            unread = installed.reason if isinstance(installed, Unread) else "not understood"
            yield from _unknown("office", "unknown", unread)
        return
    tells = any(_is_subscription(row) for row in office)
    for name in filter(None, (name.strip() for name in listed.split(","))):
        if re.search(_SUBSCRIPTION, name):
            if not tells:
                yield from _unknown("office", slug(name), SUBSCRIBED)
        elif not office:
            yield from _unknown("office", slug(name), reason or "not reported")


def _unknown(product: str, edition: str, reason: str) -> Iterator[Reading | Fact]:
    labels = {"product": product, "edition": edition}
    yield Reading("activation.activated", None, labels)
    yield Fact("activation.state", None, labels, reason)
