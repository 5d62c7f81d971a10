"""The tables of a device's page: groups in order, and beside what is unknown the reason."""

import pytest

import machines
from schoolwatch_contract.records import Envelope
from schoolwatch_server import texts
from schoolwatch_server.console import lines
from schoolwatch_server.console.words import Words
from schoolwatch_server.state import State, Text, merge

ENGLISH, VIETNAMESE = (Words(language, texts.load()) for language in ("en", "vi"))  # type: ignore[arg-type]


def state(*looked: tuple[str, str]) -> State:
    """What probes see on recorded machines, as one device."""
    seen = [machines.look(probe, machine) for probe, machine in looked]
    readings = tuple(reading for one in seen for reading in one.readings)
    return merge(State(), Envelope(1, 1e9, "0", readings, tuple(f for one in seen for f in one.facts)), 1e9)


def shown(*looked: tuple[str, str], words: Words = ENGLISH) -> dict[str, str]:
    found = (*lines.readings(state(*looked), words), *lines.facts(state(*looked), words))
    return {f"{line.name} {line.labels}".strip(): line.value for line in found}


@pytest.mark.parametrize(
    ("probe", "machine", "line", "value"),
    [
        (
            "remote_access",
            "linux/remote_access-match",
            "remote_access.ssh_password",
            "unknown (not the same for everybody (a Match block))",
        ),
        ("remote_access", "linux/remote_access-match", "remote_access.ssh_root_login", "no"),
        (
            "accounts",
            "linux/accounts-without-root",
            "accounts.without_password",
            "unknown (not permitted)",
        ),
        ("accounts", "linux/desktop-mate-never-locks", "accounts.screen_lock_timeout machine", "off"),
        (
            "accounts",
            "linux/desktop-gnome-fixed",
            "accounts.screen_lock_timeout machine",
            "5 minutes 30 seconds",
        ),
        (
            "accounts",
            "linux/desktop-gnome-default",
            "accounts.screen_lock_timeout machine",
            "unknown (each user sets it)",
        ),
        ("firewall", "linux/firewall-without-root", "firewall.enabled ufw", "unknown (not permitted)"),
        ("disk_health", "linux/disk_health-asleep", "disk_health.healthy sda", "unknown (asleep)"),
        (
            "encryption",
            "linux/encryption-fscrypt",
            "encryption.state /",
            "unknown (single folders are encrypted)",
        ),
        ("autorun", "linux/desktop-gnome-default", "autorun.automount", "unknown (each user sets it)"),
        ("backup", "linux/backup-forbidden", "backup.age marker file", "unknown (not permitted)"),
        (
            "antivirus",
            "linux/antivirus-clamd-no-database-date",
            "antivirus.signature_age clamav",
            "unknown (not reported)",
        ),
    ],
)
def test_what_is_unknown_says_why(probe: str, machine: str, line: str, value: str) -> None:
    assert shown((probe, machine))[line] == value


def test_groups_come_in_one_order_and_hold_what_belongs_together() -> None:
    looked = [(probe.name, "linux/ubuntu2204-classroom-laptop") for probe in machines.PROBES]
    groups = lines.grouped(lines.readings(state(*looked), VIETNAMESE), VIETNAMESE)
    assert [group.title for group in groups][:3] == ["Bảo mật", "Máy", "Mạng"]
    named = {line.name.partition(".")[0]: group.name for group in groups for line in group.lines}
    assert {named[subject] for subject in ("antivirus", "firewall", "updates")} == {"security"}
    assert named["processor"] == "machine"
    assert named["link"] == "network"


def test_how_a_card_has_its_addresses_reads_as_words() -> None:
    held = State({}, {'address.source{"nic":"eth0"}': Text("slaac+temporary+later", "", 1.0)})
    (line,) = lines.facts(held, VIETNAMESE)
    assert line.value == "tự cấu hình (SLAAC) + tạm thời (RFC 8981) + later"


def test_a_fact_of_a_newer_agent_is_among_the_others() -> None:
    unheard = State({}, {"weather.rain": Text("heavy", "", 1e9)})
    (group,) = lines.grouped(lines.facts(unheard, ENGLISH), ENGLISH)
    assert (group.name, [line.title for line in group.lines]) == ("other", ["weather.rain"])


def test_labels_have_words_and_one_word_may_mean_two_things() -> None:
    found = shown(
        ("addresses", "debian12"), ("quality", "debian12"), ("firewall", "windows/firewall-off-by-policy"),
        words=VIETNAMESE,
    )  # fmt: skip
    labels = " ".join(found)
    assert "address.count IPv4 · eth0 · nội bộ" in found
    assert "address.count IPv6 · eth0 · liên kết cục bộ" in found
    assert "quality.latency IPv4 · bộ định tuyến" in found
    assert not {"gateway", "private", "global", "public"} & set(labels.split())
