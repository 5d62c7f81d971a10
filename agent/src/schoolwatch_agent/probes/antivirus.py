"""Antivirus products: which there are, whether each runs, its real-time protection and its signatures.

On Linux these are looked for: ClamAV (its daemon, by its socket), Microsoft Defender for Endpoint,
Bitdefender, Cortex XDR, Kaspersky, ESET, SentinelOne. On Windows Security Center and Defender are asked.
What is sent are facts of each product; whether the machine is protected, the server judges.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import cim, linux_antivirus, security_center
from schoolwatch_agent.formats.product import Product
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_contract.records import Fact, Reading

_CLAMAV_PROGRAMS: Final = (
    "/usr/sbin/clamd",
    "/usr/local/sbin/clamd",
    "/usr/bin/clamscan",
    "/usr/local/bin/clamscan",
)
_CLAMD_CONFIGS: Final = ("/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf")
_CLAMD_SOCKETS: Final = (
    "/run/clamav/clamd.ctl",
    "/var/run/clamav/clamd.ctl",
    "/run/clamd.scan/clamd.sock",
    "/var/run/clamd.scan/clamd.sock",
    "/run/clamav/clamd.sock",
)
"""Debian's and Fedora's defaults, asked after the LocalSocket of clamd.conf. TCP sockets are not asked."""

BITDEFENDER: Final = "/opt/bitdefender-security-tools/bin/bduitool"
CORTEX: Final = "/opt/traps/bin/cytool"
SENTINELCTL: Final = "/opt/sentinelone/bin/sentinelctl"
_ESET: Final = {"eea": "/opt/eset/eea/bin/upd", "efs": "/opt/eset/efs/bin/upd"}
"""Services of ESET's products for PCs and for servers, and the tool of each."""

_CLAMAV_SIGNATURES: Final = ("/var/lib/clamav/daily.cld", "/var/lib/clamav/daily.cvd")
"""What freshclam writes (Debian's and Fedora's folder): patched, and as it came."""


_DEFENDER: Final = r"SOFTWARE\Policies\Microsoft\Windows Defender"
POLICIES: Final = {
    "DisableAntiSpyware": _DEFENDER,
    "DisableRealtimeMonitoring": _DEFENDER + r"\Real-Time Protection",
}
"""Values below HKEY_LOCAL_MACHINE by which group policy switches Defender off; the second key has a space."""

_POLICY_PARTS: Final = {"whole": "DisableAntiSpyware", "realtime": "DisableRealtimeMonitoring"}
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
        for scan, age in (product.scans or {}).items():
            yield Reading("antivirus.scan_age", age, {**labels, "scan": scan})
            if age is None:
                yield Fact("antivirus.scan", None, {**labels, "scan": scan}, "never")


def parse_windows(
    found: security_center.Found, policies: dict[str, int | str | None]
) -> Iterator[Reading | Fact]:
    """As `parse`, with what became of each source, what group policy says, and what Defender found."""
    yield from parse(found.products, counted=found.counted)
    for source, reason in found.sources.items():
        yield Fact("antivirus.source", None if reason else "answered", {"source": source}, reason)
    disabled = {name: cim.flag(value) for name, value in policies.items()}
    for part, name in _POLICY_PARTS.items():
        # without the value no policy disables it
        off = False if policies.get(name) is None else disabled[name]
        yield Reading("antivirus.disabled_by_policy", _number(off), {"product": "defender", "part": part})
    labels = {"product": "defender"}
    known = found.threats is not None
    yield Reading("antivirus.detections", float(found.detections) if known else None, labels)
    newest = sorted((found.threats or {}).items(), key=lambda item: (-item[1], item[0]))
    for threat, at in newest[:THREATS_MAX]:
        yield Fact("antivirus.threat", _day(at), {**labels, "threat": threat})


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
        return parse_windows(found, {name: host.registry(key, name) for name, key in POLICIES.items()})
    asked = (
        clamav(host),
        _mdatp(host),
        _bitdefender(host),
        _cortex(host),
        _kesl(host),
        *(_eset(host, service) for service in _ESET),
        _sentinelone(host),
    )
    return parse(tuple(product for product in asked if product is not None), counted=True)


