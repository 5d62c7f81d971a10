"""Activation, autorun, accounts, ways in, encryption, backups and disks of recorded Windows machines."""

from typing import Any

import pytest

import machines
from schoolwatch_agent.formats import windows_activation, windows_autorun, windows_backup
from schoolwatch_agent.formats.registry import Unread, Value
from schoolwatch_agent.probes import hardware, identity
from schoolwatch_contract.records import Fact, Reading

HOUR, DAY = 3600, 86400
Values = dict[str, float | None]


def values(probe: str, machine: str) -> Values:
    return machines.readings(machines.look(probe, f"windows/{machine}"))


def said(probe: str, machine: str) -> dict[str, str]:
    """Each fact's value, or the reason why there is none after a question mark."""
    found = machines.facts(machines.look(probe, f"windows/{machine}"))
    return {
        name: fact.value if fact.value is not None else f"? {fact.reason}"
        for name, fact in found.items()
        if fact.name != "probe.failure"
    }


@pytest.mark.parametrize("probe", ["activation", "encryption", "backup", "disk_health"])
@pytest.mark.parametrize("machine", ["posture-hangs", "posture-no-powershell", "posture-script-forbidden"])
def test_where_the_script_says_nothing_the_probe_has_failed(probe: str, machine: str) -> None:
    assert (machines.failure(machines.look(probe, f"windows/{machine}")) or "").startswith("nothing is known")


def within(expected: dict[str, Any], found: dict[str, Any]) -> None:
    assert {name: found.get(name, "missing") for name in expected} == expected


@pytest.mark.parametrize(
    ("machine", "activated", "states"),
    [
        (
            "win10-lab-desktop",
            {"windows professional": 1, "office office16proplusvl-kms-client": 1},
            {"windows professional": "activated", "office office16proplusvl-kms-client": "activated"},
        ),
        (
            "posture-not-activated",
            {"windows professional": 0, "office office16proplusvl-mak": 0},
            {"windows professional": "not activated", "office office16proplusvl-mak": "notification"},
        ),
        (
            "posture-grace-periods",
            {
                "windows education": 0,
                "office officeproplusvl-kms-client": 0,
                "office office16visioprovl-kms-client": 0,
                "office office16projectprovl-kms-client": 0,
            },
            {
                "windows education": "initial grace",
                "office officeproplusvl-kms-client": "additional grace",
                "office office16visioprovl-kms-client": "non-genuine grace",
                "office office16projectprovl-kms-client": "extended grace",
            },
        ),
        (
            "posture-esu-and-addon",
            {"windows professional": 1, "esu client-esu-year1": 1, "windows add-on addon": 0},
            {"esu client-esu-year1": "activated"},
        ),
        (
            "posture-two-keys-differ",
            {"windows professional": None, "office office16proplusvl-kms-client": None},
            {
                "windows professional": "? keys that differ",
                "office office16proplusvl-kms-client": "? keys that differ",
            },
        ),
        (
            "posture-two-keys-agree",
            {"windows professional": 1, "office office16proplusvl-kms-client": 1},
            {"office office16proplusvl-kms-client": "activated"},
        ),
        (
            "posture-microsoft365",
            {"windows professional": 1, "office o365proplusretail": None},
            {"office o365proplusretail": "? subscription of each user"},
        ),
        (
            "posture-microsoft365-grace-key",
            {
                "windows professional": 1,
                "office office16o365proplusr-grace": None,
                "office office16visioprovl-mak": 1,
            },
            {"office office16o365proplusr-grace": "? subscription of each user"},
        ),
        (
            "posture-microsoft365-older",
            {"windows professional": 1, "office office16o365proplusr-subscription5": 1},
            {"office office16o365proplusr-subscription5": "activated"},
        ),
        (
            "posture-office-without-key",
            {"windows professional": 1, "office homestudent2021retail": None},
            {"office homestudent2021retail": "? not reported"},
        ),
        (
            "posture-registry-refused",
            {"windows unknown": None, "office unknown": None},
            {"office unknown": "? not permitted"},
        ),
        (
            "posture-registry-garbled",
            {"windows unknown": None, "office unknown": None},
            {"office unknown": "? not understood"},
        ),
        ("posture-licence-single-object", {"windows core": None}, {"windows core": "? not reported"}),
        ("posture-licensing-denied", {"windows unknown": None}, {"windows unknown": "? not permitted"}),
        ("posture-licensing-hangs", {"windows unknown": None}, {"windows unknown": "? timeout"}),
        ("posture-hangs", {"windows unknown": None}, {"windows unknown": "? timeout"}),
        ("posture-no-powershell", {"windows unknown": None}, {"windows unknown": "? no PowerShell"}),
        ("posture-script-forbidden", {"windows unknown": None}, {"windows unknown": "? ended with 1"}),
    ],
)
def test_activation(machine: str, activated: Values, states: dict[str, str]) -> None:
    found = values("activation", machine)
    told = {k.removeprefix("activation.activated "): v for k, v in found.items() if ".activated" in k}
    assert told == activated
    within({f"activation.state {name}": state for name, state in states.items()}, said("activation", machine))


