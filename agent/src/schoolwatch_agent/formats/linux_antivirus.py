"""What the antivirus tools of Linux print: clamd, mdatp, bduitool, cytool, kesl-control, upd, sentinelctl."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.product import Product

_CLAMD: Final = r"ClamAV (?P<version>[^/\s]+)(?:/(?P<signatures>\d+)/(?P<date>[^/]+))?"
_BITDEFENDER_DATE: Final = r"(\d{4}-\d\d-\d\d) at (\d\d:\d\d:\d\d) GMT([+-]\d{1,2})?"


def clamd_version(answer: str, now: float) -> tuple[str, str | None, float | None]:
    """Version, signature version and their age in seconds, of clamd's VERSION (clamd(8)).

    `ClamAV 1.4.6/27823/Mon Nov 16 07:45:00 2026`; the date is local time. With hand-made signatures only,
    there is no date, and the age is unknown.
    """
    found = re.fullmatch(_CLAMD, answer.strip("\x00\n "))
    if found is None:
        raise NotUnderstood("not clamd's VERSION", answer)
    if found["date"] is None:
        return found["version"], None, None
    try:
        built = datetime.strptime(found["date"].strip(), "%a %b %d %H:%M:%S %Y").astimezone()
    except ValueError as error:
        raise NotUnderstood("not a date of clamd", answer) from error
    return found["version"], found["signatures"], _age(now, built.timestamp())


def clamd_sockets(clamd_conf: str) -> tuple[str | None, bool]:
    """The LocalSocket of a clamd.conf(5), and whether it has a TCPSocket."""
    said = dict(fields for line in clamd_conf.splitlines() if len(fields := line.split(None, 1)) == 2)
    return said.get("LocalSocket", "").strip().strip('"') or None, "TCPSocket" in said


def mdatp(health: str, now: float) -> Product:
    """`mdatp health --output json` of Defender for Endpoint; in passive mode it does not protect."""
    found = cim.document(health)
    if "appVersion" not in found:
        raise NotUnderstood("no appVersion in mdatp health", health)
    passive, realtime = _managed(found, "passiveModeEnabled"), _managed(found, "realTimeProtectionEnabled")
    updated = cim.number(found.get("definitionsUpdated"))
    status = found.get("definitionsStatus")
    kind = status.get("$type") if isinstance(status, dict) else None
    return Product(
        id="defender",
        name="Microsoft Defender for Endpoint",
        version=cim.text(found.get("appVersion")),
        signature_version=cim.text(found.get("definitionsVersion")),
        running=None if passive is None else not passive,
        realtime=realtime if realtime is None else realtime and passive is not True,
        signatures_current=kind == "upToDate" if isinstance(kind, str) else None,
        signature_age=None if updated is None else _age(now, updated / 1000),
        mode=None if passive is None else "passive" if passive else "active",
    )


def _managed(found: dict[str, Any], name: str) -> bool | None:
    """Newer versions wrap a setting: {"value": true, "isManaged": false}."""
    value = found.get(name)
    return cim.flag(value.get("value") if isinstance(value, dict) else value)


def bitdefender(status: str, now: float) -> Product:
    """`bduitool get ps` of Bitdefender Endpoint Security Tools: lines as `Product version: 7.0.3.2239`."""
    fields = {key.lstrip("- "): value for key, value in _pairs(status).items()}
    if "Product version" not in fields:
        raise NotUnderstood("no product version in bduitool's answer", status)
    new = fields.get("New security content available")
    on = {"On": True, "Off": False}.get(fields.get("Antimalware status", ""))
    written = re.match(_BITDEFENDER_DATE, fields.get("Last security content update", ""))
    return Product(
        id="bitdefender",
        name="Bitdefender Endpoint Security Tools",
        version=fields["Product version"],
        signature_version=fields.get("Engines version"),
        running=on,
        signatures_current={"no": True, "yes": False}.get(new or ""),
        signature_age=_age(now, _bitdefender_time(written)) if written else None,
    )


def _bitdefender_time(written: re.Match[str]) -> float:
    zone = timezone(timedelta(hours=int(written[3] or 0)))
    return (
        datetime.strptime(f"{written[1]} {written[2]}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp()
    )


def cortex(info: str, runtime: str, query: str) -> Product:
    """`cytool info`, `cytool runtime query` and `cytool info query` of Cortex XDR; empty is not told."""
    version = re.search(r"^Cortex XDR .* ([0-9.]+)$", info, re.MULTILINE)
    if version is None:
        raise NotUnderstood("not cytool's answer", info)
    content = re.search(r"^Content Version:\s+(\S+)$", query, re.MULTILINE | re.IGNORECASE)
    state = re.search(r"^\s*pmd\s+\S+\s+\S+\s+(\S+)", runtime, re.MULTILINE)
    return Product(
        id="cortex",
        name="Cortex XDR",
        version=version[1],
        signature_version=content[1] if content else None,
        running=state[1].lower() == "running" if state else None,
    )


def kesl(info: str, now: float) -> Product:
    """`kesl-control --app-info` of Kaspersky Endpoint Security for Linux: `Version:   11.2.0.4528`.

    File Threat Protection was called File monitoring before version 11; the date is local time.
    """
    fields = _pairs(info)
    if "Version" not in fields:
        raise NotUnderstood("no version in kesl-control's answer", info)
    monitor = fields.get("File Threat Protection", fields.get("File monitoring", ""))
    loaded = fields.get("Application databases loaded", fields.get("Anti-virus databases loaded"))
    released = fields.get("Last release date of databases", "")
    try:
        built = datetime.strptime(released, "%Y-%m-%d %H:%M:%S").astimezone().timestamp()
    except (ValueError, OverflowError):  # no databases yet
        built = None
    return Product(
        id="kaspersky",
        name="Kaspersky Endpoint Security for Linux",
        version=fields["Version"],
        signature_version=released if built is not None and loaded != "No" else None,
        realtime={"Available and running": True, "Available and stopped": False}.get(monitor),
        signature_age=None if built is None or loaded == "No" else _age(now, built),
    )


def eset(version: str, modules: str, now: float) -> Product:
    """`upd -version` and `upd --list-modules` of ESET's Endpoint Antivirus (eea) and Server Security (efs).

    `EM002  31832 (20250909)  Detection engine`: its number, and the day it was made, in UTC.
    """
    found = re.search(r"\((eea|efs)\)\s+([0-9.]+)", version)
    if found is None:
        raise NotUnderstood("not upd's version", version)
    engine = re.search(r"^EM002\s+([0-9.]+)\s+\((\d{8})\)", modules, re.MULTILINE)
    return Product(
        *ESET[found[1]],
        version=found[2],
        signature_version=engine[1] if engine else None,
        signature_age=_age(now, _day(engine[2])) if engine else None,
    )


ESET: Final = {"eea": ("eset", "ESET Endpoint Antivirus"), "efs": ("eset-server", "ESET Server Security")}
"""Id and name by what the products call themselves."""


def _day(written: str) -> float:
    try:
        return datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise NotUnderstood("not a day", written) from error


def sentinelone(version: str, status: str) -> Product:
    """`sentinelctl version` and `sentinelctl control status`; it knows no signatures, so none have an age."""
    said = _pairs(version)
    if "Agent version" not in said:
        raise NotUnderstood("no agent version in sentinelctl's answer", version)
    state = re.search(r"^Agent state\s+(\S+)\s*$", status, re.MULTILINE)
    return Product(
        id="sentinelone",
        name="SentinelOne",
        version=said["Agent version"],
        running={"Enabled": True, "Disabled": False}.get(state[1]) if state else None,
    )


def _pairs(text: str) -> dict[str, str]:
    """Lines as `Key: value`."""
    parts = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in parts}


def _age(now: float, then: float) -> float | None:
    """Seconds; a date in the future (a clock is wrong) or before 2000 says nothing."""
    if then < datetime(2000, 1, 1, tzinfo=UTC).timestamp() or then > now + 86400:
        return None
    return round(max(now - then, 0.0))
