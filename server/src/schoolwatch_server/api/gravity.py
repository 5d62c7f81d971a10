"""How serious an incident is, with its deadlines, and what was kept as evidence, as JSON."""

from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database.serious import Gravity
from schoolwatch_server.serious.evidence import Witness, witnesses
from schoolwatch_server.serious.timers import Timer, timers

Json = dict[str, object]


def gravity_json(gravity: Gravity, now: float) -> Json:
    """The deadlines of a serious incident as they stand now."""
    counts = gravity.is_serious and (gravity.owes or bool(gravity.times.sent))
    return {
        "serious": gravity.is_serious,
        "reason": gravity.mark.reason if gravity.mark else None,
        "detected_at": rfc3339(gravity.times.detected_at),
        "deadlines": [_deadline(timer, now) for timer in timers(gravity.times)] if counts else [],
    }


def witnesses_json(evidence: object, again: object) -> list[Json]:
    """The reports that were kept, their values with units; the whole stands in `evidence` and `events`."""
    return [_witness(one) for one in witnesses(evidence, again)]


def _deadline(timer: Timer, now: float) -> Json:
    sent = timer.sent
    return {
        "step": timer.step,
        "due_at": rfc3339(timer.due_at),
        "standing": timer.standing(now),
        "sent_at": rfc3339(sent.at) if sent else None,
        "sent_by": sent.by if sent else None,
        "reference": sent.reference if sent else None,
    }


def _witness(one: Witness) -> Json:
    return {
        "which": one.which,
        "measured_at": rfc3339(one.taken_at),
        "arrived_at": rfc3339(one.received_at),
        "measured": [
            {"name": line.name, "labels": dict(line.labels), "value": line.value, "unit": line.unit}
            for line in one.lines
        ],
        "sighting": next(
            ({"kind": s.kind, "subject": s.subject, "detail": dict(s.detail)} for s in one.seen), None
        ),
        "left_out": one.left_out,
    }