def test_where_click_to_run_installed_nothing_nothing_is_said_of_office() -> None:
    for listed in (None, ""):
        told = windows_activation.parse({"licences": []}, listed)
        assert {record.labels["product"] for record in told} == {"windows"}


def test_keys_that_differ_are_counted_by_their_state() -> None:
    counted = {k: v for k, v in values("activation", "posture-two-keys-differ").items() if ".keys" in k}
    assert counted == {
        "activation.keys windows professional activated": 1,
        "activation.keys windows professional not activated": 1,
        "activation.keys office office16proplusvl-kms-client activated": 1,
        "activation.keys office office16proplusvl-kms-client notification": 2,
    }
    agreed = values("activation", "posture-two-keys-agree")
    assert agreed["activation.grace office office16proplusvl-kms-client"] == 100 * DAY
    assert not [name for name in agreed if ".keys" in name]


def test_grace_is_in_seconds_and_an_activation_without_end_has_none() -> None:
    assert values("activation", "posture-kms-180-days")["activation.grace windows enterprise"] == 180 * DAY
    assert values("activation", "posture-grace-periods")["activation.grace windows education"] == 30 * DAY
    assert "activation.grace windows professional" not in values("activation", "win10-lab-desktop")
    assert "activation.grace windows core" not in values("activation", "posture-licence-single-object")


def test_nothing_that_is_sent_calls_it_licensed() -> None:
    for name in machines.NAMES:
        for fact in machines.facts(machines.look("activation", name)).values():
            assert "licensed" not in (fact.value or "").lower(), name


@pytest.mark.parametrize(
    ("machine", "drives", "commands", "devices"),
    [
        ("win10-lab-desktop", {"removable": 1, "fixed": 1, "network": 0, "optical": 1}, None, None),
        ("posture-autorun-all-off", {"removable": 0, "fixed": 0, "network": 0, "optical": 0}, 1, 1),
        ("posture-autorun-all-on", {"removable": 1, "fixed": 1, "network": 1, "optical": 1}, 0, 0),
        (
            "posture-attachments-unsafe",
            {"removable": 1, "fixed": 1, "network": 0, "optical": 1},
            None,
            None,
        ),
        (
            "posture-kms-180-days",
            {"removable": None, "fixed": None, "network": None, "optical": None},
            None,
            None,
        ),
        ("posture-hangs", {"removable": 0, "fixed": 0, "network": 0, "optical": 0}, None, None),
    ],
)
def test_autorun(machine: str, drives: Values, commands: float | None, devices: float | None) -> None:
    found = values("autorun", machine)
    within({f"autorun.enabled {drive}": value for drive, value in drives.items()}, found)
    within({"autorun.commands_blocked": commands, "autorun.devices_blocked": devices}, found)


