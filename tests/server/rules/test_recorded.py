"""Rules on recorded machines: what a real computer says goes through the probe, and is then judged."""

from pathlib import Path

import pytest

import machines
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server import lifecycle, rules
from schoolwatch_server.rules.condition import met
from schoolwatch_server.rules.told import Given, Told, hear

T = 1_795_000_000.0  # November 2026
RULES = {rule.id: rule for rule in rules.load()}
GIVEN = Given(("Kaspersky", "Bkav"), lifecycle.load())
UP = Reading("uptime.seconds", 90_000.0)

yes, no, unknown = True, False, None


def told(probe: str, machine: str) -> Told:
    seen = machines.look(probe, machine)
    return hear(Envelope(1, T, "1", (UP, *seen.readings), seen.facts), T, {}, GIVEN)


def verdict(rule: str, found: Told) -> bool | None:
    return met(RULES[rule].condition, found)


ANTIVIRUS = {
    # what runs beside Defender
    "kaspersky-defender-not-running": (no, no, no),
    "defender-passive": (no, no, yes),
    "defender-passive-mode": (no, no, yes),
    "defender-passive-upper-case": (no, no, yes),
    "defender-sxs-passive": (no, no, yes),
    "defender-edr-block": (no, no, yes),
    "defender-hangs-beside-other": (no, no, no),
    "localized-names": (no, no, no),
    # Defender alone
    "defender-before-running-mode": (no, no, unknown),
    "security-center-hangs": (no, no, unknown),
    "defender-realtime-off": (no, yes, yes),
    "realtime-disabled-by-policy": (no, yes, yes),
    "disabled-by-policy": (yes, unknown, unknown),
    "service-off-mode-normal": (yes, unknown, unknown),
    "defender-unheard-of-mode": (unknown, unknown, unknown),
    # entries that an uninstalled or updated product left behind
    "stale-entry": (no, no, yes),
    "all-entries-stale": (no, no, yes),
    "duplicate-entries": (no, no, no),
    "self-update-two-entries": (no, no, no),
    "old-entry-on-new-entry-off": (yes, unknown, unknown),
    # there, and not at work
    "expired": (yes, unknown, unknown),
    "snoozed": (yes, unknown, unknown),
    "off-single-object": (yes, unknown, unknown),
    "outdated": (no, no, yes),  # its signatures are another rule's
    "unknown-nibbles": (unknown, unknown, unknown),
    "state-missing": (unknown, unknown, unknown),
    # nothing there, or nothing said
    "none": (yes, unknown, unknown),
    "empty-center": (yes, unknown, unknown),
    "access-denied": (unknown, unknown, unknown),
    "everything-denied": (unknown, unknown, unknown),
    # Windows Server: no Security Center
    "server-kaspersky-service": (no, unknown, no),
    "server-kavfs": (no, unknown, no),
    "server-eset-stopped": (no, no, unknown),
    "server-kaspersky-stopped": (unknown, unknown, unknown),
    "server-two-services": (unknown, unknown, unknown),
    "server-sophos-defender-passive": (unknown, unknown, unknown),
    "server2025-edr-block": (no, unknown, unknown),
    "server-defender-hangs": (unknown, unknown, unknown),
    "server-defender-removed": (unknown, unknown, unknown),
}
"""Of each machine: antivirus off, real-time protection off, not the issued one. See docs/judgement.md."""


@pytest.mark.parametrize(("machine", "verdicts"), ANTIVIRUS.items())
def test_whether_an_antivirus_protects(machine: str, verdicts: tuple[bool | None, ...]) -> None:
    found = told("antivirus", f"windows/antivirus-{machine}")
    asked = ("antivirus_off", "realtime_off", "antivirus_other")
    assert tuple(verdict(rule, found) for rule in asked) == verdicts


def test_a_server_that_defender_protects_is_no_alert() -> None:
    found = told("antivirus", "windows/server2019-no-security-center")
    assert verdict("antivirus_off", found) is False
    assert verdict("antivirus_other", found) is None, "another maker's product would not be seen there"


def test_no_recorded_antivirus_of_windows_is_left_out_by_chance() -> None:
    """Those of dates, scans, detections and broken answers say nothing of whether it runs."""
    begin = "windows/antivirus-"
    left = {name.removeprefix(begin) for name in machines.NAMES if name.startswith(begin)}
    assert left - ANTIVIRUS.keys() == {
        "chinese-huorong",
        "cyrillic-name",
        "dates-of-1601",
        "defender-age-in-days-only",
        "defender-never-updated",
        "detections",
        "garbled-dates",
        "hangs",
        "not-json",
        "one-detection-single-object",
        "script-forbidden",
        "self-update-no-timestamps",
        "signature-date-in-the-future",
        "tamper-protection-off",
    }


@pytest.mark.parametrize(
    ("rule", "probe", "machine", "expected"),
    [
        ("malware_found", "antivirus", "antivirus-detections", yes),
        ("malware_found", "antivirus", "antivirus-none", unknown),
        ("malware_found", "antivirus", "antivirus-chinese-huorong", no),
        ("firewall_off", "firewall", "firewall-off-by-policy", yes),
        ("firewall_off", "firewall", "firewall-policy-on-local-off", no),
        ("firewall_off", "firewall", "firewall-policy-off-local-on", yes),
        ("firewall_off", "firewall", "firewall-other-maker", no),
        ("firewall_off", "firewall", "firewall-refused", unknown),
        ("firewall_off", "firewall", "firewall-no-cmdlet", unknown),
        ("rdp_open", "remote_access", "posture-rdp-open-without-nla", yes),
        ("rdp_open", "remote_access", "posture-rdp-denied-by-policy", no),
        ("smb1_on", "remote_access", "posture-smb1-by-registry", yes),
        ("smb1_on", "remote_access", "posture-smb1-unknown", unknown),
        ("link_half_duplex", "links", "network-half-duplex", yes),
        ("link_errors", "links", "network-faulty-cable", no),
        ("link_slow", "links", "network-cable-unplugged", unknown),
        ("link_errors", "links", "win10-lab-desktop", unknown),
        ("system_unsupported", "system", "system-ltsc2021", no),
        ("system_unsupported", "system", "system-iot-ltsc", no),
        ("system_unsupported", "system", "system-old-without-edition", unknown),
        ("accounts_open", "accounts", "posture-uac-off-auto-login", yes),
        ("accounts_open", "accounts", "posture-strict-accounts", no),
        ("updates_old", "updates", "updates-wsus-scheduled", no),
        ("updates_old", "updates", "updates-off-by-policy", no),
        ("updates_old", "updates", "updates-no-com-object", unknown),
        ("updates_old", "updates", "updates-search-hangs", no),
        ("updates_old", "updates", "updates-never-installed", unknown),
        ("disk_failing", "disk_health", "posture-disk-failing", yes),
        ("disk_failing", "disk_health", "posture-disks-denied", unknown),
        ("autorun_on", "autorun", "posture-autorun-all-on", yes),
        ("autorun_on", "autorun", "posture-autorun-all-off", no),
    ],
)
def test_recorded_machines_are_judged(rule: str, probe: str, machine: str, expected: bool | None) -> None:
    assert verdict(rule, told(probe, f"windows/{machine}")) is expected


def test_the_documentation_has_each_of_them() -> None:
    page = (Path(__file__).parents[3] / "docs" / "judgement.md").read_text(encoding="utf-8")
    assert [machine for machine in ANTIVIRUS if f"`{machine}`" not in page] == []
