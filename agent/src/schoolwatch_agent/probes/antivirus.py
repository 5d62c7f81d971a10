"""Antivirus products: which there are, whether each runs, its real-time protection and its signatures.

On Linux these are looked for: ClamAV (its daemon), Microsoft Defender for Endpoint, Bitdefender, Cortex XDR,
Kaspersky, ESET, SentinelOne. One whose folder is closed to the agent may be there: then their number is
unknown. On Windows Security Center and Defender are asked.
What is sent are facts of each product; whether the machine is protected, the server judges.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from schoolwatch_agent import asked, clamd, sight
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut, why
from schoolwatch_agent.formats import cim, linux_antivirus, registry, security_center
from schoolwatch_agent.formats.product import Product
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading

BITDEFENDER: Final = "/opt/bitdefender-security-tools/bin/bduitool"
CORTEX: Final = "/opt/traps/bin/cytool"
SENTINELCTL: Final = "/opt/sentinelone/bin/sentinelctl"
_ESET: Final = {"eea": "/opt/eset/eea/bin/upd", "efs": "/opt/eset/efs/bin/upd"}
"""Services of ESET's products for PCs and for servers, and the tool of each."""

_DEFENDER: Final = r"SOFTWARE\Policies\Microsoft\Windows Defender"
POLICIES: Final = {
    "whole": (_DEFENDER, "DisableAntiSpyware"),
    "realtime": (_DEFENDER + r"\Real-Time Protection", "DisableRealtimeMonitoring"),
}
"""Values below HKEY_LOCAL_MACHINE by which group policy switches parts of Defender off: key and name."""
THREATS_MAX: Final = 20


def parse(products: tuple[Product, ...], *, counted: bool) -> Iterator[Reading | Fact]:
    """What is sent of each product; the number of them is unknown unless the whole list was seen."""
    yield Reading("antivirus.products", float(len(products)) if counted else None)
    for product in products:
        labels = {"product": product.id}
        yield Reading("antivirus.running", _number(product.running), labels)
        yield Reading("antivirus.realtime", _number(product.realtime), labels)
        yield Reading("antivirus.signature_age", product.signature_age, labels)
        if product.signatures_current is not None:
            yield Reading("antivirus.signatures_current", _number(product.signatures_current), labels)
        yield Fact("antivirus.name", product.name, labels)
        yield _fact("antivirus.version", product.version, labels, product.trouble)
        yield _fact("antivirus.signature_version", product.signature_version, labels, product.trouble)
        if product.mode is not None:
            yield Fact("antivirus.mode", product.mode[:128], labels)
        if product.tamper_protected is not None:
            yield Reading("antivirus.tamper_protected", _number(product.tamper_protected), labels)
        for scan, (age, reason) in (product.scans or {}).items():
            yield Reading("antivirus.scan_age", age, {**labels, "scan": scan})
            if age is None:
                yield Fact("antivirus.scan", None, {**labels, "scan": scan}, reason)


def parse_windows(found: security_center.Found, policies: registry.Values) -> Iterator[Reading | Fact]:
    """As `parse`, with what became of each source, what group policy says, and what Defender found."""
    yield from parse(found.products, counted=found.counted)
    for source, reason in found.sources.items():
        yield Fact("antivirus.source", None if reason else "answered", {"source": source}, reason)
    for part, value in policies.items():
        off = False if value is None else cim.flag(value)  # without the value no policy disables it
        yield Reading("antivirus.disabled_by_policy", _number(off), {"product": "defender", "part": part})
    unread = [value for value in policies.values() if value is not None and cim.flag(value) is None]
    for value in unread[:1]:
        yield Fact("antivirus.source", None, {"source": "disabled_by_policy"}, registry.why(value))
    labels = {"product": "defender"}
    known = found.threats is not None
    yield Reading("antivirus.detections", float(found.detections) if known else None, labels)
    newest = sorted((found.threats or {}).items(), key=lambda item: (-(item[1] or 0.0), item[0]))
    for threat, at in newest[:THREATS_MAX]:
        when = None if at is None else _day(at)
        yield Fact("antivirus.threat", when, {**labels, "threat": threat}, "" if when else "not understood")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(state: bool | None) -> float | None:
    return None if state is None else float(state)


