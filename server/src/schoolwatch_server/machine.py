"""What one computer's newest readings say of its safeguards, its age and its way to the server. Pure.

Beside `posture`, which rules judge by; these are the columns that only indicators count. Ages are as the
computer told them: one that is off grows no older.
"""

from collections.abc import Iterable

import msgspec

from schoolwatch_server.state import Known, Text, Value, find, key, parse_key

NEVER = 0.0
"""`lock_after` of a screen that does not lock."""

_UNSET = "not configured"
_TEXT = 120
"""Characters that are kept of a text; an operating system's name has less."""


class Machine(msgspec.Struct, frozen=True):
    """None is unknown, never bad and never good. Seconds, bytes, and counts of characters.

    `realtime`, `signature_age`: of the antivirus that runs (of several the oldest age; unknown when they
    differ in the rest). `patch_age`: since when it is known to be patched. `least_length`: characters that a
    new password must have. `lock_after`: `NEVER` or seconds. `accounts_closed`: no automatic login, no guest,
    none without a password. `os`: name, release and edition, a tab between. `ipv6_works`: names resolve and a
    connection with TLS stands, over IPv6. `server_…`: of the better family of addresses. `malware_log`: an
    antivirus says how often it found malware, which may be never.
    """

    realtime: bool | None = None
    signature_age: float | None = None
    patch_age: float | None = None
    firewall: bool | None = None
    autorun_off: bool | None = None
    attachments_marked: bool | None = None
    least_length: float | None = None
    lock_after: float | None = None
    accounts_closed: bool | None = None
    bios_date: str | None = None
    memory: float | None = None
    disk_failing: bool | None = None
    os: str | None = None
    is_server: bool | None = None
    backup_age: float | None = None
    ipv6_works: bool | None = None
    server_latency: float | None = None
    server_jitter: float | None = None
    server_loss: float | None = None
    malware_log: bool | None = None


def machine(state: Known) -> Machine:
    """The columns; what the readings don't tell stays None."""
    realtime, signature_age = antivirus(state)
    latency, jitter, loss = _quality(state)
    return Machine(
        realtime=realtime,
        signature_age=signature_age,
        patch_age=patch_age(state),
        firewall=firewall(state),
        autorun_off=autorun_off(state),
        attachments_marked=_attachments_marked(state),
        least_length=_number(state, "accounts.password_min_length"),
        lock_after=_lock_after(state),
        accounts_closed=accounts_closed(state),
        bios_date=_fact(state, "hardware.bios_date", 10),
        memory=_number(state, "memory.size"),
        disk_failing=disk_failing(state),
        os=_os(state),
        is_server=None if (kind := _fact(state, "os.kind")) is None else kind == "server",
        backup_age=backup_age(state),
        ipv6_works=_all([_is(state, key("ipv6.rung", {"rung": rung})) for rung in ("5", "6")]),
        server_latency=latency,
        server_jitter=jitter,
        server_loss=loss,
        malware_log=True if _numbers(state, "antivirus.detections") else None,
    )


def antivirus(state: Known) -> tuple[bool | None, float | None]:
    """Whether it guards in real time, and the age of its signatures."""
    running = [labels for labels, number in find(state.readings, "antivirus.running").values() if number == 1]
    live = {_is(state, key("antivirus.realtime", labels)) for labels in running}
    ages = [_number(state, key("antivirus.signature_age", labels)) for labels in running]
    known = [age for age in ages if age is not None]
    return live.pop() if len(live) == 1 else None, max(known) if known and None not in ages else None


def patch_age(state: Known) -> float | None:
    """Since something was installed; or, where nothing for security waits, since that was looked for."""
    waiting = _number(state, "updates.security")
    if waiting is None:
        waiting = _number(state, "updates.pending")
    looked = _number(state, "updates.age") if waiting == 0 else None
    installed = _number(state, "updates.last_installed_age")
    return min((age for age in (installed, looked) if age is not None), default=None)


def firewall(state: Known) -> bool | None:
    """Windows: all profiles as they work, or another maker's product. Elsewhere one program is enough.

    What is only set up (`policy`, `local`, `ufw.conf`) is not what works.
    """
    found = find(state.readings, "firewall.enabled").values()
    told = [(labels, number) for labels, number in found if labels.get("source") not in _SET_UP]
    profiles = [_flag(number) for labels, number in told if labels.get("source") == "active"]
    others = [_flag(number) for labels, number in told if labels.get("source") != "active"]
    if True in others:
        return True
    return _all(profiles) if profiles else _any(others)


