"""Security Center and Defender, with the traps that others fell into (recorded shapes)."""

import pytest

import machines
from schoolwatch_agent.formats import security_center
from schoolwatch_agent.formats.product import slug


@pytest.mark.parametrize(
    ("machine", "products", "running"),
    [
        ("kaspersky-defender-not-running", 2, {"kaspersky-endpoint-security-for-windows": 1, "defender": 0}),
        ("outdated", 2, {"eset-security": 1, "defender": 0}),
        ("off-single-object", 1, {"avast-antivirus": 0}),
        ("snoozed", 2, {"bkav-pro": 0, "defender": 0}),
        ("expired", 2, {"mcafee-virusscan": 0, "defender": 0}),
        ("duplicate-entries", 2, {"kaspersky": 1, "defender": 0}),
        ("stale-entry", 1, {"defender": 1}),
        ("localized-names", 3, {"phan-mem-diet-virus-bkav-da-nen-tang": 1, "360": 0, "defender": 0}),
        ("defender-passive", 2, {"sophos-anti-virus": 1, "defender": 0}),
        ("defender-passive-mode", 2, {"sophos-anti-virus": 1, "defender": 0}),
        ("defender-sxs-passive", 2, {"sophos-anti-virus": 1, "defender": 0}),
        ("defender-edr-block", 2, {"sophos-anti-virus": 1, "defender": 0}),
        ("defender-unheard-of-mode", 1, {"defender": None}),
        ("defender-before-running-mode", None, {"defender": 1}),
        ("defender-realtime-off", 1, {"defender": 1}),
        ("self-update-two-entries", 2, {"bkav-pro": 1, "defender": 0}),
        ("self-update-no-timestamps", 2, {"avast-antivirus": 1, "defender": 0}),
        ("old-entry-on-new-entry-off", 2, {"kaspersky": 0, "defender": 0}),
        ("all-entries-stale", 1, {"defender": 1}),
        ("cyrillic-name", 3, {"антивирус-касперского": 1, "diet-virus-cmc": 0, "defender": 0}),
        ("chinese-huorong", 2, {"火绒安全软件": 1, "defender": 0}),
        ("defender-hangs-beside-other", 2, {"kaspersky-endpoint-security-for-windows": 1, "defender": 0}),
        ("security-center-hangs", None, {"defender": 1}),
        ("everything-denied", None, {}),
        ("disabled-by-policy", 1, {"defender": 0}),
        ("realtime-disabled-by-policy", 1, {"defender": 1}),
        ("service-off-mode-normal", 1, {"defender": 0}),
        ("defender-passive-upper-case", 2, {"trend-micro-apex-one": 1, "defender": 0}),
        ("unknown-nibbles", 2, {"someav": None, "defender": 0}),
        ("state-missing", 2, {"mcafee-livesafe": None, "defender": 0}),
        ("server-kaspersky-service", None, {"kaspersky": 1}),
        ("server-kaspersky-stopped", None, {"kaspersky": 0}),
        ("server-kavfs", None, {"kaspersky": 1}),
        ("server-two-services", None, {"trend-micro": None}),
        ("server-eset-stopped", None, {"eset": 0, "defender": 1}),
        ("server-defender-hangs", None, {"defender": None}),
        ("server-sophos-defender-passive", None, {"sophos": None, "defender": 0}),
        ("server2025-edr-block", None, {"crowdstrike-falcon": 1, "defender": 0}),
        ("one-detection-single-object", 1, {"defender": 1}),
        ("empty-center", 0, {}),
        ("none", 0, {}),
        ("server-defender-removed", None, {}),
        ("access-denied", None, {}),
    ],
)
def test_which_products_run(machine: str, products: int | None, running: dict[str, int | None]) -> None:
    found = machines.readings(machines.look("antivirus", f"windows/antivirus-{machine}"))
    assert found["antivirus.products"] == products
    assert {k.split()[1]: v for k, v in found.items() if k.startswith("antivirus.running")} == running


def test_a_server_without_security_center_is_told_by_defender_alone() -> None:
    observed = machines.look("antivirus", "windows/server2019-no-security-center")
    found = machines.readings(observed)
    assert found["antivirus.running defender"] == 1
    assert found["antivirus.products"] is None, "another maker's product would not be seen there"
    # 2023-11-21 01:30 at UTC+7, seen at 07:00 UTC
    assert found["antivirus.signature_age defender"] == 12.5 * 3600


def test_a_paused_or_expired_product_says_so() -> None:
    for state in ("snoozed", "expired"):
        found = machines.facts(machines.look("antivirus", f"windows/antivirus-{state}"))
        assert state in {fact.value for fact in found.values()}


def test_signatures_are_outdated_by_their_own_nibble() -> None:
    found = machines.readings(machines.look("antivirus", "windows/antivirus-outdated"))
    assert found["antivirus.signatures_current eset-security"] == 0
    assert found["antivirus.signature_age eset-security"] is None