@pytest.mark.parametrize(
    ("machine", "kept", "removable", "scanned"),
    [
        ("win10-lab-desktop", None, None, None),
        ("win11-teacher-laptop", 1, 0, 1),
        ("posture-attachments-unsafe", 0, 1, 0),
        ("posture-attachments-users-differ", None, None, 0),
        ("posture-attachments-by-machine", 1, 0, 1),
        ("posture-users-hang", None, None, None),
    ],
)
def test_attachments(
    machine: str, kept: float | None, removable: float | None, scanned: float | None
) -> None:
    found = values("autorun", machine)
    expected = {"origin_kept": kept, "origin_removable": removable, "scanned": scanned}
    within({f"attachments.{name}": value for name, value in expected.items()}, found)


@pytest.mark.parametrize(
    ("machine", "setting", "told"),
    [
        ("win10-lab-desktop", "NoDriveTypeAutoRun machine", "145"),
        ("win10-lab-desktop", "SaveZoneInformation user", "? not configured"),
        ("posture-attachments-users-differ", "SaveZoneInformation user", "1 2"),
        ("posture-kms-180-days", "SaveZoneInformation user", "? nobody is logged in"),
        ("posture-kms-180-days", "NoAutorun machine", "? not configured"),
        ("posture-users-hang", "ScanWithAntiVirus user", "? timeout"),
        ("posture-hangs", "ScanWithAntiVirus user", "? timeout"),
    ],
)
def test_a_setting_is_told_as_it_stands_or_why_not(machine: str, setting: str, told: str) -> None:
    assert said("autorun", machine)[f"autorun.setting {setting}"] == told


@pytest.mark.parametrize(("how", "reason"), [("refused", "not permitted"), ("garbled", "not understood")])
@pytest.mark.parametrize(
    ("probe", "unknown", "why", "known"),
    [
        ("accounts", ("uac", "auto_login"), ("source uac", "source auto_login"), {"enabled": 1}),
        ("accounts", ("screen_lock_timeout machine",), ("screen_lock machine",), {"lockout_threshold": 5}),
        ("remote_access", ("rdp policy", "rdp local"), ("state rdp policy",), {"smb1 server": 0}),
        ("remote_access", ("smb1 client",), ("state smb1 client",), {"smb1 feature": 0}),
        ("updates", ("automatic",), ("mode policy", "service", "server"), {"pending": 1}),
        (
            "antivirus",
            ("disabled_by_policy defender whole",),
            ("source disabled_by_policy",),
            {"products": 0},
        ),
    ],
)
def test_a_registry_value_that_can_not_be_read_is_unknown_and_costs_nothing_else(
    how: str, reason: str, probe: str, unknown: tuple[str, ...], why: tuple[str, ...], known: Values
) -> None:
    machine = f"posture-registry-{how}"
    within({f"{probe}.{name}": None for name in unknown}, values(probe, machine))
    within({f"{probe}.{name}": f"? {reason}" for name in why}, said(probe, machine))
    within({f"{probe}.{name}": value for name, value in known.items()}, values(probe, machine))


def test_a_machine_wide_setting_that_can_not_be_read_is_not_replaced_by_the_users() -> None:
    users = {"users": [{"NoDriveTypeAutoRun": 255}]}
    for value in (Unread("not permitted"), "yes"):
        told = list(windows_autorun.parse({"NoDriveTypeAutoRun": value}, users))
        assert Reading("autorun.enabled", None, {"drive": "removable"}) in told


@pytest.mark.parametrize(
    ("driver", "freezing"), [(Unread("not permitted"), None), (None, "none"), (3, "deep-freeze")]
)
def test_a_driver_that_may_not_be_looked_for_is_not_taken_for_none(
    driver: Value, freezing: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines.machine("windows/win10-lab-desktop")
    monkeypatch.setattr("schoolwatch_agent.asked.value", lambda *_: driver)
    monkeypatch.setattr(machine, "powershell", lambda *_, **__: '{"uwf": []}')
    assert identity.freezing(machine) == freezing


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ("closed", "not permitted"),
        ("one-closed", "not permitted"),
        ("hive-damaged", "not understood"),
    ],
)
def test_a_hive_that_may_not_be_opened_is_not_taken_for_nobody(machine: str, reason: str) -> None:
    machine = f"posture-users-{machine}"
    assert said("accounts", machine)["accounts.screen_lock screen saver"] == f"? {reason}"
    assert said("autorun", machine)["autorun.setting SaveZoneInformation user"] == f"? {reason}"
    assert values("autorun", machine)["autorun.enabled removable"] is None


