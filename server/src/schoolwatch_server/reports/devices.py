"""Every device: its working order and what that rests on, its posture, its first failing rung of IPv6."""

from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_contract import ladder as words
from schoolwatch_server.database import registry, states
from schoolwatch_server.database.rows import DeviceRow, SchoolRow
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.ladder import Step, first, ladder
from schoolwatch_server.posture import issued
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.table import Asked, Row, Table
from schoolwatch_server.state import State
from schoolwatch_server.working import Working, working

COLUMNS = (
    "device",
    "label",
    "room",
    "role",
    "heard_at",
    "taken_at",
    "agent",
    "working",
    "working_reasons",
    "broken",
    "counts_since",
    "room_taken_at",
    "failing_disks",
    "protected",
    "issued_antivirus",
    "link_medium",
    "link_speed",
    "ipv6",
    "ipv6_first",
    "ipv6_name",
    "ipv6_means",
    "ipv6_remedy",
)


def _rows(conn: Connection, school: SchoolRow, asked: Asked, pen: Pen) -> Iterator[Row]:
    devices = registry.devices(conn, asked.scope, school_id=school.id)
    known = states.known(conn, [device.id for device in devices])
    after = limits(asked.packs, asked.now).working_after
    for device in devices:
        state = known.get(device.id, State())
        order = working(device, devices, now=asked.now, after=after, state=state)
        steps = ladder(state, asked.packs.ipv6_slow)
        yield {**_device(device, asked, pen), **_order(order, pen), **_ipv6(steps, pen)}


def _device(device: DeviceRow, asked: Asked, pen: Pen) -> dict[str, Cell]:
    medium = device.link_medium
    return {
        "device": device.device,
        "label": device.label,
        "room": device.room or "",
        "role": pen.known(f"role.{device.role}", device.role) if device.role else None,
        "heard_at": instant(device.heard_at),
        "taken_at": instant(device.taken_at),
        "agent": device.agent,
        "protected": device.protected,
        "issued_antivirus": issued(device.antivirus, asked.issued) if asked.issued else "",
        "link_medium": pen.known(f"medium.{medium}", medium) if medium else None,
        "link_speed": None if device.link_speed is None else device.link_speed / 1e6,
    }


def _order(order: Working, pen: Pen) -> dict[str, Cell]:
    facts = order.facts
    verdict = {True: "working.yes", False: "working.no", None: "working.unknown"}[order.verdict]
    return {
        "working": pen.text(verdict),
        "working_reasons": "; ".join(pen.text(f"working.reason.{reason}") for reason in order.reasons),
        "broken": facts.broken,
        "counts_since": instant(facts.counts_since),
        "room_taken_at": instant(facts.room_taken_at),
        "failing_disks": " ".join(disk.disk for disk in facts.failing_disks),
    }


def _ipv6(steps: tuple[Step, ...], pen: Pen) -> dict[str, Cell]:
    step = first(steps)
    if step is None:
        known = any(each.standing != "unknown" for each in steps)
        none = {name: "" if known else None for name in COLUMNS if name.startswith("ipv6_")}
        return {"ipv6": pen.text("ladder.none") if known else None, **none}
    slow = step.standing == "slow"
    language = pen.language
    return {
        "ipv6": pen.text(f"ladder.{step.standing}"),
        "ipv6_first": step.rung,
        "ipv6_name": words.RUNGS[step.rung].told(language),
        "ipv6_means": pen.text("ladder.slow_means") if slow else words.means(step.reason, language),
        "ipv6_remedy": words.SLOW.told(language) if slow else words.remedy(step.reason, language),
    }


TABLE = Table("devices", COLUMNS, _rows)
