"""By what the rows of each table grow old: read by retention, and by the record of what is kept how long."""

from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.terms import Name

How = Literal["rows", "own", "stays"]


@dataclass(frozen=True, slots=True)
class Age:
    """`rows`: a row goes when any of the instants `by` lies further back than the term.

    `own`: retention has a rule of its own for this table. `stays`: it is the register itself or the
    program's working state, which does not grow with time.
    """

    how: How
    term: Name | None = None
    by: tuple[str, ...] = ()


_STAYS = Age("stays")
_RETIRED = Age("own", "retired")

AGES: dict[str, Age] = {
    "meta": _STAYS,
    "counter": _STAYS,
    "cursor": _STAYS,
    "dirty": _STAYS,
    "province": _STAYS,
    "commune": _STAYS,
    "school": _STAYS,
    "room": _STAYS,
    "campus": _STAYS,
    "school_class": Age("rows", "proof", ("year_ends",)),
    "line_contract": Age("rows", "proof", ("ends",)),
    "asset": _STAYS,
    "school_hours": _STAYS,
    "set_day": Age("rows", "proof", ("made_at",)),
    "maintenance": Age("rows", "proof", ("ends",)),
    "contact": _STAYS,
    "hand_check": Age("rows", "proof", ("checked_at",)),
    "site": Age("rows", "proof", ("valid_to",)),
    "site_look": Age("rows", "hourly", ("at",)),
    # as long as anything that it measured: the longest term of all
    "device": Age("own", "proof", ("retired_at",)),
    "credential": _RETIRED,
    "frozen_device": _RETIRED,
    "arrival": _RETIRED,
    "device_settings": _RETIRED,
    "line_tester": _STAYS,
    "hearing": _RETIRED,
    "state": _RETIRED,
    "state_body": _RETIRED,
    "rule_state": _STAYS,
    "known_end": _STAYS,  # as long as what was known is remembered
    "rule_memory": _RETIRED,
    "merged_school": _STAYS,
    "former_commune": _STAYS,
    "school_code": Age("rows", "proof", ("valid_to",)),
    "declaration": Age("own", "proof", ("declared_at",)),
    "claim": Age("own", "proof", ("changed_at",)),
    "claim_event": Age("own", "proof"),
    "attachment": Age("own", "proof"),
    "attachment_body": Age("own", "proof"),
    "fact_history": Age("rows", "proof", ("valid_to",)),
    "judged": Age("own", "proof", ("at",)),
    "judged_series": _STAYS,
    "judged_log": Age("rows", "journal", ("written_at",)),
    "store_writer": _STAYS,
    "grafana_alert": Age("rows", "incident", ("told_at",)),
    "boundary_map": _STAYS,
    "boundary_shape": _STAYS,
    "pack_version": _STAYS,
    "pack_text": _STAYS,
    "rule_version": _STAYS,
    # where a device stood decides who sees what it measured there: it outlives all that
    "membership": Age("own", "proof", ("valid_to",)),
    "journal": Age("own", "journal", ("received_at",)),
    "sighting": Age("own", "journal", ("received_at",)),
    "rollup": Age("own", "hourly", ("bucket",)),
    "use_rollup": Age("own", "use", ("bucket",)),
    "room_use": Age("rows", "daily", ("week",)),
    "generation": Age("own", "generation", ("heard_at",)),
    "arrived": Age("own", "generation"),
    "quarantine": Age("rows", "quarantine", ("received_at",)),
    "incident": Age("own", "incident", ("closed_at",)),
    "standing_fault": Age("rows", "incident", ("ended_at",)),
    "incident_event": Age("own", "incident"),
    "incident_mark": Age("own", "incident"),
    "incident_sent": Age("own", "incident"),
    "incident_form": Age("own", "incident"),
    "incident_recipient": _STAYS,
    "notification": Age("own", "incident"),
    "channel": _STAYS,
    "duty": _STAYS,
    "notify_settings": _STAYS,
    "delivery": Age("rows", "incident", ("made_at",)),
    "escalation": Age("own", "incident"),
    "exercise": Age("rows", "incident", ("ended_at",)),
    "report": Age("rows", "report", ("frozen_at",)),
    "report_event": Age("own", "report"),
    "report_deadline": _STAYS,
    "report_reminder": Age("rows", "audit", ("made_at",)),
    "audit": Age("own", "audit", ("at",)),
    "audit_head": _STAYS,
    "account": Age("own", "audit", ("disabled_at",)),
    "recovery_code": Age("own", "audit"),
    "api_token": Age("rows", "audit", ("expires_at", "revoked_at")),
    "enrolment_token": Age("rows", "audit", ("expires_at", "revoked_at")),
    "session": Age("rows", "session", ("expires_at",)),
    "speedtest_slot": Age("rows", "slot", ("granted_at",)),
}
"""Table to how it ages; a test walks all tables and finds one that is not here."""
