"""Whether the host firewall is on: ufw, firewalld, nftables and iptables, or Windows' three profiles.

nftables counts as on when a chain hooked to input has the policy drop, or drops or rejects somewhere, also
in a chain that it jumps to. Most of this may only be read by root; without it the state is unknown. What ufw
is set up to do, everybody may read: that is a source of its own, `ufw.conf`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut, why
from schoolwatch_agent.formats import cim, registry
from schoolwatch_agent.formats.registry import Value
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading

_REFUSED: Final = (
    "permission denied",
    "not permitted",
    "need to be root",
    "not authorized",
    "authorization failed",
)
_FIREWALLD_OFF: Final = 252
"""firewall-cmd's code for NOT_RUNNING (firewall-cmd(1))."""

_UFW: Final = ("/usr/sbin/ufw", "/sbin/ufw")
_UFW_CONF: Final = "/etc/ufw/ufw.conf"
_UFW_RULES: Final = ("iptables", "-L", "ufw-user-input", "-n")
_NO_CHAIN: Final = 1
"""What `ufw status` looks at itself: without that chain iptables ends with 1, and ufw says "inactive".

ufw is a Python program, and asking it takes twenty times as long as asking iptables.
"""

_ON_STATES: Final = 0x1000

WINDOWS_PROFILES: Final = ("domain", "private", "public")
WINDOWS_PLACES: Final[dict[str, tuple[str, dict[str, tuple[str, ...]]]]] = {
    "policy": (
        r"SOFTWARE\Policies\Microsoft\WindowsFirewall",
        {
            "domain": ("DomainProfile",),
            "private": ("PrivateProfile", "StandardProfile"),
            "public": ("PublicProfile",),
        },
    ),
    "local": (
        r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy",
        {"domain": ("DomainProfile",), "private": ("StandardProfile",), "public": ("PublicProfile",)},
    ),
}
"""Keys below HKEY_LOCAL_MACHINE and the names of the profiles there: "private" was "standard" once."""

_UNSET: Final = {"2": "not configured", "notconfigured": "not configured"}
"""The third value of GpoBoolean, as number and as name."""

Places = dict[tuple[str, str], Value]


def ufw_conf(text: str) -> bool:
    """`ENABLED=yes` of /etc/ufw/ufw.conf; the last one counts, without any it is off (ufw-framework(8))."""
    said = "no"
    for line in text.splitlines():
        key, _, value = line.partition("=")
        said = value.strip().strip("\"'").lower() if key == "ENABLED" else said
    if said not in ("yes", "no"):
        raise NotUnderstood("neither yes nor no in ufw.conf", said)
    return said == "yes"


def firewalld(state: str) -> bool:
    """`running` from `firewall-cmd --state`; when it is off the program ends with 252."""
    if state.strip() == "running":
        return True
    raise NotUnderstood("not what firewall-cmd prints", state)


def nftables(ruleset: str) -> bool:
    """`nft -j list ruleset` (libnftables-json(5))."""
    try:
        found = msgspec.json.decode(ruleset)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood("not JSON", ruleset) from error
    items = cim.objects(found.get("nftables")) if isinstance(found, dict) else []
    if not items:
        raise NotUnderstood("no nftables list", ruleset)
    rules: dict[tuple[str, str, str], list[Any]] = {}
    for rule in (item["rule"] for item in items if isinstance(item.get("rule"), dict)):
        rules.setdefault(_chain(rule, rule.get("chain")), []).append(rule.get("expr"))
    chains = [item["chain"] for item in items if isinstance(item.get("chain"), dict)]
    inputs = [chain for chain in chains if chain.get("hook") == "input"]
    return any(chain.get("policy") == "drop" or _drops(chain, rules) for chain in inputs)


def _chain(where: dict[str, Any], name: object) -> tuple[str, str, str]:
    return str(where.get("family")), str(where.get("table")), str(name)


def _drops(base: dict[str, Any], rules: dict[tuple[str, str, str], list[Any]]) -> bool:
    seen: set[tuple[str, str, str]] = set()
    todo = [_chain(base, base.get("name"))]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        for verdict in _verdicts(rules.get(here, [])):
            if "drop" in verdict or "reject" in verdict:
                return True
            jump = verdict.get("jump") or verdict.get("goto")
            if isinstance(jump, dict):
                todo.append((here[0], here[1], str(jump.get("target"))))
    return False


def _verdicts(expressions: list[Any]) -> Iterator[dict[str, Any]]:
    """Statements of all rules, and verdicts inside verdict maps; nftables nests no deeper than a few."""
    todo: list[Any] = list(expressions)
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            yield item
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def iptables(rules: str) -> bool:
    """`iptables -S`: the policy of INPUT is DROP, or a chain that INPUT leads to drops or rejects."""
    targets: dict[str, list[str]] = {}
    for fields in (line.split() for line in rules.splitlines()):
        if fields[:2] == ["-P", "INPUT"] and fields[2:3] == ["DROP"]:
            return True
        if fields[:1] == ["-A"] and len(fields) > 3 and {"-j", "-g"} & set(fields[:-1]):
            jump = next(index for index, field in enumerate(fields[:-1]) if field in ("-j", "-g"))
            targets.setdefault(fields[1], []).append(fields[jump + 1])
    seen: set[str] = set()
    todo = ["INPUT"]
    while todo:
        chain = todo.pop()
        if chain in ("DROP", "REJECT"):
            return True
        if chain not in seen:
            seen.add(chain)
            todo.extend(targets.get(chain, []))
    return False