def test_names_stay_in_their_language() -> None:
    found = machines.facts(machines.look("antivirus", "windows/antivirus-localized-names"))
    assert {fact.value for name, fact in found.items() if name.startswith("antivirus.name")} == {
        "Phần mềm diệt virus Bkav Đa Nền Tảng",
        "360安全卫士",
        "Microsoft Defender 防病毒",
    }


def test_realtime_off_is_seen_while_defender_runs() -> None:
    found = machines.readings(machines.look("antivirus", "windows/antivirus-defender-realtime-off"))
    assert found["antivirus.running defender"] == 1
    assert found["antivirus.realtime defender"] == 0


def test_never_is_unknown_and_not_four_billion_days() -> None:
    observed = machines.look("antivirus", "windows/antivirus-defender-never-updated")
    assert machines.readings(observed)["antivirus.signature_age defender"] is None
    assert machines.facts(observed)["antivirus.signature_version defender"].value is None
    assert machines.readings(observed)["antivirus.signatures_current defender"] == 0


def test_an_age_in_days_serves_when_there_is_no_date() -> None:
    found = machines.readings(machines.look("antivirus", "windows/antivirus-defender-age-in-days-only"))
    assert found["antivirus.signature_age defender"] == 9 * 86400


def test_iso_dates_of_powershell_7_are_read() -> None:
    found = machines.readings(machines.look("antivirus", "windows/win11-teacher-laptop"))
    # 22:40:00.12 at UTC+7 is 15:40 UTC, seen at 07:00 UTC the next day
    assert found["antivirus.signature_age defender"] == 15 * 3600 + 20 * 60


def test_two_entries_of_one_update_are_one_product_that_is_on_and_current() -> None:
    for machine in ("self-update-two-entries", "self-update-no-timestamps"):
        found = machines.readings(machines.look("antivirus", f"windows/antivirus-{machine}"))
        (current,) = (
            v for k, v in found.items() if k.startswith("antivirus.signatures_current") and "def" not in k
        )
        assert current == 1, machine


@pytest.mark.parametrize(
    ("machine", "reasons"),
    [
        ("win10-lab-desktop", {"security center": "", "defender": "", "services": "not understood"}),
        ("antivirus-chinese-huorong", {"security center": "", "defender": "", "services": ""}),
        (
            "antivirus-defender-hangs-beside-other",
            {"security center": "", "defender": "timeout", "services": ""},
        ),
        ("antivirus-security-center-hangs", {"security center": "timeout", "defender": "", "services": ""}),
        (
            "antivirus-everything-denied",
            {"security center": "not permitted", "defender": "not permitted", "services": ""},
        ),
        (
            "antivirus-server-kaspersky-service",
            {"security center": "not on this system", "defender": "not on this system", "services": ""},
        ),
        ("antivirus-empty-center", {"security center": "", "defender": "not reported", "services": ""}),
    ],
)
def test_each_source_answered_or_says_why_not(machine: str, reasons: dict[str, str]) -> None:
    facts = machines.facts(machines.look("antivirus", f"windows/{machine}"))
    said = {
        k.removeprefix("antivirus.source "): f for k, f in facts.items() if k.startswith("antivirus.source")
    }
    assert {source: fact.reason for source, fact in said.items()} == reasons
    assert {fact.value for fact in said.values() if not fact.reason} <= {"answered"}


def test_a_hung_defender_is_the_reason_of_its_own_unknowns_alone() -> None:
    facts = machines.facts(machines.look("antivirus", "windows/antivirus-defender-hangs-beside-other"))
    assert facts["antivirus.version defender"].reason == "timeout"
    assert facts["antivirus.version kaspersky-endpoint-security-for-windows"].reason == "not reported"


@pytest.mark.parametrize(
    ("machine", "whole", "realtime"),
    [("disabled-by-policy", 1, 0), ("realtime-disabled-by-policy", 0, 1), ("tamper-protection-off", 0, 0)],
)
def test_group_policy_that_disables_defender_is_told(machine: str, whole: float, realtime: float) -> None:
    found = machines.readings(machines.look("antivirus", f"windows/antivirus-{machine}"))
    assert found["antivirus.disabled_by_policy defender whole"] == whole
    assert found["antivirus.disabled_by_policy defender realtime"] == realtime


def test_scans_and_tamper_protection() -> None:
    observed = machines.look("antivirus", "windows/antivirus-tamper-protection-off")
    found, facts = machines.readings(observed), machines.facts(observed)
    assert found["antivirus.tamper_protected defender"] == 0
    assert found["antivirus.scan_age defender quick"] == 4 * 3600
    assert found["antivirus.scan_age defender full"] is None
    assert facts["antivirus.scan defender full"].reason == "never"


@pytest.mark.parametrize("machine", ["dates-of-1601", "signature-date-in-the-future"])
def test_dates_that_cannot_be_are_unknown(machine: str) -> None:
    found = machines.readings(machines.look("antivirus", f"windows/antivirus-{machine}"))
    assert found["antivirus.signature_age defender"] is None
    assert found["antivirus.scan_age defender quick"] is None


