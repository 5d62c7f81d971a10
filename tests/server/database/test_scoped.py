"""Whatever reads rows takes the scope of who asks, or is named here with the reason why it needs none."""

import ast
from collections.abc import Iterator
from pathlib import Path

import schoolwatch_server

SERVER = Path(schoolwatch_server.__file__).parent
DATABASE = SERVER / "database"


def named(**functions: str) -> set[str]:
    return {f"{module}.{name}" for module, names in functions.items() for name in names.split()}


ABOUT_ONE = named(
    duty_rows="shifts",
    attachments="bytes_of_school of_claims",
    claim_steps="events",
    arrivals="hints_of school_of",
    boundaries="of_province paths remove replace",
    calendars="hours",
    channel_rows="address remove",
    enrolment="has_place open_tokens room_of_school",
    incident_acts="last newer",
    incident_recipients="recipients",
    identities="behind machines",
    incident_rows="called events",
    journal="carried look of_device reported uncertain",
    history="daily",
    judged="latest latest_of numbered read",
    known_network="code_of ended incidents is_any remembered",
    judged_queries="newest",
    judged_statements="folded lasts newest newest_row points",
    lives="asset_tag is_revoked own_role replaced",
    grafana_alerts="count forget_silent known",
    maintenances="of_incident",
    pages="declarations rooms",
    rollups="kept read read_many",
    report_deadlines="deadlines",
    succession="commune_merged former_communes",
    replaying="devices named reports school_of",
    reports="body events revisions",
    room_use="of_school",
    serious="form forms gravities",
    sightings="of_device seen_at_school seen_by",
    states="known load",
    told="line_tester",
    unobserved="among of_school",
    whereabouts="answer_for devices lines_at of_incident",
)
"""About one place, device or incident, by its number: the caller has it from a query with a scope."""

OF_THE_SERVER = named(
    audit="entries newest",
    audit_page="actions lines",
    called="mark",
    counted="answers counters cursors devices_in_use quarantined",
    counters="read",
    channel_rows="found listed",
    deliveries="newest",
    duty_rows="on_duty set_escalation settings",
    exercise_rows="found listed running",
    forgetting="held",
    rollout="versions",
    server_health="ages newest readers size undelivered",
    store_writer="standing",
    packs="kept stamp stored",
    replaying="judged_since looked_since real refused_since tested_since",
    rules="stamp stored",
    simulated="is_simulated",
    standing="standing",
)
"""About the server as a whole: asked behind `system`, or holding nothing of a school."""

WHO_ASKS = named(
    api_tokens="by_hash issuers scopes_used",
    credentials="find offered_key",
    enrolment="token",
    own_channel_rows="count of_account sent_since",
    people="account_by_id account_by_identity account_by_name accounts any_account names",
    second_factor="codes_left factor",
    sessions="end_numbered find of_account",
)
"""Finds out who asks, or what is an account's own: the scope is in the answer."""

NOBODY_ASKS = named(
    arrays="among_rows",
    asked="among",
    audit="acted prune",
    arrivals="let_in",
    called="gone",
    calendars="places",
    columns="one_open",
    faults="put",
    forgetting="is_doubtful may_forget",
    erasure="device devices_of_school id_of school",
    claims="prune",
    clocks="median_offset",
    copies="census newest_report program version",
    credentials="gateways passwords standing take_up",
    declarations="unsay",
    deleted="again is_gone note",
    dependents="delete_with_dependents",
    ended="again goes_back is_gone note",
    engine="epoch history migrate upgrade",
    enrolment="devices_of_school enrolled name_of",
    grafana_alerts="current",
    incident_alerts="newest_event",
    incident_counts="opened told_in",
    lan_facts="connected faulty listeners machines open_at_schools",
    line_facts="cuts heard ipv6 testers",
    judged_log="newest note_again page",
    rollout="by_school",
    store_writer="begin devices fail load lose rewind",
    hearings="listen note of_rooms of_schools schools_heard",
    identities="compare frozen of_school",
    incidents="all_states close_incident false_alarms is_false_alarm note open_incident"
    " open_with states worsen",
    open_incidents="evidence of_rules subjects",
    known_network="ends learnt_everywhere",
    memories="forget of_devices remembering",
    journal="append digests held_since last_received_at position pruned_before received_until rows_after"
    " set_pruned_before",
    judged="fallen newest_of series write",
    lease="hold release",
    lives="restore take_over",
    reorganised="merge_schools split_school",
    maintenances="at",
    managed="of_communes",
    marks="acks create load newest_offsets",
    notifications="put remind tell_of_act write",
    channel_rows="give_up_stale opened usable",
    own_channel_rows="apart elsewhere shifts",
    deliveries="channels_due channels_waiting claim doubt failed made next_due refused sent waiting",
    duty_rows="settings_row where",
    escalations="climb due",
    told_of="of_delivery",
    serious="marked owing reminded",
    report_reminders="claim next_due put",
    people="idle",
    past="open_past",
    past_rows="days_heard heard ipv6_worked judged line_tests looks refused series_of silent told",
    quarantine="add find newest replayable rows",
    registry="create_school",
    reports="all_ids",
    restored="acks_now went_back",
    retention="prune",
    retired="remove strip",
    rollups="run_once waiting",
    contacts="known_kinds put",
    listed="put",
    roster="put put_communes",
    room_use="sum_weeks",
    scopes="by_code",
    sealed="seal_anew",
    slots="busy may_begin",
    rule_reach="apart rules_found withdraw",
    sightings="of_reports of_rows seers",
    sites="due had_ipv6 put",
    states="advance",
    told="due line_testers mark_all mark_room passes set_targets targets",
    watched="ipv6 refused",
    upsert="insert_new upsert",
)
"""The server's own work: intake, broker, rules, upkeep. Nothing that answers people reads by these."""

