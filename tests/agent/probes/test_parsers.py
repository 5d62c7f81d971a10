"""Any text at all: a parser gives values or raises what `observe` turns into a reading, soon."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile import DATA, DOCUMENTS, OBJECTS, TEXTS
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import (
    advertisement,
    cim,
    dconf,
    linux_accounts,
    linux_antivirus,
    linux_blocks,
    linux_ssh,
    mounts,
    network,
    product,
    security_center,
    settings_file,
    smart,
    windows_accounts,
    windows_activation,
    windows_autorun,
    windows_backup,
    windows_disk_health,
    windows_encryption,
    windows_remote_access,
    windows_updates,
)
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import cut
from schoolwatch_agent.probe import Probe, observe
from schoolwatch_agent.probes import (
    addresses,
    antivirus,
    disk,
    disk_health,
    encryption,
    firewall,
    hardware,
    ipv6,
    links,
    memory,
    processor,
    remote_access,
    resolvers,
    routes,
    system,
    updates,
    uptime,
)
from schoolwatch_contract import envelope
from schoolwatch_contract.records import SCHEMA, Envelope


def whole(records: Iterable[Any]) -> None:
    """What came of a parser goes through `observe` and the wire, whatever it is."""
    observed = observe(Probe("memory", 0, lambda _: records), Host())
    body = Envelope(SCHEMA, 1.7e9, "0.1.0", observed.readings, observed.facts)
    assert envelope.decode(envelope.encode(body)) == body


@pytest.mark.parametrize(
    "parse",
    [
        memory.parse,
        uptime.parse,
        resolvers.parse,
        updates.parse,
        lambda text: processor.parse(text, text, text, text),
        lambda text: system.parse(text, text, text, has_sessions=True),
        lambda text: hardware.parse(dict.fromkeys(hardware._DMI_FILES, text), text, text),
        lambda text: iter([hardware.parse_disk(text[:20], text, text)]),
        lambda text: links.records([links.parse("eth0", dict.fromkeys(links._FILES, text), wireless=False)]),
        lambda text: system.parse_windows(dict.fromkeys(system._VALUES, text), text),
        lambda text: processor.parse_windows(text, text, text, text),
        lambda text: uptime.parse_windows(text, 1.7e9),
        lambda text: remote_access.parse(linux_ssh.access(linux_ssh.lines(text))),
        lambda text: disk_health.parse("mmcblk0", smart.emmc(text, "0x01")),
    ],
)
@given(text=TEXTS)
def test_any_text_is_records_or_a_failure(parse: Callable[[str], Iterable[Any]], text: str) -> None:
    whole(item for _ in (0,) for item in parse(text))


@pytest.mark.parametrize(
    "parse",
    [
        lambda text: addresses.parse(network.linux_addresses(text)),
        lambda text: routes.parse(network.linux_routes(text, "6")),
        lambda text: ipv6.parse(
            list(network.linux_addresses(text)),
            list(network.linux_routes(text, "6")),
            list(network.linux_neighbours(text)),
            ipv6.Heard(),
        ),
        lambda text: antivirus.parse((linux_antivirus.mdatp(text, 1.7e9),), counted=True),
        lambda text: antivirus.parse((linux_antivirus.bitdefender(text, 1.7e9),), counted=True),
        lambda text: antivirus.parse((linux_antivirus.cortex(text, text, text),), counted=True),
        lambda text: antivirus.parse((linux_antivirus.kesl(text, 1.7e9),), counted=True),
        lambda text: antivirus.parse((linux_antivirus.eset(text, text, 1.7e9),), counted=True),
        lambda text: antivirus.parse((linux_antivirus.sentinelone(text, text),), counted=True),
        lambda text: encryption.parse(linux_blocks.volumes(text), frozenset({"/home"})),
        lambda text: disk_health.parse("sda", smart.smartctl(text)),
        lambda text: disk_health.parse("sda", smart.udisks_ata(text)),
        lambda text: disk_health.parse("nvme0n1", smart.udisks_nvme(text)),
    ],
)
@given(text=DOCUMENTS)
def test_any_document_is_records_or_a_failure(parse: Callable[[str], Iterable[Any]], text: str) -> None:
    whole(item for _ in (0,) for item in parse(text))


def registry(found: dict[str, Any]) -> dict[str, int | str | None]:
    """What of it a registry may hold."""
    return {name: value for name, value in found.items() if isinstance(value, int | str | None)}


OF_OBJECTS: tuple[Callable[[dict[str, Any]], Iterable[Any]], ...] = (
    lambda found: antivirus.parse(security_center.parse(found, 1.7e9).products, counted=True),
    lambda found: antivirus.parse_windows(security_center.parse(found, 1.7e9), {}),
    lambda found: firewall.parse_windows(found, {}),
    lambda found: windows_activation.parse(found, next(iter(registry(found).values()), None)),
    windows_encryption.parse,
    windows_disk_health.parse,
    lambda found: windows_backup.parse(found, 1.7e9),
    lambda found: windows_autorun.parse(registry(found), found),
    lambda found: windows_accounts.parse(registry(found), found),
    lambda found: windows_remote_access.parse(registry(found), found),
    hardware.parse_windows,
    resolvers.parse_windows,
    lambda found: windows_updates.parse(found, registry(found), 1.7e9),
    lambda found: links.records(links.parse_windows(found)),
    lambda found: addresses.parse(network.windows_addresses(found)),
    lambda found: routes.parse(network.windows_routes(found)),
    lambda found: ipv6.parse(*ipv6._windows(found), ipv6.Heard(refused="not_permitted")),
    memory.parse_windows,
)


@given(found=OBJECTS)
def test_any_object_of_powershell_is_records_or_a_failure(found: dict[str, Any]) -> None:
    for parse in OF_OBJECTS:  # each gets the same: making objects costs more than parsing them
        whole(item for _ in (0,) for item in parse(found))


@pytest.mark.parametrize(
    "parse",
    [
        lambda text: linux_accounts.min_length(linux_accounts.stack(text, "password"), {}),
        lambda text: linux_accounts.lockout((), linux_accounts.options(text)),
        lambda text: linux_accounts.max_age(linux_accounts.options(text)),
        lambda text: linux_accounts.administrators(text, text),
        lambda text: linux_accounts.other_administrators(text, text),
        linux_accounts.enabled,
        lambda text: linux_accounts.without_password(text, text),
        lambda text: len(linux_ssh.listening(text)),
        lambda text: len(dconf.database([text], [text]).values),
        lambda text: len(dconf.system_databases(text)),
        lambda text: settings_file.autologin(text) or 0,
        lambda text: updates.last_installed(text) or 0,
        updates.automatic,
    ],
)
@given(text=TEXTS)
def test_any_text_is_a_number_or_not_understood(parse: Callable[[str], float], text: str) -> None:
    try:
        number = parse(text)
    except NotUnderstood:
        return
    assert 0 <= number < 2**40


@given(text=DOCUMENTS)
def test_firewall_answers_are_a_yes_a_no_or_not_understood(text: str) -> None:
    for parse in (firewall.firewalld, firewall.nftables, firewall.iptables):
        said: object = True
        try:
            said = parse(text)
        except NotUnderstood as error:
            said = None if len(str(error)) < 300 else error
        assert said in (True, False, None)


@given(text=TEXTS)
def test_mounts_and_sockets_are_paths_of_the_text(text: str) -> None:
    found = disk.parse(mounts.parse(text))
    assert all(mount.replace(" ", "") in text.replace("\\040", "").replace(" ", "") for mount in found)
    assert (linux_antivirus.clamd_sockets(text)[0] or "") in text


@given(body=st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"\x86\x00" + rest))
def test_any_bytes_are_an_advertisement_or_not_understood(body: bytes) -> None:
    try:
        found = advertisement.parse(body)
    except NotUnderstood:
        return
    assert 0 <= found.router_lifetime < 65536
    assert len(body) >= 16
    assert advertisement.parse(advertisement.without_addresses(body)) == found


@given(value=DATA)
def test_powershells_values_are_finite_or_unknown(value: object) -> None:
    number = cim.number(value)
    assert number is None or number >= 0 or math.isnan(number)
    assert cim.flag(value) in (True, False, None)
    try:
        instant = cim.instant(value)
    except NotUnderstood:
        return
    assert instant is None or instant >= 315_532_800


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("/Date(1700520000000)/", 1_700_520_000),
        ("\\/Date(1700520000000)\\/", 1_700_520_000),
        ("/Date(1700520000000+0700)/", 1_700_520_000),
        ({"value": "/Date(1700520000000)/", "DateTime": "Thứ Ba"}, 1_700_520_000),
        ("20231121054000.000000+420", 1_700_520_000),
        ("20231120224000.000000+000", 1_700_520_000),
        ("20231120154000.000000-420", 1_700_520_000),
        ("2023-11-20T22:40:00Z", 1_700_520_000),
        ("2023-11-21T05:40:00.1234567+07:00", 1_700_520_000.123456),
        ("/Date(-11644473600000)/", None),
        ("16010101000000.000000+000", None),
        ("1601-01-01T00:00:00Z", None),
        (None, None),
        ("", None),
    ],
)
def test_dates_in_all_their_shapes(written: object, seconds: float | None) -> None:
    assert cim.instant(written) == seconds


@given(name=st.text(max_size=200))
def test_a_label_fits_the_wire(name: str) -> None:
    label = product.slug(name)
    assert 0 < len(label) <= 64


@given(text=st.text(alphabet="0123456789abcdef:-./ \\CUsers", max_size=400))
def test_cutting_ends_and_cuts_all_macs(text: str) -> None:
    import re

    left = re.findall(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", cut(text))
    assert all(set(mac) <= set("0:-") for mac in left)
