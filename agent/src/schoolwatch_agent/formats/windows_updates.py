"""Windows Update, from updates.ps1 and the registry: what waits, when it was last installed, who decides."""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.registry import Unread, Values, why
from schoolwatch_contract.records import Fact, Reading

_SECURITY_CATEGORY: Final = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
"""Windows Update's category "Security Updates"; its id does not change with the language."""

_AU: Final = r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU"
MACHINE: Final = {
    "NoAutoUpdate": (_AU, "NoAutoUpdate"),
    "AUOptions": (_AU, "AUOptions"),
    "UseWUServer": (_AU, "UseWUServer"),
    "wuauserv": (r"SYSTEM\CurrentControlSet\Services\wuauserv", "Start"),
}
"""Values below HKEY_LOCAL_MACHINE: key and name. The address of a WSUS server is not read."""

_DISABLED: Final = 4
_POLICY_LEVELS: Final = {2: "notify", 3: "download", 4: "scheduled", 5: "local", 7: "download"}
"""AUOptions (Microsoft, "Configure Automatic Updates"); 5 leaves it to the machine's administrator."""

_LEVELS: Final = {1: "off", 2: "notify", 3: "download", 4: "scheduled"}
"""AutomaticUpdatesNotificationLevel of the Windows Update Agent API; 0 is not configured."""


def parse(found: dict[str, Any], policy: Values, now: float) -> Iterator[Reading | Fact]:
    """From updates.ps1: the update agent's offline search, its last successes, its level, the reboot keys.

    `policy` holds registry values by `MACHINE`.
    """
    pending, reason = cim.part(found, "pending")
    security = [update for update in pending if _SECURITY_CATEGORY in _categories(update)]
    yield Reading("updates.pending", None if reason else float(len(pending)))
    yield Reading("updates.security", None if reason else float(len(security)))
    yield Fact("updates.search", None if reason else "answered", {}, reason)
    rows, reason = cim.part(found, "settings")
    settings = next(iter(rows), {})
    yield from _since("age", settings.get("last_search"), reason, now)
    yield from _since("last_installed_age", settings.get("last_installed"), reason, now)
    reboot = cim.flag(found.get("reboot"))
    yield Reading("updates.reboot_pending", None if reboot is None else float(reboot))
    if reboot is None:
        yield Fact("updates.source", None, {"source": "reboot_pending"}, reason or "not reported")
    yield from _automatic(policy, cim.whole(settings.get("level")), reason)
    said = policy.get("UseWUServer")
    managed = False if said is None else cim.flag(said)
    own = None if managed is None else "wsus" if managed else "microsoft"
    yield Fact("updates.server", own, {}, "" if own else why(said))


def _since(quantity: str, written: object, reason: str, now: float) -> Iterator[Reading | Fact]:
    at, why_not = cim.moment(written, now)
    yield Reading(f"updates.{quantity}", None if at is None else max(now - at, 0.0))
    if at is None:
        yield Fact("updates.source", None, {"source": quantity}, reason or why_not)


def _automatic(policy: Values, level: int | None, reason: str) -> Iterator[Reading | Fact]:
    """Policy comes before the machine's own level; nothing is installed while the service is disabled."""
    service = policy.get("wuauserv")
    start = cim.whole(service)
    ruled, unruled = _ruled(policy)
    local = None if level is None else _LEVELS.get(level)
    yield Fact("updates.mode", ruled, {"source": "policy"}, unruled)
    yield Fact("updates.mode", local, {"source": "local"}, "" if local else reason or "not configured")
    left_to_it = ruled == "local" or unruled == why(None)
    mode = None if isinstance(service, Unread) else local if left_to_it else ruled
    automatic = 0.0 if start == _DISABLED else None if mode is None else float(mode == "scheduled")
    yield Reading("updates.automatic", automatic)
    known = {0: "boot", 1: "system", 2: "automatic", 3: "manual", _DISABLED: "disabled"}.get(
        -1 if start is None else start
    )
    yield Fact("updates.service", known, {}, "" if known else why(service, "not reported"))


def _ruled(policy: Values) -> tuple[str | None, str]:
    """How policy has updates installed, else why it says nothing; "off" comes before the options."""
    off, options = policy.get("NoAutoUpdate"), policy.get("AUOptions")
    is_off = False if off is None else cim.flag(off)
    if is_off is not False:
        return ("off", "") if is_off else (None, why(off))
    level = cim.whole(options)
    found = None if level is None else _POLICY_LEVELS.get(level)
    return found, "" if found else why(options)


def _categories(update: dict[str, Any]) -> set[str]:
    return {category.lower() for category in cim.texts(update.get("categories"))}