def clamav(host: Host) -> Product | None:
    """None when it is not installed; a daemon that is not there or does not answer does not run.

    When it can't be asked, its signatures are as old as what freshclam wrote last.
    """
    if not any(host.exists(path) for path in _CLAMAV_PROGRAMS):
        return None
    answer = _clamd(host)
    if not isinstance(answer, str):
        return Product("clamav", "ClamAV", running=answer, realtime=answer, signature_age=_written(host))
    version, signatures, age = linux_antivirus.clamd_version(answer, host.now())
    return Product(
        "clamav", "ClamAV", version, signatures, running=True, realtime=_clamonacc(host), signature_age=age
    )


def _clamd(host: Host) -> str | bool | None:
    """VERSION's answer of the first daemon that answers PING; False when none does, None if forbidden."""
    found: bool | None = False
    for path in _sockets(host):
        try:
            answer = host.ask(path, b"zPING\0")
            if answer.strip(b"\0\n") != b"PONG":
                raise NotUnderstood("not clamd's PONG", answer[:80])
            return host.ask(path, b"zVERSION\0").decode("utf-8", "replace")
        except PermissionError:
            found = None
        except (OSError, TimedOut):
            continue
    return found


def _sockets(host: Host) -> tuple[str, ...]:
    configured = []
    for path in _CLAMD_CONFIGS:
        try:
            configured.append(linux_antivirus.local_socket(host.text(path)))
        except OSError:
            continue
    return tuple(dict.fromkeys(path for path in (*configured, *_CLAMD_SOCKETS) if path))


def _written(host: Host) -> float | None:
    ages = []
    for path in _CLAMAV_SIGNATURES:
        with suppress(OSError, TimedOut):
            ages.append(host.now() - host.modified(path))
    return next((age for age in sorted(ages) if age >= 0), None)  # the clock may have been set back


def _clamonacc(host: Host) -> bool | None:
    """On-access scanning is a process of its own beside clamd (clamonacc(8))."""
    try:
        return bool(host.run("pgrep", "-x", "clamonacc", timeout=5).strip())
    except CommandFailed as error:
        return False if error.code == 1 else None
    except (Missing, TimedOut):
        return None


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
    return None if product is None else replace(product, running=_service(host, "kesl.service"))


def _eset(host: Host, service: str) -> Product | None:
    def ask() -> Product:
        version = host.run(_ESET[service], "-version")
        return linux_antivirus.eset(version, host.run(_ESET[service], "--list-modules"), host.now())

    product = _tool(ask, Product(*linux_antivirus.ESET[service]))
    return None if product is None else replace(product, running=_service(host, f"{service}.service"))


def _sentinelone(host: Host) -> Product | None:
    def ask() -> Product:
        return linux_antivirus.sentinelone(
            host.run(SENTINELCTL, "version"), host.run(SENTINELCTL, "control", "status")
        )

    return _tool(ask, Product("sentinelone", "SentinelOne"))


def _service(host: Host, unit: str) -> bool | None:
    """`systemctl is-active` ends with 3 for a unit that is known and does not run (systemctl(1))."""
    try:
        return host.run("systemctl", "is-active", unit).strip() == "active"
    except CommandFailed as error:
        return False if error.code == 3 else None
    except (Missing, TimedOut):
        return None


def _tool(ask: Callable[[], Product], unknown: Product) -> Product | None:
    """None when the tool is not installed; one that fails or hangs leaves its product unknown."""
    try:
        return ask()
    except Missing:
        return None
    except CommandFailed as error:
        return replace(unknown, trouble=f"ended with {error.code}")
    except TimedOut:
        return replace(unknown, trouble="timeout")
    except NotUnderstood:
        return replace(unknown, trouble="not understood")


PROBE = Probe(
    "antivirus",
    every=60,  # a watched verdict: on a PC that measures each 5 minutes, each cycle
    read=read,
    watched=frozenset({"antivirus.products", "antivirus.running", "antivirus.realtime", "antivirus.mode"}),
)
