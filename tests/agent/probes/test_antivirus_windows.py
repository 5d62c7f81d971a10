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
