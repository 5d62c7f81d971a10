"""Makes the report form of a serious incident from what is known of it, and keeps it byte for byte."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Engine

from schoolwatch_server.access import Principal
from schoolwatch_server.database import (
    incident_recipients,
    incident_rows,
    people,
    serious,
    simulated,
    whereabouts,
)
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.incident_recipients import RecipientRow
from schoolwatch_server.database.incident_rows import EventRow, IncidentRow
from schoolwatch_server.database.serious import FormRow, Gravity
from schoolwatch_server.database.whereabouts import Whereabouts
from schoolwatch_server.reports.files import incident_letter
from schoolwatch_server.reports.files.words import instant
from schoolwatch_server.rules import Rule, kept
from schoolwatch_server.serious import evidence, form, redact, timers
from schoolwatch_server.serious.evidence import Witness
from schoolwatch_server.serious.form import Form
from schoolwatch_server.serious.timers import Step
from schoolwatch_server.texts import Texts

_NOT_TOLD = frozenset({"notified", "notify_failed", "form_made", *timers.TIMER_EVENTS})
"""Events of the server's own that say nothing of the incident to anybody outside."""


_NO_COMPUTERS = ("site_", "indicator_")
"""How rules begin that are about a school's site or figures: its computers have no part in them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which form somebody wants: to the recipient of which level (one that is not known: left open)."""

    step: Step
    level: str
    who: Principal
    now: float
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """All that a form is made from, as the database has it now."""

    incident: IncidentRow
    gravity: Gravity
    where: Whereabouts
    devices: tuple[tuple[str, str | None], ...]
    recipients: Mapping[str, RecipientRow]
    events: tuple[EventRow, ...]
    is_simulated: bool


class FormError(ValueError):
    """There is nothing to make a form of: `reason` is one of the texts `serious.refused`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def make(engine: Engine, incident_id: int, wanted: Wanted, rule: Rule | None, texts: Texts) -> FormRow:
    """Makes and keeps the next revision of a form.

    The caller has seen that `who` may. Raises `FormError` for an incident that they don't see or that isn't
    serious.
    """
    who, now = wanted.who, wanted.now
    with begin_write(engine) as conn:
        known = _known(conn, incident_id, who)
        before = [row for row in serious.forms(conn, incident_id) if row.step == wanted.step]
        made = _form(known, replace(wanted, revision=1 + len(before)), rule, texts)
        body, letter = form.encode(made), incident_letter.render(made, texts)
        of_letter = form.digest(letter)
        row = FormRow(wanted.step, made.revision, form.digest(body), of_letter, now, who.name)
        serious.keep_form(conn, incident_id, row, body, letter)
        detail = {
            "step": row.step, "revision": row.revision, "sha256": row.sha256, "letter": of_letter,
            "recipient": made.recipient.name if made.recipient else "",
        }  # fmt: skip
        people.record(
            conn, actor=who.name, action="incident.form", subject=str(incident_id), detail=detail, now=now
        )
    return row


def _known(conn: Connection, incident_id: int, who: Principal) -> Known:
    row = incident_rows.incident(conn, incident_id, who.scope)
    if row is None:
        raise FormError("not_serious")
    gravity = serious.gravities(conn, [incident_id])[incident_id]
    if not gravity.is_serious:
        raise FormError("not_serious")
    where = whereabouts.of_incident(conn, incident_id)
    recipients = {} if where.province_id is None else incident_recipients.recipients(conn, where.province_id)
    return Known(
        row,
        gravity,
        where,
        () if row.rule.startswith(_NO_COMPUTERS) else whereabouts.devices(conn, incident_id),
        recipients,
        incident_rows.events(conn, incident_id),
        simulated.is_simulated(conn),
    )


def _form(known: Known, wanted: Wanted, rule: Rule | None, texts: Texts) -> Form:
    incident, times = known.incident, known.gravity.times
    again = kept.newest((event.kind, event.detail) for event in known.events)
    witnesses = evidence.witnesses(incident.evidence, again)
    done = list(_done(known.events, texts))
    office, town = _office(wanted.who, known.where, texts)
    timer = next(timer for timer in timers.timers(times) if timer.step == wanted.step)
    notice = times.sent.get("notice")
    return Form(
        step=wanted.step,
        revision=wanted.revision,
        made_at=_time(wanted.now),
        made_by=wanted.who.name,
        is_exercise=incident.is_exercise,
        is_simulated=known.is_simulated,
        sender=_level(wanted.who),
        office=office,
        town=town,
        recipient=_recipient(known.recipients.get(wanted.level)),
        incident=incident.id,
        rule=incident.rule,
        rule_version=incident.rule_version,
        title=rule.title.vi if rule else incident.rule,
        why=rule.why.vi if rule else "",
        severity=texts.either("vi", f"severity.{incident.severity}", incident.severity),
        serious_because=_because(known, texts),
        document=timers.DOCUMENT,
        clause=timers.CLAUSE,
        confidence=timers.CONFIDENCE,
        due_at=_time(timer.due_at),
        notice_reference=None if notice is None else redact.text(notice.reference),
        started_at=_time(incident.since),
        detected_at=_time(times.detected_at),
        ended_at=None if incident.closed_at is None else _time(incident.closed_at),
        is_late=incident.late,
        state=texts.get("vi", f"incident_state.{incident.state}"),
        verdict=incident.verdict or None,
        responsible=incident.assignee or None,
        place=_place(known.where),
        devices=_devices(known)[: form.MOST],
        measured=tuple(_measured(witnesses, texts)),
        seen=tuple(_seen(witnesses, texts)),
        done=tuple(done[-form.MOST :]),
        left_out=sum(one.left_out for one in witnesses)
        + max(0, len(done) - form.MOST)
        + max(0, len(known.devices) - form.MOST),
        to_fill=form.TO_FILL[wanted.step],
    )


def _level(who: Principal) -> Literal["province", "commune", "school"]:
    """Whose letter it is: that of the place that its writer's account is of."""
    return who.scope.level if who.scope.level in ("commune", "school") else "province"


