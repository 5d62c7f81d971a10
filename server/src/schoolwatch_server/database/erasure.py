"""Deletes all that is kept of one device or of one school's own; what is an aggregate of many stays."""

import zlib
from collections import Counter

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.columns import metadata
from schoolwatch_server.database.dependents import delete_with_dependents, for_good
from schoolwatch_server.database.judged import with_tag
from schoolwatch_server.store.names import GO_WITH_SCHOOL


def devices_of_school(conn: Connection, school_id: int) -> tuple[str, ...]:
    """Devices that are in the school, wait to be, or were in it last; not those that moved on."""
    m, later = t.membership, t.membership.alias()
    moved = select(later.c.id).where(
        later.c.device_id == m.c.device_id,
        or_(later.c.valid_from > m.c.valid_from, later.c.id > m.c.id),
        later.c.school_id != school_id,
    )
    here = select(m.c.device_id).where(m.c.school_id == school_id, ~moved.exists())
    waits = (
        select(t.arrival.c.device_id)
        .join(t.device, t.device.c.id == t.arrival.c.device_id)
        .where(t.arrival.c.school_id == school_id, t.device.c.pending_since.is_not(None))
    )
    d = t.device.c
    return tuple(conn.scalars(select(d.device).where(or_(d.id.in_(here), d.id.in_(waits))).order_by(d.id)))


def id_of(conn: Connection, device: str) -> int | None:
    """The id of a device of that name, also of one that waits or is retired."""
    return conn.scalar(select(t.device.c.id).where(t.device.c.device == device))


def device(conn: Connection, device_id: int, name: str) -> Counter[str]:
    """Every row of a device, in every table but the audit log; how many of which."""
    gone: Counter[str] = Counter()
    for_good(conn)
    _with_dependents(conn, gone, t.incident, t.incident.c.device_id == device_id)
    generations = select(t.generation.c.id).where(t.generation.c.device_id == device_id)
    _delete(conn, gone, t.arrived, t.arrived.c.generation_id.in_(generations))
    _delete(conn, gone, t.rule_state, _remembered(str(device_id)))
    about = t.quarantine.c.topic.contains(name, autoescape=True)
    _delete(conn, gone, t.quarantine, or_(t.quarantine.c.device == name, about))
    _drafts(conn, gone, device_id, name)
    conn.execute(update(t.device).where(t.device.c.replaces_id == device_id).values(replaces_id=None))
    for table in reversed(metadata.sorted_tables):
        for key in table.foreign_keys:
            if key.column.table is not t.device:
                continue
            if key.parent.nullable:
                conn.execute(update(table).where(key.parent == device_id).values({key.parent: None}))
            else:
                _delete(conn, gone, table, key.parent == device_id)
    _delete(conn, gone, t.device, t.device.c.id == device_id)
    return +gone


def school(conn: Connection, school_id: int, now: float) -> Counter[str]:
    """What is a school's own: rooms with their use, its lists, incidents, tokens, the accounts of its people,
    and its answers with their evidence, in which names of people may stand.

    Its name, codes and declared counts stay with its judged series: numbers without a person, by which an
    official proves what was reported. Its code ends; by it the numbers are still found. A frozen report that
    was handed in stays whole, as an authority has to prove it, but for who did so; one that never was, goes.
    """
    gone: Counter[str] = Counter()
    for_good(conn)
    for table, where in (
        (t.incident, t.incident.c.school_id == school_id),
        (t.channel, t.channel.c.account_id.in_(_people(school_id))),
        (t.account, (t.account.c.scope_level == "school") & (t.account.c.scope_id == school_id)),
        (t.api_token, (t.api_token.c.scope_level == "school") & (t.api_token.c.scope_id == school_id)),
        (t.speedtest_slot, t.speedtest_slot.c.school_id == school_id),
        (t.line_tester, t.line_tester.c.school_id == school_id),
        (t.arrival, t.arrival.c.school_id == school_id),
        (t.enrolment_token, t.enrolment_token.c.school_id == school_id),
        (t.claim, t.claim.c.school_id == school_id),
        (t.attachment_body, t.attachment_body.c.school_id == school_id),
        (t.contact, t.contact.c.school_id == school_id),
        (t.school_class, t.school_class.c.school_id == school_id),
        (t.line_contract, t.line_contract.c.school_id == school_id),
        (t.asset, t.asset.c.school_id == school_id),
        (t.room, t.room.c.school_id == school_id),
        (t.known_end, t.known_end.c.school_id == school_id),
        (t.grafana_alert, (t.grafana_alert.c.kind == "school") & (t.grafana_alert.c.place == school_id)),
        (t.campus, t.campus.c.school_id == school_id),
        (t.report, _of_school(school_id) & t.report.c.handed_in_at.is_(None)),
    ):
        _with_dependents(conn, gone, table, where)
    _series_of_lists(conn, gone, school_id)
    handed_in = select(t.report.c.id).where(_of_school(school_id))
    conn.execute(update(t.report).where(_of_school(school_id)).values(frozen_by="", handed_in_by=""))
    conn.execute(update(t.report_event).where(t.report_event.c.report_id.in_(handed_in)).values(by=""))
    conn.execute(update(t.declaration).where(t.declaration.c.school_id == school_id).values(declared_by=""))
    _delete(conn, gone, t.rule_state, _remembered(f"school:{school_id}"))
    open_code = (t.school_code.c.school_id == school_id) & t.school_code.c.valid_to.is_(None)
    conn.execute(update(t.school_code).where(open_code).values(valid_to=now))
    return +gone


def _series_of_lists(conn: Connection, gone: Counter[str], school_id: int) -> None:
    """How many incidents it had, when which began, what lines it has: they go as incidents and lists do."""
    s = t.judged_series.c
    its = select(s.id).where(s.measurement.in_(GO_WITH_SCHOOL), with_tag("school", str(school_id)))
    ids = list(conn.scalars(its))
    _delete(conn, gone, t.judged, t.judged.c.series_id.in_(ids))
    _delete(conn, gone, t.judged_series, s.id.in_(ids))


def _remembered(about: str) -> ColumnElement[bool]:
    """What rules remember of a subject, and of its parts."""
    subject = t.rule_state.c.subject
    return or_(subject == about, subject.startswith(f"{about}:"))


def _people(school_id: int) -> Select[tuple[int]]:
    a = t.account.c
    return select(a.id).where(a.scope_level == "school", a.scope_id == school_id)


def _of_school(school_id: int) -> ColumnElement[bool]:
    return (t.report.c.level == "school") & (t.report.c.place_id == school_id)


def _drafts(conn: Connection, gone: Counter[str], device_id: int, name: str) -> None:
    """Frozen reports that tell of a device and were never handed in; those that were stay as they were."""
    r = t.report.c
    schools = select(t.membership.c.school_id).where(t.membership.c.device_id == device_id)
    drafts = (r.level == "school") & r.place_id.in_(schools) & r.handed_in_at.is_(None)
    rows = conn.execute(select(r.id, r.body).where(drafts)).all()
    ids = [row.id for row in rows if name.encode() in zlib.decompress(row.body)]
    _with_dependents(conn, gone, t.report, r.id.in_(ids))


def _with_dependents(conn: Connection, gone: Counter[str], table: Table, where: ColumnElement[bool]) -> None:
    keys = [tuple(row) for row in conn.execute(select(*table.primary_key).where(where))]
    gone[table.name] += delete_with_dependents(conn, table, keys)


def _delete(conn: Connection, gone: Counter[str], table: Table, where: ColumnElement[bool]) -> None:
    gone[table.name] += conn.execute(delete(table).where(where)).rowcount