def parse_windows(found: dict[str, Any], places: Places) -> Iterator[Reading | Fact]:
    """Each profile as it works (active), as group policy says it, and as it is set on the machine (local).

    Active is Get-NetFirewallProfile of the ActiveStore: Enabled is 0 off, 1 on, 2 not configured
    (GpoBoolean). FirewallProduct rows are other makers'. `places` holds values by `WINDOWS_PLACES`.
    """
    profiles, reason = cim.part(found, "profiles")
    told = {str(row.get("Name") or "").lower()[:32]: row.get("Enabled") for row in profiles}
    for name in (*dict.fromkeys((*WINDOWS_PROFILES, *told)),):
        on = told.get(name)
        unknown = reason or ("not reported" if on is None else _UNSET.get(str(on).lower(), "not understood"))
        yield from _records({"source": "active", "profile": name}, cim.flag(on), unknown)
    for (source, name), value in places.items():
        yield from _records({"source": source, "profile": name}, cim.flag(value), registry.why(value))
    services, reason = cim.part(found, "service")
    running = next((cim.flag(row.get("running")) for row in services), None)
    yield Reading("firewall.service_running", None if running is None else float(running))
    products, _ = cim.part(found, "products")
    others = {shown[:128]: row for row in products if (shown := cim.text(row.get("displayName")))}
    for maker, row in others.items():
        number = cim.whole(row.get("productState"))
        on = None if number is None else number & 0xF000 == _ON_STATES
        yield from _records({"source": maker}, on, "not reported")


def windows_registry(host: Host) -> Places:
    """EnableFirewall of each profile, below group policy's key and below the machine's own."""
    found: Places = {}
    for source, (key, names) in WINDOWS_PLACES.items():
        for profile, spellings in names.items():
            values = [asked.value(host, rf"{key}\{spelling}", "EnableFirewall") for spelling in spellings]
            found[source, profile] = next((value for value in values if value is not None), None)
    return found


def _records(labels: dict[str, str], state: bool | None, reason: str) -> Iterator[Reading | Fact]:
    yield Reading("firewall.enabled", None if state is None else float(state), labels)
    said = None if state is None else "on" if state else "off"
    yield Fact("firewall.state", said, labels, "" if said else reason)


_Ask = tuple[str, tuple[str, ...], Callable[[str], bool], int]
_LINUX: Final[tuple[_Ask, ...]] = (
    ("firewalld", ("firewall-cmd", "--state"), firewalld, _FIREWALLD_OFF),
    ("nftables", ("nft", "-j", "list", "ruleset"), nftables, 0),
)


def read(host: Host) -> Iterator[Reading | Fact]:
    """Asks each program that is installed; a machine with none of them has no firewall."""
    if host.system == "windows":
        yield from parse_windows(asked.script(host, "firewall", 30), windows_registry(host))
        return
    here = []
    if any(host.exists(program) for program in _UFW):
        here.append("ufw")
        yield from _records({"source": "ufw"}, *_ufw(host))
        yield from _configured(host)
    for source, argv, parse, off in _LINUX:
        try:
            state, reason = _ask(host, argv, parse, off)
        except Missing:
            continue
        here.append(source)
        yield from _records({"source": source}, state, reason)
    # nft does not see rules of the old kernel interface, and may not be installed beside iptables
    tool = "iptables-legacy" if _has_legacy_rules(host) else "iptables"
    if tool == "iptables" and "nftables" in here:
        return
    try:
        state, reason = _ask(host, (tool, "-S"), iptables)
    except Missing:
        if not here:
            yield from _records({"source": "none"}, False, "")
        return
    yield from _records({"source": "iptables"}, state, reason)


def _is_root(host: Host) -> bool:
    """`Uid: 0 0 0 0` (proc(5)). Who can't be told from root is taken for it, and what is asked refuses."""
    try:
        status = host.text("/proc/self/status")
    except (OSError, TimedOut):
        return True
    return not re.search(r"(?m)^Uid:\s+[1-9]", status)


def _ufw(host: Host) -> tuple[bool | None, str]:
    """Whether ufw's own chain is loaded; only root may see that."""
    if not _is_root(host):
        return None, "not permitted"
    try:
        return _ask(host, _UFW_RULES, lambda _: True, off=_NO_CHAIN)
    except Missing:
        return None, "not on this system"


def _configured(host: Host) -> Iterator[Reading | Fact]:
    try:
        state, reason = ufw_conf(host.text(_UFW_CONF)), ""
    except FileNotFoundError:
        return
    except OSError as error:
        state, reason = None, why(error)
    except TimedOut:
        state, reason = None, "timeout"
    except NotUnderstood:
        state, reason = None, "not understood"
    yield from _records({"source": "ufw.conf"}, state, reason)


def _has_legacy_rules(host: Host) -> bool:
    try:
        return "filter" in host.text("/proc/net/ip_tables_names").split()
    except (OSError, TimedOut):  # not there without the old interface, not readable without root
        return False


def _ask(
    host: Host, argv: tuple[str, ...], parse: Callable[[str], bool], off: int = 0
) -> tuple[bool | None, str]:
    """What a program says; `off` is the code it ends with to say no. Raises `Missing`."""
    try:
        return parse(host.run(*argv)), ""
    except CommandFailed as error:
        if error.code == off:
            return False, ""
        refused = any(words in error.evidence.lower() for words in _REFUSED)
        return None, "not permitted" if refused else f"ended with {error.code}"
    except TimedOut:
        return None, "timeout"
    except PermissionError as error:  # it may be there
        return None, why(error)
