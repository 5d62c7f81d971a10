"""Every table of the server, in one place; migrations bring a database to this shape.

Instants are UTC seconds since 1970 (double): the same on SQLite and PostgreSQL, and free of time zones.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from schoolwatch_server.database.columns import Id, id_, one_open, to
from schoolwatch_server.database.columns import metadata as metadata
from schoolwatch_server.database.tables_boundaries import boundary_map as boundary_map
from schoolwatch_server.database.tables_boundaries import boundary_shape as boundary_shape
from schoolwatch_server.database.tables_calendar import hearing as hearing
from schoolwatch_server.database.tables_calendar import maintenance as maintenance
from schoolwatch_server.database.tables_calendar import school_hours as school_hours
from schoolwatch_server.database.tables_calendar import set_day as set_day
from schoolwatch_server.database.tables_claims import attachment as attachment
from schoolwatch_server.database.tables_claims import attachment_body as attachment_body
from schoolwatch_server.database.tables_claims import claim as claim
from schoolwatch_server.database.tables_claims import claim_event as claim_event
from schoolwatch_server.database.tables_duty import channel as channel
from schoolwatch_server.database.tables_duty import delivery as delivery
from schoolwatch_server.database.tables_duty import duty as duty
from schoolwatch_server.database.tables_duty import escalation as escalation
from schoolwatch_server.database.tables_duty import exercise as exercise
from schoolwatch_server.database.tables_duty import notify_settings as notify_settings
from schoolwatch_server.database.tables_enrolment import arrival as arrival
from schoolwatch_server.database.tables_enrolment import enrolment_token as enrolment_token
from schoolwatch_server.database.tables_enrolment import frozen_device as frozen_device
from schoolwatch_server.database.tables_incidents import incident as incident
from schoolwatch_server.database.tables_incidents import incident_event as incident_event
from schoolwatch_server.database.tables_incidents import known_end as known_end
from schoolwatch_server.database.tables_incidents import notification as notification
from schoolwatch_server.database.tables_incidents import rule_memory as rule_memory
from schoolwatch_server.database.tables_incidents import rule_state as rule_state
from schoolwatch_server.database.tables_incidents import standing_fault as standing_fault
from schoolwatch_server.database.tables_packs import pack_text as pack_text
from schoolwatch_server.database.tables_packs import pack_version as pack_version
from schoolwatch_server.database.tables_people import account as account
from schoolwatch_server.database.tables_people import api_token as api_token
from schoolwatch_server.database.tables_people import audit as audit
from schoolwatch_server.database.tables_people import audit_head as audit_head
from schoolwatch_server.database.tables_people import recovery_code as recovery_code
from schoolwatch_server.database.tables_people import session as session
from schoolwatch_server.database.tables_reports import report as report
from schoolwatch_server.database.tables_reports import report_deadline as report_deadline
from schoolwatch_server.database.tables_reports import report_event as report_event
from schoolwatch_server.database.tables_reports import report_reminder as report_reminder
from schoolwatch_server.database.tables_rules import rule_version as rule_version
from schoolwatch_server.database.tables_school import asset as asset
from schoolwatch_server.database.tables_school import campus as campus
from schoolwatch_server.database.tables_school import contact as contact
from schoolwatch_server.database.tables_school import hand_check as hand_check
from schoolwatch_server.database.tables_school import line_contract as line_contract
from schoolwatch_server.database.tables_school import school_class as school_class
from schoolwatch_server.database.tables_series import cursor as cursor
from schoolwatch_server.database.tables_series import dirty as dirty
from schoolwatch_server.database.tables_series import grafana_alert as grafana_alert
from schoolwatch_server.database.tables_series import judged as judged
from schoolwatch_server.database.tables_series import judged_log as judged_log
from schoolwatch_server.database.tables_series import judged_series as judged_series
from schoolwatch_server.database.tables_series import rollup as rollup
from schoolwatch_server.database.tables_series import store_writer as store_writer
from schoolwatch_server.database.tables_serious import incident_form as incident_form
from schoolwatch_server.database.tables_serious import incident_mark as incident_mark
from schoolwatch_server.database.tables_serious import incident_recipient as incident_recipient
from schoolwatch_server.database.tables_serious import incident_sent as incident_sent
from schoolwatch_server.database.tables_settings import device_settings as device_settings
from schoolwatch_server.database.tables_settings import line_tester as line_tester
from schoolwatch_server.database.tables_sites import site as site
from schoolwatch_server.database.tables_sites import site_look as site_look
from schoolwatch_server.database.tables_speedtest import speedtest_slot as speedtest_slot
from schoolwatch_server.database.tables_state import fact_history as fact_history
from schoolwatch_server.database.tables_state import state as state
from schoolwatch_server.database.tables_state import state_body as state_body
from schoolwatch_server.database.tables_succession import former_commune as former_commune
from schoolwatch_server.database.tables_succession import merged_school as merged_school
from schoolwatch_server.database.tables_use import room_use as room_use
from schoolwatch_server.database.tables_use import use_rollup as use_rollup

meta = Table(
    "meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False)
)

# --- registry: province → commune → school (site) → room → device -------------------------------------

province = Table(
    "province", metadata, id_(), Column("code", String(20), unique=True), Column("name", Text, nullable=False)
)
commune = Table(
    "commune",
    metadata,
    id_(),
    to("province.id", "province_id", index=True),
    Column("code", String(20), unique=True),
    Column("name", Text, nullable=False),
)
school = Table(
    "school",
    metadata,
    id_(),
    to("commune.id", "commune_id", index=True),
    Column("name", Text, nullable=False),
    Column("level", String(20), nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("manager", String(2), nullable=False, server_default=""),  # so, xa; empty: as its level says
    Column("is_specialised", Boolean, nullable=False, server_default=text("false")),
    Column("is_boarding", Boolean, nullable=False, server_default=text("false")),
    Column("is_public", Boolean, nullable=False, server_default=text("true")),
    Column("former_place", Text, nullable=False, server_default=""),  # province, district before July 2025
    Column("position", Text, nullable=False, server_default=""),  # as position.py writes it; empty: unknown
)
school_code = Table(
    "school_code",
    metadata,
    id_(),
    to("school.id", "school_id", index=True),
    Column("code", String(20), nullable=False, index=True),
    Column("valid_from", Double, nullable=False),
    Column("valid_to", Double),
    one_open("uq_school_code_open", "code", "valid_to"),
    one_open("uq_school_code_open_school", "school_id", "valid_to"),
)
declaration = Table(
    "declaration",
    metadata,
    id_(),
    to("school.id", "school_id"),
    Column("quantity", String(40), nullable=False),
    Column("value", Double, nullable=False),
    Column("declared_at", Double, nullable=False),
    Column("declared_by", Text, nullable=False),
    Index("ix_declaration_latest", "school_id", "quantity", "declared_at"),
)
room = Table(
    "room",
    metadata,
    id_(),
    to("school.id", "school_id", index=True),
    Column("name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("declared", Integer),  # computers that the school says are in it
    to("campus.id", "campus_id", nullable=True, index=True),
    Column("in_use", Boolean, nullable=False, server_default=text("true")),
    Column("projection", String(20), nullable=False, server_default=""),  # empty: nobody said
    Column("projection_ok", Boolean),
    Column("internet_by_hand_at", Double),  # when somebody saw that it has Internet
    UniqueConstraint("school_id", "name"),
)
device = Table(
    "device",
    metadata,
    id_(),
    Column("device", String(32), nullable=False, unique=True),
    Column("label", Text, nullable=False, server_default=""),
    Column("role", String(20)),
    Column("broken", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Double, nullable=False),
    Column("retired_at", Double),
    Column("pending_since", Double, index=True),  # enrolled, and not let in yet: it is in no school
    Column("asset_tag", Text, nullable=False, server_default=""),
    Column("replaces_id", Id),
    Column("kept_at", Double),  # somebody said that it is no ghost
)
membership = Table(
    "membership",
    metadata,
    id_(),
    to("device.id", "device_id", index=True),
    to("school.id", "school_id", index=True),
    to("room.id", "room_id", nullable=True, index=True),
    Column("valid_from", Double, nullable=False),
    Column("valid_to", Double),
    one_open("uq_membership_open", "device_id", "valid_to"),
    Index(  # in this order the devices of all schools are added up room by room without being sorted
        "ix_membership_present",
        "school_id",
        "room_id",
        "device_id",
        sqlite_where=text("valid_to IS NULL"),
        postgresql_where=text("valid_to IS NULL"),
    ),
)
credential = Table(
    "credential",
    metadata,
    Column("device_id", Id, ForeignKey("device.id"), primary_key=True, autoincrement=False),
    Column("frame_key", LargeBinary, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("changed_at", Double, nullable=False, index=True),
    Column("revoked_at", Double),
    Column("rotate_at", Double),  # since when it is to be renewed
    Column("next_key", LargeBinary),  # told to the device, which has not proved it after a restart yet
    Column("next_hash", Text),
    Column("next_at", Double),
)

# --- intake: journal, marks, state, sightings, quarantine ---------------------------------------------

generation = Table(
    "generation",
    metadata,
    id_(),
    to("device.id", "device_id"),
    Column("spool", String(16), nullable=False),
    Column("clock_offset", Double, nullable=False),
    Column("upto", BigInteger, nullable=False, server_default=text("0")),
    Column("heard_at", Double, nullable=False),
    Column("at_its_word", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("device_id", "spool"),
    Index("ix_generation_newest", "device_id", "id"),
)
arrived = Table(  # numbers committed above a gap; empty when nothing is missing
    "arrived",
    metadata,
    Column("generation_id", Id, ForeignKey("generation.id"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
)
journal = Table(
    "journal",
    metadata,
    id_(),
    to("device.id", "device_id"),
    to("generation.id", "generation_id"),
    Column("seq", BigInteger, nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("taken_at", Double, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("carried", Boolean, nullable=False, server_default=text("false")),  # came in a bundle
    Column("uncertain", Boolean, nullable=False, server_default=text("false")),  # taken nobody knows when
    UniqueConstraint("generation_id", "seq", "digest"),
    Index("ix_journal_device_taken", "device_id", "taken_at"),
    Index("ix_journal_received", "received_at"),
    Index(
        "ix_journal_uncertain",
        "device_id",
        sqlite_where=text("uncertain = 1"),  # as it is asked: SQLite compares the words
        postgresql_where=text("uncertain"),
    ),
    sqlite_autoincrement=True,  # cursors hold an id: one must never come twice, even after retention
)
sighting = Table(
    "sighting",
    metadata,
    id_(),
    to("device.id", "device_id"),
    Column("journal_id", BigInteger, nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("late", Boolean, nullable=False),
    Index("ix_sighting_device_seen", "device_id", "seen_at"),
)
quarantine = Table(
    "quarantine",
    metadata,
    id_(),
    Column("received_at", Double, nullable=False),
    Column("topic", Text, nullable=False),
    Column("device", String(32)),
    Column("reason", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("size", Integer, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    Column("replayed_at", Double),
    Column("waited", Double, nullable=False, server_default=text("0")),
    Column("made_at", Double),
    Index("ix_quarantine_reason", "reason", "id"),
    Index("ix_quarantine_verified", "verified", "id", "size"),
)
counter = Table(
    "counter",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("label", String(60), primary_key=True, server_default=""),
    Column("value", BigInteger, nullable=False),
)