def test_what_the_open_hive_of_several_says_is_told() -> None:
    assert said("autorun", "posture-users-one-closed")["autorun.setting NoDriveTypeAutoRun user"] == "255"
    assert said("backup", "posture-users-one-closed")["backup.state file history"] == "found"
    assert said("backup", "posture-users-closed")["backup.state file history"] == "? not permitted"


UNKNOWN: Values = {
    "administrators": None,
    "enabled": None,
    "guest_enabled": None,
    "password_min_length": None,
    "password_expires": None,
}


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (
            "win10-lab-desktop",
            {
                "uac": 1,
                "auto_login": 1,
                "administrators": 1,
                "enabled": 2,
                "without_password": 1,
                "guest_enabled": 0,
                "password_min_length": 0,
                "password_max_age": 42 * DAY,
                "password_expires": 1,
                "lockout_threshold": 0,
            },
        ),
        (
            "posture-uac-off-auto-login",
            {
                "uac": 0,
                "auto_login": 1,
                "administrators": 3,
                "other_administrators": 1,
                "guest_enabled": 1,
                "builtin_administrator_enabled": 1,
                "password_expires": 0,
                "password_max_age": None,
            },
        ),
        (
            "posture-strict-accounts",
            {
                "uac": 1,
                "auto_login": 0,
                "password_min_length": 14,
                "password_history": 24,
                "password_max_age": 60 * DAY,
                "lockout_threshold": 5,
            },
        ),
        ("posture-accounts-hang", {**UNKNOWN, "uac": 1, "auto_login": 0}),
        ("posture-hangs", {**UNKNOWN, "uac": 1}),
        ("posture-no-powershell", {**UNKNOWN, "uac": 1}),
        (
            "posture-auto-login-not-a-number",
            {"auto_login": None, "password_expires": 0, "password_max_age": None},
        ),
        ("posture-kms-180-days", {"uac": None, "auto_login": 0}),
    ],
)
def test_accounts_in_numbers(machine: str, expected: Values) -> None:
    found = values("accounts", machine)
    within({f"accounts.{name}": value for name, value in expected.items()}, found)


@pytest.mark.parametrize(
    ("machine", "source", "timeout", "state"),
    [
        ("win11-teacher-laptop", "machine", 900, "on"),
        ("win11-teacher-laptop", "screen saver", 600, "on"),
        ("posture-strict-accounts", "screen saver", 900, "on"),
        ("posture-uac-off-auto-login", "machine", None, "off"),
        ("posture-screen-saver-one-user-off", "screen saver", None, "off"),
        ("posture-kms-180-days", "machine", None, "? not configured"),
        ("posture-kms-180-days", "screen saver", None, "? nobody is logged in"),
        ("win10-lab-desktop", "screen saver", None, "? not configured"),
        ("posture-users-hang", "screen saver", None, "? timeout"),
    ],
)
def test_the_screen_locks(machine: str, source: str, timeout: float | None, state: str) -> None:
    assert values("accounts", machine)[f"accounts.screen_lock_timeout {source}"] == timeout
    assert said("accounts", machine)[f"accounts.screen_lock {source}"] == state


@pytest.mark.parametrize(
    ("machine", "fact", "told"),
    [
        ("win10-lab-desktop", "uac_prompt", "consent for other makers' programs"),
        ("posture-uac-off-auto-login", "uac_prompt", "without asking"),
        ("posture-kms-180-days", "uac_prompt", "? not configured"),
        ("posture-accounts-hang", "source accounts", "? timeout"),
        ("posture-accounts-hang", "source password rules", "? error 0x80070035"),
        ("posture-hangs", "source accounts", "? timeout"),
        ("posture-kms-180-days", "source accounts", "answered"),
    ],
)
def test_accounts_say_why_they_are_not_known(machine: str, fact: str, told: str) -> None:
    assert said("accounts", machine)[f"accounts.{fact}"] == told


