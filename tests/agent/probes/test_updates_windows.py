"""Windows Update on recorded machines: what waits, when it was last installed, and who decides."""

import pytest

import machines

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("machine", "pending", "security", "age", "reboot"),
    [
        ("win10-lab-desktop", 2, 1, 5 * HOUR + 44 * 60 + 58, 0),
        ("win11-teacher-laptop", 0, 0, 8 * HOUR, 1),
        ("server2019-no-security-center", 1, 1, None, 0),
        ("updates-search-fails", None, None, None, 0),
        ("updates-security-pending", 3, 2, 20 * DAY + 7 * HOUR, 1),
        ("updates-service-disabled", None, None, 6 * HOUR, 0),
        ("updates-never-installed", 0, 0, None, 1),
        ("updates-search-hangs", None, None, 6 * HOUR, 0),
        ("updates-script-hangs", None, None, None, None),
        ("updates-no-com-object", None, None, None, 0),
    ],
)
def test_what_waits(
    machine: str, pending: float | None, security: float | None, age: float | None, reboot: float | None
) -> None:
    found = machines.readings(machines.look("updates", f"windows/{machine}"))
    assert found["updates.pending"] == pending
    assert found["updates.security"] == security
    assert found["updates.age"] == age
    assert found["updates.reboot_pending"] == reboot
    facts = machines.facts(machines.look("updates", f"windows/{machine}"))
    assert ("updates.source reboot_pending" in facts) == (reboot is None)


@pytest.mark.parametrize(
    ("machine", "age", "last_installed_age"),
    [
        ("updates-garbled-dates", "not understood", "the clock was set back"),
        ("updates-never-installed", "never", "never"),
        ("updates-script-hangs", "timeout", "timeout"),
    ],
)
def test_a_date_that_is_not_known_says_why_and_costs_nothing_else(
    machine: str, age: str, last_installed_age: str
) -> None:
    observed = machines.look("updates", f"windows/{machine}")
    facts = machines.facts(observed)
    assert machines.failure(observed) is None
    assert machines.readings(observed)["updates.last_installed_age"] is None
    for quantity, reason in (("age", age), ("last_installed_age", last_installed_age)):
        assert facts[f"updates.source {quantity}"].reason == reason


@pytest.mark.parametrize(
    ("machine", "automatic", "policy", "local", "service", "server"),
    [
        ("win10-lab-desktop", 1, None, "scheduled", "manual", "microsoft"),
        ("server2019-no-security-center", 0, "download", None, "automatic", "wsus"),
        ("updates-service-disabled", 0, None, "scheduled", "disabled", "microsoft"),
        ("updates-off-by-policy", 0, "off", "off", "manual", "microsoft"),
        ("updates-wsus-scheduled", 1, "scheduled", "scheduled", "automatic", "wsus"),
        ("updates-notify-only", 0, "notify", "notify", "manual", "microsoft"),
        ("updates-left-to-the-machine", 1, "local", "scheduled", "manual", "microsoft"),
        ("updates-never-installed", None, None, None, "manual", "microsoft"),
        ("updates-script-hangs", 0, "off", None, "disabled", "microsoft"),
        ("updates-search-fails", None, None, None, None, "microsoft"),
    ],
)
def test_whether_they_come_by_themselves(
    machine: str,
    automatic: float | None,
    policy: str | None,
    local: str | None,
    service: str | None,
    server: str,
) -> None:
    observed = machines.look("updates", f"windows/{machine}")
    found, facts = machines.readings(observed), machines.facts(observed)
    assert found["updates.automatic"] == automatic
    assert facts["updates.mode policy"].value == policy
    assert facts["updates.mode local"].value == local
    assert facts["updates.service"].value == service
    assert facts["updates.server"].value == server


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ("updates-service-disabled", "service disabled"),
        ("updates-search-fails", "service disabled"),
        ("updates-search-hangs", "timeout"),
        ("updates-script-hangs", "timeout"),
        ("updates-no-com-object", "error 0x80040154"),
    ],
)
def test_a_search_that_fails_says_why(machine: str, reason: str) -> None:
    assert machines.facts(machines.look("updates", f"windows/{machine}"))["updates.search"].reason == reason


def test_the_last_installation_has_an_age_of_its_own() -> None:
    found = machines.readings(machines.look("updates", "windows/updates-service-disabled"))
    assert found["updates.last_installed_age"] == 6 * DAY + 21 * HOUR
    found = machines.readings(machines.look("updates", "windows/updates-never-installed"))
    assert found["updates.last_installed_age"] is None
