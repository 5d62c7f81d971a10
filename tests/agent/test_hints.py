"""Digests of hardware numbers: one spelling, nothing of what makers left empty, a key of the school's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent.formats import hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import identity, listed
from schoolwatch_contract.records import Fact

KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.mark.parametrize(
    "empty",
    [
        "",
        "   ",
        "To be filled by O.E.M.",
        "To Be Filled By O.E.M",
        "Default string",
        "System Serial Number",
        "None",
        "Not Specified",
        "N/A",
        "NO_UUID_AVAILABLE",
        "0123456789",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
        "03000200-0400-0500-0006-000700080009",
        "03020100-0500-0400-0006-000700080009",
        "00:00:00:00:00:00",
        "........",
    ],
)
def test_what_a_maker_left_empty_or_gave_to_a_series_is_no_hint(empty: str) -> None:
    assert hints.normal(empty) is None


def test_the_same_number_has_one_digest_however_it_is_written() -> None:
    spellings = ("00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001A2B3C4D5E", " 001a2b3c4d5e\n")
    found = hints.digests(KEY, {"mac": spellings})
    assert len(found["mac"]) == 1
    assert found != hints.digests(OTHER, {"mac": spellings}), "another school's key gives another digest"
    assert found["mac"] != hints.digests(KEY, {"disk": spellings})["disk"], "a kind is part of the digest"


def test_disks_that_can_be_carried_away_and_partitions_are_left_out() -> None:
    names = (
        "ata-Samsung_SSD_860_EVO_500GB_S3Z1NB0K1",
        "ata-Samsung_SSD_860_EVO_500GB_S3Z1NB0K1-part1",
        "wwn-0x5002538e4",
        "usb-Kingston_DataTraveler_001-0:0",
        "nvme-WDC_PC_SN530_21",
        "dm-name-root",
    )
    assert hints.disk_names(names) == ("Samsung_SSD_860_EVO_500GB_S3Z1NB0K1", "WDC_PC_SN530_21")


@given(st.dictionaries(st.sampled_from(hints.KINDS), st.lists(st.text(max_size=40), max_size=12)))
def test_whatever_a_machine_says_gives_few_digests_of_one_length(found: dict[hints.Kind, list[str]]) -> None:
    for digests in hints.digests(KEY, found).values():
        assert len(digests) <= hints.MOST
        assert all(len(one) == hints.DIGITS and set(one) <= set("0123456789abcdef") for one in digests)


class Known(Host):
    """A Linux machine with these files and names; root's files may be closed."""

    def __init__(
        self, files: dict[str, str], folders: dict[str, tuple[str, ...]], closed: bool = False
    ) -> None:
        super().__init__()
        self.files, self.folders, self.closed = files, folders, closed

    def text(self, path: str) -> str:
        if self.closed and path.startswith("/sys/class/dmi"):
            raise PermissionError(path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def names(self, folder: str) -> tuple[str, ...]:
        if folder not in self.folders:
            raise FileNotFoundError(folder)
        return self.folders[folder]

    def exists(self, path: str) -> bool:
        return path in self.files

    def node_name(self) -> str:
        return "may-01"


MOUNTS = "/dev/sda1 / ext4 rw,relatime 0 0\ntmpfs /run tmpfs rw 0 0\n"
FILES = {
    "/proc/mounts": MOUNTS,
    "/sys/class/dmi/id/product_uuid": "4c4c4544-0043-4410-8052-b4c04f4d3232\n",
    "/sys/class/dmi/id/board_serial": "To be filled by O.E.M.\n",
    "/sys/class/net/eth0/device": "",
    "/sys/class/net/eth0/address": "00:1a:2b:3c:4d:5e\n",
    "/sys/class/net/lo/address": "00:00:00:00:00:00\n",
}
FOLDERS = {"/sys/class/net": ("eth0", "lo"), "/dev/disk/by-id": ("ata-Disk_1", "usb-Stick")}


def facts(host: Host, key: bytes = KEY) -> dict[str, Fact]:
    seen = observe(listed("identity", 0, key), host)
    assert all(r.value == 1 for r in seen.readings if r.metric == "probe.ok")
    return {fact.labels.get("kind", fact.name): fact for fact in seen.facts}


def test_a_linux_machine_tells_digests_and_no_number() -> None:
    found = facts(Known(FILES, FOLDERS))
    assert {kind: bool(fact.value) for kind, fact in found.items()} == {
        "system": True,
        "board": False,
        "disk": True,
        "mac": True,
        "name": True,
        "identity.freezing": True,
    }
    assert found["board"].reason == "not filled in by the maker"
    assert found["identity.freezing"].value == "none"
    said = "".join(str(fact) for fact in found.values())
    for number in ("4c4c4544", "001a2b", "Disk_1", "may-01"):
        assert number.lower() not in said.lower()


def test_without_root_what_may_not_be_read_is_unknown_and_says_so() -> None:
    found = facts(Known(FILES, FOLDERS, closed=True))
    assert (found["system"].value, found["system"].reason) == (None, "not permitted")
    assert found["disk"].value
    assert found["mac"].value


def test_without_the_school_s_key_nothing_is_told_but_the_freezing_software() -> None:
    found = facts(Known(FILES, FOLDERS), b"")
    assert {fact.reason for kind, fact in found.items() if kind != "identity.freezing"} == {identity.NO_KEY}
    assert found["identity.freezing"].value == "none"


OVERLAYROOT = (
    "/dev/sda1 /media/root-ro ext4 ro 0 0\n"
    "tmpfs-root /media/root-rw tmpfs rw 0 0\n"
    "overlayroot / overlay rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay,workdir=/w 0 0\n"
)
"""Written from overlayroot(8) of Debian's package overlayroot."""

CONTAINER = (
    "overlay / overlay rw,lowerdir=/var/lib/docker/l/A,upperdir=/var/lib/docker/b/diff 0 0\n"
    "tmpfs /run tmpfs rw 0 0\n"
)


@pytest.mark.parametrize(
    ("mounts", "frozen"),
    [(OVERLAYROOT, True), (CONTAINER, False), (MOUNTS, False), ("", False), ("x\n", False)],
)
def test_a_root_that_lives_in_memory_is_frozen_and_a_container_s_is_not(mounts: str, frozen: bool) -> None:
    assert identity.frozen_root(mounts) is frozen


class Windows(Host):
    """A Windows machine: written by hand from Microsoft's documentation of the classes in identity.ps1."""

    def __init__(self, answer: str, drivers: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.system = "windows"
        self.answer, self.drivers = answer, drivers

    def powershell(self, script: str, timeout: float = 30) -> str:
        assert script == "identity"
        return self.answer

    def registry(self, key: str, value: str) -> int | str | None:
        return 0 if key.rpartition("\\")[2] in self.drivers and value == "Start" else None

    def node_name(self) -> str:
        return "PC-01"


ANSWER = (
    '{"system":{"UUID":"4C4C4544-0043-4410-8052-B4C04F4D3232"},"board":[{"SerialNumber":"/1A2B/CN7/"}],'
    '"disk":[{"SerialNumber":"0025_38B1."},{"SerialNumber":"   "}],'
    '"mac":{"value":[{"PermanentAddress":"001A2B3C4D5E"}],"Count":1},"uwf":UWF}'
)


@pytest.mark.parametrize(
    ("uwf", "drivers", "product"),
    [
        ("[]", (), "none"),
        ('{"CurrentEnabled":true}', (), "uwf"),
        ('[{"CurrentEnabled":false}]', (), "none"),
        ("[]", ("DeepFrz",), "deep-freeze"),
        ("[]", ("diskpt",), "shadow-defender"),
    ],
)
def test_a_windows_machine_tells_its_freezing_software(
    uwf: str, drivers: tuple[str, ...], product: str
) -> None:
    found = facts(Windows(ANSWER.replace("UWF", uwf), frozenset(drivers)))
    assert found["identity.freezing"].value == product
    assert all(found[kind].value for kind in hints.KINDS)


def test_one_machine_has_the_same_digests_on_both_systems() -> None:
    windows, linux = facts(Windows(ANSWER.replace("UWF", "[]"))), facts(Known(FILES, FOLDERS))
    assert windows["system"].value == linux["system"].value
    assert windows["mac"].value == linux["mac"].value


def test_a_recording_of_this_probe_holds_no_number() -> None:
    from schoolwatch_agent.recorder import Recorder

    recorder = Recorder(Known(FILES, FOLDERS))
    observe(listed("identity", 0, KEY), recorder)
    text = str(recorder.recording()).lower()
    for number in ("4c4c4544", "00:1a:2b", "disk_1", "may-01"):
        assert number not in text
    recorder = Recorder(Windows(ANSWER.replace("UWF", "[]")))
    observe(listed("identity", 0, KEY), recorder)
    text = str(recorder.recording()).lower()
    for number in ("4c4c4544", "001a2b3c4d5e", "1a2b/cn7", "0025_38b1", "pc-01"):
        assert number not in text