@pytest.mark.parametrize(
    ("machine", "rdp", "nla", "smb1"),
    [
        # each: policy, local; then SMB 1 of server, client, feature
        ("win10-lab-desktop", (None, 0), (None, 1), (0, 0, 0)),
        ("win11-teacher-laptop", (None, 0), (None, 1), (0, 0, 0)),
        ("server2019-no-security-center", (1, 1), (1, 1), (1, 1, None)),
        ("posture-rdp-open-without-nla", (None, 1), (None, 0), (1, 1, 1)),
        ("posture-rdp-denied-by-policy", (0, 1), (None, 1), (0, 0, 0)),
        ("posture-smb1-by-registry", (None, None), (None, None), (1, 0, None)),
        ("posture-smb1-unknown", (None, None), (None, None), (None, None, None)),
        ("posture-hangs", (None, 0), (None, None), (None, None, None)),
    ],
)
def test_ways_in(
    machine: str,
    rdp: tuple[float | None, ...],
    nla: tuple[float | None, ...],
    smb1: tuple[float | None, ...],
) -> None:
    found = values("remote_access", machine)
    assert tuple(found[f"remote_access.rdp {source}"] for source in ("policy", "local")) == rdp
    assert tuple(found[f"remote_access.rdp_nla {source}"] for source in ("policy", "local")) == nla
    assert tuple(found[f"remote_access.smb1 {part}"] for part in ("server", "client", "feature")) == smb1


@pytest.mark.parametrize(
    ("machine", "fact", "told"),
    [
        ("posture-rdp-denied-by-policy", "rdp policy", "off"),
        ("posture-smb1-unknown", "smb1 server", "? not permitted"),
        ("posture-smb1-by-registry", "smb1 feature", "? timeout"),
        ("server2019-no-security-center", "smb1 feature", "? not on this system"),
        ("posture-hangs", "smb1 server", "? timeout"),
    ],
)
def test_a_way_in_is_on_off_or_says_why_not(machine: str, fact: str, told: str) -> None:
    assert said("remote_access", machine)[f"remote_access.state {fact}"] == told


@pytest.mark.parametrize(
    ("machine", "enabled", "states", "kinds"),
    [
        ("win10-lab-desktop", {"C:": 0}, {"C:": "decrypted"}, {"C:": "system"}),
        ("win11-teacher-laptop", {"C:": 1}, {"C:": "encrypted"}, {"C:": "system"}),
        (
            "posture-bitlocker-system-and-data",
            {"C:": 1, "D:": 0, "E:": None},
            {"C:": "encrypted", "D:": "encrypting", "E:": "? locked"},
            {"C:": "system", "D:": "data", "E:": "removable"},
        ),
        ("posture-bitlocker-suspended", {"C:": 0}, {"C:": "encrypted"}, {"C:": "system"}),
        (
            "posture-bitlocker-paused",
            {"C:": 0, "D:": 0, "F:": 0},
            {"C:": "decryption paused", "D:": "encryption paused", "F:": "? not reported"},
            {"C:": "system", "D:": "data", "F:": "data"},
        ),
        ("posture-bitlocker-denied", {"unknown": None}, {"unknown": "? not permitted"}, {}),
        ("posture-bitlocker-not-on-this-edition", {"unknown": None}, {"unknown": "? not on this system"}, {}),
        ("posture-hangs", {"unknown": None}, {"unknown": "? timeout"}, {}),
    ],
)
def test_encryption(machine: str, enabled: Values, states: dict[str, str], kinds: dict[str, str]) -> None:
    assert values("encryption", machine) == {f"encryption.enabled {k}": v for k, v in enabled.items()}
    expected = {f"encryption.state {k}": v for k, v in states.items()}
    expected |= {f"encryption.volume_kind {k}": v for k, v in kinds.items()}
    assert said("encryption", machine) == expected


