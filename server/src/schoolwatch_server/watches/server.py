"""The server's own health: what its people must see to, before schools notice."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509

from schoolwatch_server import transport
from schoolwatch_server.alertmanager import RESEND
from schoolwatch_server.backup import status
from schoolwatch_server.channels import ChannelError, read
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import (
    channel_rows,
    clocks,
    counted,
    deliveries,
    own_channel_rows,
    store_writer,
)
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.school_time import DAY
from schoolwatch_server.severity import Severity
from schoolwatch_server.watches.sight import Sight

SERVER = Subject("server", 0)


def deaf(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That no device is heard though half of the schools that were heard on the days before are held.

    They must have been held for `after` seconds without a word: nobody speaks at the first bell. A server of
    a few schools can't tell: their computers may all be off.
    """
    lately = {school: at for school, at in sight.heard.items() if sight.now - at < 4 * DAY}
    newest = max(lately.values(), default=sight.now)
    if sight.now - newest < parameters["after"]:
        return
    held = sum(sight.is_held_since(school, newest, parameters["after"]) for school in lately)
    is_deaf = held * 2 >= len(lately) and len(lately) >= parameters["least"]
    readings: dict[str, float | None] = {"finding.server_schools_silent": float(len(lately))}
    yield Finding(SERVER, True if is_deaf else None, readings, since=newest)


def behind(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That a reader of the journal is far behind: incidents come late."""
    for cursor in counted.cursors(sight.conn):
        if cursor.behind > parameters["rows"]:
            yield Finding(
                Subject("server", 0, cursor.name[:32]),
                True,
                {"finding.server_rows_behind": float(cursor.behind)},
                {"finding.server_reader": cursor.name},
            )


def disk(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That the data folder's disk is nearly full."""
    try:
        usage = shutil.disk_usage(sight.config.folder)
    except OSError:
        yield Finding(SERVER, None)
        return
    share = usage.free / usage.total
    if share < parameters["share"] or usage.free < parameters["bytes"]:
        severity: Severity = "critical" if share < parameters["share"] / 2 else "high"
        readings: dict[str, float | None] = {
            "finding.server_disk_free": float(usage.free),
            "finding.server_disk_share": share,
        }
        yield Finding(SERVER, True, readings, severity=severity)


def backup(sight: Sight, _: Mapping[str, float]) -> Iterator[Finding]:
    """That the last backup failed, the newest is too old, or nobody can tell."""
    judged = status.judge(sight.config, status.read(sight.config.folder), sight.now)
    if judged in ("failed", "too_old", "unknown"):
        yield Finding(SERVER, True, facts={"finding.server_backup": judged})


def certificate(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That a certificate by which schools know the server ends within `days`."""
    listeners = (("http", transport.http(sight.config)), ("mqtt", transport.mqtt(sight.config)))
    for name, tls in listeners:
        if tls is None:
            continue
        subject = Subject("server", 0, name)
        try:
            found = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
        except (OSError, ValueError):
            yield Finding(subject, None)
            continue
        left = (found.not_valid_after_utc.timestamp() - sight.now) / DAY
        if left < parameters["days"]:
            severity: Severity = "critical" if left < 1 else "high"
            yield Finding(
                subject,
                True,
                {"finding.server_days_left": left},
                {"finding.server_listener": name},
                severity=severity,
            )


def store_behind(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That the store beside the database lacks reports; past `urgent` seconds some may soon be lost."""
    if sight.config.store.kind == "embedded":
        return
    found = store_writer.standing(sight.conn, sight.now)
    if found is None or found.seconds <= parameters["seconds"]:
        return
    severity: Severity = "high" if found.seconds > parameters["urgent"] else "medium"
    readings: dict[str, float | None] = {
        "finding.server_store_reports": float(found.reports),
        "finding.server_store_seconds": found.seconds,
    }
    said = found.progress.error
    facts: dict[str, str | None] = {"finding.server_store_error": said} if said else {}
    yield Finding(SERVER, True, readings, facts, severity=severity)


def clock(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That the clocks of most computers differ from the server's by the same: so it is the server's."""
    offset = clocks.median_offset(sight.conn, sight.now - parameters["window"], int(parameters["least"]))
    if offset is not None and abs(offset) > parameters["seconds"]:
        yield Finding(SERVER, True, {"finding.server_clock_offset": offset})


def channels(sight: Sight, parameters: Mapping[str, float]) -> Iterator[Finding]:
    """That a channel has refused messages for a while: whoever is on duty hears nothing by it.

    One that was taken out of the file of addresses, with what waits for it, is nobody's trouble any more; one
    that an account set up for itself is its own, unless it is on duty.
    """
    filed = _filed(sight.config)
    kept = channel_rows.usable(sight.conn) - own_channel_rows.apart(sight.conn)
    for channel, count in deliveries.refused(sight.conn, int(parameters["attempts"])).items():
        is_unknown = filed is None and not channel.startswith("channel:")
        if not is_unknown and channel not in kept | (filed or frozenset()):
            continue
        yield Finding(
            Subject("server", 0, channel[:32]),
            None if is_unknown else True,
            {"finding.server_messages_waiting": float(count)},
            {"finding.server_channel": channel},
        )
    for row in channel_rows.listed(sight.conn):
        silent = (row.failed_at or 0.0) - max(row.worked_at or 0.0, row.changed_at)
        if row.is_on and not row.gets_messages and row.error and silent >= parameters["attempts"] * RESEND:
            yield Finding(
                Subject("server", 0, row.key[:32]),
                True,
                {"finding.server_alerts_seconds": silent},
                {"finding.server_channel": row.key},
            )


def _filed(config: ServerConfig) -> frozenset[str] | None:
    """The channels of the file of addresses; None while it can't be read."""
    try:
        return frozenset(read(Path(config.notify.urls_file) if config.notify.urls_file else None))
    except ChannelError:
        return None