CALLED = named(
    audit="head record record_deeds",
    attachments="add carry_over remove",
    claim_steps="draft lock",
    contacts="write",
    hand_checks="record",
    incident_homes="end_retired follow",
    incident_owners="let_go",
    incident_recipients="set_recipient",
    serious="set_sent",
    lives="set_asset_tag",
    sealed="check",
    people="switch_off",
    sites="change look_soon",
    engine="open_database",
    registry="change_code change_room create_device move_device",
    reports="newest_revision",
    told="set_line_tester",
)
"""The server's own work too, called by what answers people: at start, or for what it found by the scope."""

A_NUMBER = named(channel_rows="carriers", incident_news="judged_at newest", reports="first_school")
"""A time, a count or kinds of channels of the server as a whole: it says nothing of any school."""

ANYBODY = named(reports="kept")
"""Asked by whoever holds a paper, by the digest on it, which nobody guesses; the answer holds no name."""

OPEN = named(reach="inside", incident_rows="incident_select")
"""The condition of a scope itself, for statements asked with its place; a statement still without it."""

LISTS = (ABOUT_ONE, OF_THE_SERVER, WHO_ASKS, NOBODY_ASKS, CALLED, A_NUMBER, ANYBODY, OPEN)

ANSWERS_PEOPLE = ("api", "console", "reports")


Known = dict[str, ast.FunctionDef | ast.Assign]
"""The functions of a module, and statements that it builds once."""


def known_in(file: Path) -> Known:
    found: Known = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found


def reads(one: ast.AST, beside: Known, seen: frozenset[str]) -> bool:
    """Whether it selects rows itself, or by a function or statement of its own module."""
    for node in ast.walk(one):
        if isinstance(node, ast.Name) and isinstance(beside.get(node.id), ast.Assign) and node.id not in seen:
            if reads(beside[node.id], beside, seen | {node.id}):
                return True
            continue
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "select":
            return True
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in {"select", "text"}:
            return True
        if name in beside and name not in seen and reads(beside[name], beside, seen | {name}):
            return True
    return False


def takes_a_scope(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return any(a.annotation is not None and "Scope" in ast.unparse(a.annotation) for a in arguments)


def readers() -> Iterator[tuple[str, bool]]:
    """Every public function that reads, with whether it takes a scope."""
    for file in sorted(DATABASE.glob("*.py")):
        known = known_in(file)
        for name, function in known.items():
            if not isinstance(function, ast.FunctionDef) or name.startswith("_"):
                continue
            if reads(function, known, frozenset({name})):
                yield f"{file.stem}.{name}", takes_a_scope(function)


def test_what_reads_takes_a_scope_or_says_why_not() -> None:
    found = dict(readers())
    without = {name for name, scoped in found.items() if not scoped}
    listed = set().union(*LISTS)
    assert len(found) > 80, "the walk finds the functions"
    new, gone = sorted(without - listed), sorted(listed - without)
    assert not new, f"give {new} a scope, or list it above with the reason why it needs none"
    assert not gone, f"{gone} is gone, or takes a scope now: strike it from the list"
    assert len(listed) == sum(map(len, LISTS)), "listed twice"


def called(file: Path) -> set[str]:
    """Functions of the database package that a module calls, as `module.function`."""
    tree, names = ast.parse(file.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("schoolwatch_server.database"):
            module = (node.module or "").rpartition(".")[2]
            for alias in node.names:
                whole = alias.name if module == "database" else f"{module}.{alias.name}"
                names[alias.asname or alias.name] = whole
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            found.add(f"{names[node.value.id]}.{node.attr}")
        elif isinstance(node, ast.Name) and "." in names.get(node.id, ""):
            found.add(names[node.id])
    return found


def test_nothing_that_answers_people_reads_what_is_nobodys_question() -> None:
    files = [file for folder in ANSWERS_PEOPLE for file in (SERVER / folder).rglob("*.py")]
    assert "registry.school_by_code" in {name for file in files for name in called(file)}
    for file in files:
        wrong = called(file) & NOBODY_ASKS
        assert not wrong, f"{file.relative_to(SERVER)}: {wrong}"


def test_what_is_of_the_whole_server_is_asked_behind_the_gate_of_the_server() -> None:
    names = ("api/health.py", "api/service.py", "console/audit.py", "console/packs.py", "console/system.py")
    names += ("api/server_metrics.py",)
    names += ("console/notifications.py", "console/duty.py", "console/exercises.py")
    own = {SERVER / name for name in names}
    for folder in ANSWERS_PEOPLE:
        for file in (SERVER / folder).rglob("*.py"):
            assert file in own or not called(file) & OF_THE_SERVER, file.relative_to(SERVER)