@pytest.mark.parametrize(
    ("machine", "ages", "reasons"),
    [
        (
            "win10-lab-desktop",
            {"windows backup": None, "file history": None, "restore point": DAY + 5 * HOUR},
            {"windows backup": "? never", "file history": "? not configured", "marker": "? no such file"},
        ),
        ("server2019-no-security-center", {"windows backup": 5 * HOUR - 5}, {"windows backup": "found"}),
        (
            "posture-backup-by-event",
            {"windows backup": 7 * DAY, "restore point": 6 * DAY},
            {"restore point": "found"},
        ),
        ("posture-file-history", {"file history": 1700550000 - 1700503200}, {"file history": "found"}),
        (
            "posture-backup-never",
            {"windows backup": None, "restore point": None},
            {"windows backup": "? never", "restore point": "? not on this system"},
        ),
        (
            "posture-backup-in-the-future",
            {"windows backup": None},
            {"windows backup": "? the clock was set back"},
        ),
        ("posture-hangs", {"windows backup": None}, {"windows backup": "? timeout"}),
    ],
)
def test_backups(machine: str, ages: Values, reasons: dict[str, str]) -> None:
    within({f"backup.age {source}": age for source, age in ages.items()}, values("backup", machine))
    within({f"backup.state {source}": told for source, told in reasons.items()}, said("backup", machine))


@pytest.mark.parametrize(
    ("machine", "expected", "states"),
    [
        (
            "win10-lab-desktop",
            {"healthy 0": 1, "wear 0": 0.03, "power_on_time 0": None, "power_on_time 1": 11021 * HOUR},
            {"0": "healthy", "1": "healthy"},
        ),
        (
            "posture-disk-failing",
            {
                "healthy 0": 0,
                "failure_predicted 0": 1,
                "read_errors 0": 12,
                "healthy 1": 0,
                "failure_predicted 1": 0,
                "wear 1": 1.01,
            },
            {"0": "warning", "1": "unhealthy"},
        ),
        (
            "posture-disk-says-nothing",
            {"healthy 0": None, "failure_predicted 0": None, "wear 0": None, "read_errors 0": None},
            {"0": "? not reported by the driver"},
        ),
        ("posture-disk-text-states", {"healthy 0": 1, "wear 0": 0.07}, {"0": "healthy"}),
        ("posture-disks-denied", {"healthy unknown": None}, {"unknown": "? not permitted"}),
        ("posture-hangs", {"healthy unknown": None}, {"unknown": "? timeout"}),
    ],
)
def test_disks(machine: str, expected: Values, states: dict[str, str]) -> None:
    within({f"disk_health.{name}": value for name, value in expected.items()}, values("disk_health", machine))
    assert said("disk_health", machine) == {f"disk_health.state {k}": v for k, v in states.items()}


def test_a_garbled_date_of_a_backup_is_not_never() -> None:
    garbled = {
        "wbsummary": ["hôm qua"],
        "wbevent": [],
        "users": [],
        "restore_points": [{"CreationTime": "x"}],
    }
    told = {
        fact.labels["source"]: fact.reason
        for fact in windows_backup.parse(garbled, 1.7e9)
        if isinstance(fact, Fact)
    }
    assert told["windows backup"] == told["restore point"] == "not understood"
    dated = [*windows_backup.parse({**garbled, "wbevent": ["2023-11-14T07:00:00Z"]}, 1.7e9)]
    assert Fact("backup.state", "found", {"source": "windows backup"}) in dated


def test_a_garbled_bios_date_costs_only_itself() -> None:
    found = {"computer": {"Manufacturer": "Dell Inc."}, "bios": {"ReleaseDate": "30/06/2021"}}
    told = list(hardware.parse_windows(found))
    assert Fact("hardware.bios_date", None, {}, "not understood") in told
    assert Fact("hardware.vendor", "Dell Inc.") in told


def test_a_virtual_disk_has_no_health_of_its_own() -> None:
    assert not [name for name in values("disk_health", "posture-disk-says-nothing") if name.endswith(" 1")]