def test_a_garbled_date_costs_its_own_field_and_nothing_else() -> None:
    observed = machines.look("antivirus", "windows/antivirus-garbled-dates")
    found, facts = machines.readings(observed), machines.facts(observed)
    assert machines.failure(observed) is None
    assert found["antivirus.running defender"] == 1
    assert found["antivirus.signature_age defender"] == 2 * 86400, "the age in days speaks"
    assert found["antivirus.scan_age defender quick"] is None
    assert facts["antivirus.scan defender quick"].reason == "not understood"
    assert found["antivirus.scan_age defender full"] == 4 * 3600
    assert found["antivirus.detections defender"] == 3
    assert facts["antivirus.threat defender Trojan:Win32/Wacatac.B!ml"].value == "2023-11-21T02:30:00Z"
    assert facts["antivirus.threat defender Worm:VBS/Jenxcus"].reason == "not understood"


def test_what_defender_found_is_counted_and_named_without_path() -> None:
    observed = machines.look("antivirus", "windows/antivirus-detections")
    assert machines.readings(observed)["antivirus.detections defender"] == 3
    threats = {k: f.value for k, f in machines.facts(observed).items() if k.startswith("antivirus.threat")}
    assert threats == {
        "antivirus.threat defender Trojan:Win32/Wacatac.B!ml": "2023-11-21T02:30:00Z",
        "antivirus.threat defender Worm:VBS/Jenxcus": "2023-11-19T01:00:00Z",
    }


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        ("antivirus-one-detection-single-object", 1),
        ("antivirus-chinese-huorong", 0),
        ("antivirus-server-kaspersky-service", None),
        ("antivirus-everything-denied", None),
        ("antivirus-defender-hangs-beside-other", None),
    ],
)
def test_no_event_is_none_found_and_no_log_is_unknown(machine: str, count: float | None) -> None:
    found = machines.readings(machines.look("antivirus", f"windows/{machine}"))
    assert found["antivirus.detections defender"] == count


@pytest.mark.parametrize(
    ("number", "decoded"),
    [
        (0x041000, (("antivirus",), "on", False, True)),
        (0x061110, (("updates", "antivirus"), "on", True, False)),
        (0x0C2000, (("antivirus", "antispyware"), "snoozed", False, True)),
        (0x053000, (("firewall", "antivirus"), "expired", False, True)),
        (0x7F4020, (tuple(security_center._PROVIDERS.values()), None, False, None)),
    ],
)
def test_product_state_is_decoded_whole(number: int, decoded: tuple[object, ...]) -> None:
    found = security_center.decode(number)
    assert (found.providers, found.state, found.microsoft, found.current) == decoded


def test_the_script_asks_for_each_service_that_is_known() -> None:
    """`AVP.*` of the table is `AVP*` of Get-Service; both lists name the same."""
    import re
    from importlib import resources

    source = (resources.files("schoolwatch_agent") / "scripts" / "antivirus.ps1").read_text("utf-8")
    asked = set(re.findall(r"'([^']+)'", source.split("-Name ")[1].split("|")[0]))
    known = {name.replace(".*", "*") for names, _ in security_center._SERVICES for name in names.split("|")}
    assert asked == known | {"WinDefend"}


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ("hangs", "TimedOut: powershell antivirus gave no answer"),
        ("script-forbidden", "CommandFailed: powershell antivirus ended with 1: Cannot invoke"),
        ("not-json", "NotUnderstood: not JSON: 'Xin chào!"),
    ],
)
def test_an_answer_that_does_not_come_fails_the_probe_with_its_evidence(machine: str, reason: str) -> None:
    observed = machines.look("antivirus", f"windows/antivirus-{machine}")
    assert machines.readings(observed) == {}
    assert (machines.failure(observed) or "").startswith(reason)


@pytest.mark.parametrize(
    ("state", "running", "current"),
    [
        (266240, True, True),
        (266256, True, False),
        (262144, False, True),
        (397312, True, True),
        (397328, True, False),
        (393216, False, True),
        (393232, False, False),
        (397568, True, True),
        (397584, True, False),
        (393472, False, True),
    ],
)
def test_known_values_of_product_state(state: int, running: bool, current: bool) -> None:
    found = security_center.parse({"products": {"displayName": "X", "productState": state}}, 1.7e9)
    (product,) = found.products
    assert (product.running, product.signatures_current) == (running, current)
    assert (product.id == "defender") == (state & 0x0F00 == 0x0100)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Bkav Pro", "bkav-pro"),
        ("Diệt virus Đại Việt", "diet-virus-dai-viet"),
        ("안티바이러스", "안티바이러스"),
        ("!!", "!!"),
    ],
)
def test_a_label_is_made_of_the_name(name: str, label: str) -> None:
    assert slug(name) == label
