"""What separates the counts of devices at an instant, as the packs and this server's settings say."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from schoolwatch_server import lifecycle
from schoolwatch_server.database.counts import Limits
from schoolwatch_server.database.seen import systems
from schoolwatch_server.packs import Packs
from schoolwatch_server.packs.calendar import back
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import day_of

_DAY = 86400.0
_YEAR = 365.25


def limits(packs: Packs, now: float) -> Limits:
    """As the packs say; which systems makers support is left out: see `limits_here`.

    `working` counts days of school: a lab that was silent all summer is no broken one.
    """
    life = timedelta(days=_number(packs, "due_for_replacement", "years") * _YEAR)
    by_hand_after = now - packs.calendar.by_hand.value * _DAY
    return Limits(
        working_after=back(now, packs.windows.working.value, packs.calendar.breaks),
        heard_after=now - packs.windows.heard.value * _DAY,
        speed_100=_threshold(packs, "wired_links_100"),
        speed_1000=_threshold(packs, "wired_links_1000"),
        signature_age=_number(packs, "issued_antivirus", "fail") * _DAY,
        patch_age=_number(packs, "patched", "age") * _DAY,
        least_length=_number(packs, "account_rules", "least_length"),
        lock_after=_number(packs, "account_rules", "lock_after"),
        bios_before=(day_of(now) - life).isoformat(),
        memory=_number(packs, "due_for_replacement", "memory"),
        latency=_number(packs, "online_teaching", "latency"),
        jitter=_number(packs, "online_teaching", "jitter"),
        loss=_number(packs, "online_teaching", "loss"),
        backup_age=_number(packs, "backup", "age") * _DAY,
        by_hand_after=by_hand_after,
        clock=_number(packs, "lan_standard", "clock"),
        now=now,
        issued=tuple(" ".join(name.casefold().split()) for name in packs.local.issued),
        room_devices=packs.local.room_devices,
    )


def limits_here(conn: Connection, scope: Scope, packs: Packs, now: float) -> Limits:
    """As `limits`, with the systems that a scope's devices told of, by whether their makers support them."""
    supported: list[str] = []
    ended: list[str] = []
    for text in systems(conn, scope):
        name, release, edition = (*text.split("\t"), "", "")[:3]
        found = lifecycle.find(packs.local.systems, name, release, edition or None)
        if found is not None:
            (ended if found.ends < day_of(now) else supported).append(text)
    return replace(limits(packs, now), supported=tuple(supported), ended=tuple(ended))


def _number(packs: Packs, indicator: str, name: str) -> float:
    return packs.of(indicator).indicators[indicator].numbers[name].value


def _threshold(packs: Packs, indicator: str) -> float:
    threshold = packs.of(indicator).indicators[indicator].threshold
    if threshold is None:
        raise ValueError(f"{indicator} has no threshold")  # the packs' loader has made sure of it
    return threshold.value