def _office(who: Principal, where: Whereabouts, texts: Texts) -> tuple[str, str]:
    """The office that writes, and the place beside the day."""
    level = _level(who)
    if level == "school":
        return where.school or "", where.commune or ""
    return texts.get("vi", f"file.letter.office.{level}"), getattr(where, level) or ""


def _because(known: Known, texts: Texts) -> str:
    mark = known.gravity.mark
    if mark is None:
        return texts.get("vi", "serious.by_default")
    return texts.get(
        "vi", "serious.by_hand", by=mark.by, when=instant(mark.at), reason=redact.text(mark.reason)
    )


def _recipient(row: RecipientRow | None) -> form.Recipient | None:
    if row is None:
        return None
    return form.Recipient(level=row.level, name=row.name, address=row.address, email=row.email)


def _place(where: Whereabouts) -> form.Place:
    return form.Place(
        kind=where.kind,
        school=where.school,
        school_code=where.school_code,
        commune=where.commune,
        province=where.province,
    )


def _devices(known: Known) -> tuple[form.Device, ...]:
    """The computer; of a room's or school's incident those that were there."""
    where = known.where
    there = known.devices if where.device is None else ((where.device, where.room),)
    return tuple(form.Device(device=device[:8], room=room) for device, room in there)


def _measured(witnesses: Iterable[Witness], texts: Texts) -> Iterator[form.Measured]:
    for witness in witnesses:
        for line in witness.lines:
            value = redact.text(line.value) if isinstance(line.value, str) else line.value
            yield form.Measured(
                name=line.name,
                title=evidence.title(line.name, texts, "vi"),
                labels={name: redact.text(told) for name, told in line.labels.items()},
                value=value,
                unit=line.unit,
                measured_at=_known_time(witness.taken_at),
                received_at=_known_time(witness.received_at),
            )


def _seen(witnesses: Iterable[Witness], texts: Texts) -> Iterator[form.Seen]:
    for witness in witnesses:
        for seen in witness.seen:
            yield form.Seen(
                kind=seen.kind,
                title=evidence.title(seen.kind, texts, "vi"),
                subject=redact.text(seen.subject),
                detail={name: redact.text(told) for name, told in seen.detail.items()},
                seen_at=_known_time(seen.seen_at),
            )


def _done(events: Iterable[EventRow], texts: Texts) -> Iterator[form.Done]:
    """What people and the server did, in words; a note is told as it was written, redacted."""
    for event in events:
        if event.kind in _NOT_TOLD:
            continue
        detail = event.detail if isinstance(event.detail, dict) else {}
        by = str(detail.get("by") or "")
        values = defaultdict(str, by=by, assignee=str(detail.get("assignee") or ""))
        if isinstance(at := detail.get("at"), int | float):
            values["when"] = instant(at)
        said = texts.either("vi", f"event.{event.kind}", event.kind).format_map(values)
        note = redact.text(str(detail.get("text") or ""))
        yield form.Done(at=_time(event.at), kind=event.kind, by=by, text=f"{said}: {note}" if note else said)


def _time(at: float) -> datetime:
    """To the second: a form is read by people."""
    return datetime.fromtimestamp(int(at), UTC)


def _known_time(at: float | None) -> datetime | None:
    return None if at is None else _time(at)