_SET_UP = frozenset({"policy", "local", "ufw.conf"})


def autorun_off(state: Known) -> bool | None:
    """Whether a USB stick can start nothing: never on Linux; on Windows not where somebody said so."""
    if "autorun.automount" in state.readings or _is(state, "autorun.commands_blocked"):
        return True
    allowed = _is(state, key("autorun.enabled", {"drive": "removable"}))
    if allowed is not None:
        return not allowed
    return False if _nobody_set(state, "NoDriveTypeAutoRun") else None


def _attachments_marked(state: Known) -> bool | None:
    """Whether what was downloaded keeps that mark, by which programs open it guarded; Windows' default."""
    kept = _is(state, "attachments.origin_kept")
    return True if kept is None and _nobody_set(state, "SaveZoneInformation") else kept


def _nobody_set(state: Known, setting: str) -> bool:
    told = [
        state.facts.get(key("autorun.setting", {"setting": setting, "scope": scope}))
        for scope in ("machine", "user")
    ]
    return all(fact is not None and fact.value is None and fact.reason == _UNSET for fact in told)


def _lock_after(state: Known) -> float | None:
    """The shortest of the locks that are on; `NEVER` when it is known of all of them that they are not."""
    times = _numbers(state, "accounts.screen_lock_timeout")
    if times:
        return min(times)
    facts = _facts(state, "accounts.screen_lock")
    off = [fact.value == "off" or (fact.value is None and fact.reason == _UNSET) for fact in facts]
    return NEVER if off and all(off) else None


def accounts_closed(state: Known) -> bool | None:
    """No automatic login, no guest, no account without a password."""
    without = _number(state, "accounts.without_password")
    return _all(
        [
            _not(_is(state, "accounts.auto_login")),
            _not(_is(state, "accounts.guest_enabled")),
            None if without is None else without == 0,
        ]
    )


def backup_age(state: Known) -> float | None:
    """Of the newest backup."""
    return min(_numbers(state, "backup.age"), default=None)


def disk_failing(state: Known) -> bool | None:
    """Some disk says so of itself."""
    fails = [_flag(number) for _, number in find(state.readings, "disk_health.failure_predicted").values()]
    sick = [_not(_flag(number)) for _, number in find(state.readings, "disk_health.healthy").values()]
    return _any(fails + sick)


def _os(state: Known) -> str | None:
    name = _fact(state, "os.name")
    if name is None:
        return None
    return "\t".join((name, _fact(state, "os.version") or "", _fact(state, "os.edition") or ""))[:_TEXT]


def _quality(state: Known) -> tuple[float | None, float | None, float | None]:
    """Latency, jitter and loss to the server, of the family that loses less, and of both the quicker one."""
    found = []
    for family in ("4", "6"):
        labels = {"target": "server", "family": family}
        latency, jitter, loss = (
            _number(state, key(f"quality.{name}", labels)) for name in ("latency", "jitter", "loss")
        )
        if loss is not None:
            found.append((loss, float("inf") if latency is None else latency, latency, jitter))
    if not found:
        return None, None, None
    loss, _, latency, jitter = min(found, key=lambda each: each[:2])
    return latency, jitter, loss


# --- reading a state ----------------------------------------------------------------------------------


def _number(state: Known, name: str) -> float | None:
    value: Value | None = state.readings.get(name)
    return None if value is None else value.value


def _numbers(state: Known, name: str) -> list[float]:
    return [number for _, number in find(state.readings, name).values() if number is not None]


def _is(state: Known, name: str) -> bool | None:
    return _flag(_number(state, name))


def _flag(number: float | None) -> bool | None:
    return None if number is None else number == 1


def _not(flag: bool | None) -> bool | None:
    return None if flag is None else not flag


def _fact(state: Known, name: str, size: int = _TEXT) -> str | None:
    fact = state.facts.get(name)
    return None if fact is None or fact.value is None else fact.value[:size]


def _facts(state: Known, name: str) -> list[Text]:
    return [text for each, text in state.facts.items() if parse_key(each)[0] == name]


def _all(flags: Iterable[bool | None]) -> bool | None:
    """True when all are, False when one is not, None while it may be either."""
    seen = set(flags)
    return False if False in seen else None if None in seen or not seen else True


def _any(flags: Iterable[bool | None]) -> bool | None:
    seen = set(flags)
    return True if True in seen else None if None in seen or not seen else False