def _fact(name: str, value: str | None, labels: dict[str, str], trouble: str) -> Fact:
    return Fact(name, value[:128], labels) if value else Fact(name, None, labels, trouble)


def read(host: Host) -> Iterator[Reading | Fact]:
    """Asks each product that is installed, or Windows' two sources at once."""
    if host.system == "windows":
        found = security_center.parse(cim.document(host.powershell("antivirus", timeout=60)), host.now())
        return parse_windows(found, asked.values(host, POLICIES))
    products, closed = _installed(host)
    return itertools.chain(
        parse(products, counted=not closed),
        (Fact("antivirus.source", None, {"source": name}, reason) for name, reason in closed.items()),
    )


def _installed(host: Host) -> tuple[tuple[Product, ...], dict[str, str]]:
    """The products that are there, and why of others that can't be said."""
    products, closed = [], {}
    for name, ask in _LINUX.items():
        try:
            if (product := ask(host)) is not None:
                products.append(product)
        except PermissionError as error:
            closed[name] = why(error)
    return tuple(products), closed


def _mdatp(host: Host) -> Product | None:
    unknown = Product("defender", "Microsoft Defender for Endpoint")
    return _tool(
        lambda: linux_antivirus.mdatp(
            host.run("mdatp", "health", "--output", "json", timeout=20), host.now()
        ),
        unknown,
    )


def _bitdefender(host: Host) -> Product | None:
    unknown = Product("bitdefender", "Bitdefender Endpoint Security Tools")
    return _tool(
        lambda: linux_antivirus.bitdefender(host.run(BITDEFENDER, "get", "ps", timeout=20), host.now()),
        unknown,
    )


def _cortex(host: Host) -> Product | None:
    def ask() -> Product:
        info = host.run(CORTEX, "info")
        return linux_antivirus.cortex(
            info, host.run(CORTEX, "runtime", "query"), host.run(CORTEX, "info", "query")
        )

    return _tool(ask, Product("cortex", "Cortex XDR"))


def _kesl(host: Host) -> Product | None:
    unknown = Product("kaspersky", "Kaspersky Endpoint Security for Linux")
    product = _tool(
        lambda: linux_antivirus.kesl(host.run("kesl-control", "--app-info", timeout=20), host.now()), unknown
    )
    return None if product is None else replace(product, running=asked.service(host, "kesl.service"))


def _eset(host: Host, service: str) -> Product | None:
    def ask() -> Product:
        version = host.run(_ESET[service], "-version")
        return linux_antivirus.eset(version, host.run(_ESET[service], "--list-modules"), host.now())

    product = _tool(ask, Product(*linux_antivirus.ESET[service]))
    return None if product is None else replace(product, running=asked.service(host, f"{service}.service"))


def _sentinelone(host: Host) -> Product | None:
    def ask() -> Product:
        return linux_antivirus.sentinelone(
            host.run(SENTINELCTL, "version"), host.run(SENTINELCTL, "control", "status")
        )

    return _tool(ask, Product("sentinelone", "SentinelOne"))


def _tool(ask: Callable[[], Product], unknown: Product) -> Product | None:
    """None when the tool is not installed; one that fails or hangs leaves its product unknown."""
    try:
        return ask()
    except Missing:
        return None
    except CommandFailed as error:
        refused = error.code == sight.REFUSED
        return replace(unknown, trouble="not permitted" if refused else f"ended with {error.code}")
    except TimedOut:
        return replace(unknown, trouble="timeout")
    except NotUnderstood:
        return replace(unknown, trouble="not understood")


_LINUX: Final[dict[str, Callable[[Host], Product | None]]] = {
    "clamav": clamd.clamav,
    "defender": _mdatp,
    "bitdefender": _bitdefender,
    "cortex": _cortex,
    "kaspersky": _kesl,
    "eset": partial(_eset, service="eea"),
    "eset-server": partial(_eset, service="efs"),
    "sentinelone": _sentinelone,
}
