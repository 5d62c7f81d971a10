"""Operating system, hardware, disks, memory, processor and updates on recorded machines."""

from pathlib import Path

import pytest

import machines
from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import mounts
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import disk, hardware, listed, updates


def values(probe: str, machine: str) -> dict[str, str | None]:
    return {name: fact.value for name, fact in machines.facts(machines.look(probe, machine)).items()}


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("windows/win10-lab-desktop", ["Windows 10 Pro", "22H2", "19045.3693", "AMD64", "client"]),
        ("windows/win11-teacher-laptop", ["Windows 11 Pro", "23H2", "22631.2715", "AMD64", "client"]),
        (
            "windows/server2019-no-security-center",
            ["Windows Server 2019 Standard", "1809", "17763.5122", "AMD64", "server"],
        ),
        (
            "windows/system-ltsc2021",
            ["Windows 10 Enterprise LTSC 2021", "21H2", "19044.3693", "AMD64", "client"],
        ),
        ("windows/system-education", ["Windows 11 Education", "24H2", "26100.2314", "AMD64", "client"]),
        (
            "windows/system-server-core",
            ["Windows Server 2022 Standard", "21H2", "20348.2113", "AMD64", "server"],
        ),
        ("windows/system-old-without-edition", ["Windows 10 Pro", "1803", "17134", "AMD64", "client"]),
        ("linux/ubuntu2204-classroom-laptop", ["Ubuntu", "22.04", "6.2.0-36-generic", "x86_64", "client"]),
        ("debian12", ["Debian GNU/Linux", "12", "6.1.0-18-amd64", "x86_64", "server"]),
    ],
)
def test_the_operating_system(machine: str, expected: list[str]) -> None:
    found = values("system", machine)
    assert [found[f"os.{name}"] for name in ("name", "version", "build", "arch", "kind")] == expected


@pytest.mark.parametrize(
    ("machine", "edition"),
    [
        ("win10-lab-desktop", "Professional"),
        ("system-ltsc2021", "EnterpriseS"),
        ("system-iot-ltsc", "IoTEnterpriseS"),
        ("system-old-without-edition", None),
    ],
)
def test_the_edition_tells_ltsc_from_the_rest(machine: str, edition: str | None) -> None:
    assert values("system", f"windows/{machine}")["os.edition"] == edition


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("windows/win10-lab-desktop", ["Dell Inc.", "OptiPlex 3080", "2021-06-30", "desktop"]),
        ("windows/win11-teacher-laptop", ["LENOVO", "82RK", "2023-05-17", "laptop"]),
        ("windows/server2019-no-security-center", ["HPE", "ProLiant ML30 Gen10", "2020-03-12", "server"]),
        (
            "windows/hardware-virtual-machine",
            ["Microsoft Corporation", "Virtual Machine", "2019-05-09", "virtual"],
        ),
        ("windows/hardware-not-filled-in", [None, None, None, None]),
        ("linux/ubuntu2204-classroom-laptop", ["Acer", "TravelMate B311-31", "2020-08-14", "laptop"]),
        ("linux/hardware-raspberry-pi", [None, "Raspberry Pi 4 Model B Rev 1.4", None, None]),
        ("debian12", [None, None, None, "virtual"]),
    ],
)
def test_the_machine(machine: str, expected: list[str | None]) -> None:
    found = values("hardware", machine)
    assert [found[f"hardware.{name}"] for name in ("vendor", "model", "bios_date", "chassis")] == expected


@pytest.mark.parametrize(
    ("machine", "disks"),
    [
        ("windows/win10-lab-desktop", {"0": "ssd", "1": "hdd"}),
        ("windows/win11-teacher-laptop", {"0": "ssd"}),
        ("windows/server2019-no-security-center", {"0": None}),
        ("windows/hardware-virtual-machine", {"0": "virtual"}),
        ("windows/hardware-not-filled-in", {"0": "hdd", "1": None}),
        ("linux/ubuntu2204-classroom-laptop", {"nvme0n1": "ssd", "sda": "hdd"}),
        ("linux/hardware-raspberry-pi", {"mmcblk0": "ssd"}),
        ("debian12", {"vda": "virtual"}),
    ],
)
def test_kinds_of_disk(machine: str, disks: dict[str, str | None]) -> None:
    found = values("hardware", machine)
    assert {
        key.split()[1]: kind for key, kind in found.items() if key.startswith("hardware.disk_type")
    } == disks


@pytest.mark.parametrize(
    "written",
    [
        "To Be Filled By O.E.M.",
        "System Product Name",
        "Default string",
        "OEM",
        "None",
        "00000000",
        "N/A",
        "  ",
        "-",
    ],
)
def test_what_a_maker_left_empty_is_unknown(written: str) -> None:
    (vendor, *_) = hardware.parse({"sys_vendor": written}, "", "")
    assert vendor.value is None
    assert vendor.reason == "not filled in by the maker"


def test_processor_memory_and_uptime() -> None:
    found = machines.readings(machines.look("processor", "linux/ubuntu2204-classroom-laptop"))
    assert found == {"processor.busy": 0.3, "processor.load": 0.52, "processor.count": 2}
    found = machines.readings(machines.look("processor", "windows/win10-lab-desktop"))
    assert found == {"processor.busy": 0.2, "processor.count": 4}
    found = machines.readings(machines.look("memory", "linux/ubuntu2204-classroom-laptop"))
    assert found == {"memory.size": 3884092 * 1024, "memory.available": 1779493 * 1024}
    found = machines.readings(machines.look("uptime", "windows/win10-lab-desktop"))
    assert found == {"uptime.seconds": 7200}


def test_only_local_disks_that_can_fill_up() -> None:
    found = machines.readings(machines.look("disk", "linux/ubuntu2204-classroom-laptop"))
    assert {key.split()[1] for key in found} == {"/", "/boot/efi"}
    found = machines.readings(machines.look("disk", "windows/win10-lab-desktop"))
    assert found == {"disk.size C:\\": 255e9, "disk.free C:\\": 101e9}


def test_in_the_agents_own_sandbox_disks_are_found_and_what_covers_them_is_not_measured() -> None:
    """Lines as systemd 252 makes them with ProtectSystem=strict, ProtectHome=yes and a StateDirectory."""
    mountinfo = """\
400 300 8:2 / / ro,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
401 400 8:3 / /home ro,relatime shared:2 - ext4 /dev/sda3 rw
402 400 8:1 / /boot/efi ro,relatime shared:3 - vfat /dev/sda1 rw,fmask=0077
403 400 8:4 / /backup ro,relatime shared:4 - ext4 /dev/sda4 ro
404 401 0:25 /systemd/inaccessible/dir /home ro,nosuid,nodev,noexec - tmpfs tmpfs rw,size=4k,mode=755
405 400 8:2 /var/lib/private/schoolwatch-agent /var/lib/private/schoolwatch-agent rw - ext4 /dev/sda2 rw
"""
    assert disk.parse(mounts.parse(mountinfo)) == ("/", "/boot/efi")


def test_a_home_of_its_own_that_the_service_is_not_shown_is_unknown_not_absent() -> None:
    observed = machines.look("disk", "linux/disk-home-of-its-own-hidden")
    sizes = {name: size for name, size in machines.readings(observed).items() if "size" in name}
    assert sizes == {
        "disk.size /": 5e10,
        "disk.size /boot/efi": 5e8,
        "disk.size /home": None,
        "disk.size /srv/school data": 1e11,
    }
    assert {name: fact.reason for name, fact in machines.facts(observed).items()} == {
        "disk.state /home": "hidden from the agent's service"
    }


def test_where_other_processes_are_hidden_the_agents_own_mounts_are_the_machines() -> None:
    found = machines.readings(machines.look("disk", "linux/disk-other-processes-hidden"))
    assert found == {"disk.size /": 5e10, "disk.free /": 2e10}


def test_of_one_file_system_the_place_that_is_not_hidden_is_asked() -> None:
    btrfs = "1 0 0:30 /{0} /{1} rw - btrfs /dev/sda2 rw\n"
    mounted = mounts.parse(btrfs.format("home", "home") + btrfs.format("data", "srv/data"))
    assert disk.parse(mounted, frozenset({"/home"})) == ("/srv/data",)


def test_a_disk_that_hangs_does_not_hide_the_others() -> None:
    class OneHangs(Host):
        def text(self, path: str) -> str:
            return "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /data rw - ext4 /dev/b rw\n"

        def space(self, path: str) -> tuple[int, int]:
            if path == "/data":
                raise OSError(5, "Input/output error")
            return 100, 40

    found = machines.readings(observe(listed("disk", 0), OneHangs()))
    assert found == {"disk.size /": 100, "disk.free /": 40, "disk.size /data": None, "disk.free /data": None}


@pytest.mark.parametrize(
    ("machine", "pending", "security", "age", "reboot"),
    [
        ("linux/ubuntu2204-classroom-laptop", 2, 1, 43200, 1),
        ("linux/updates-no-lists", None, None, None, None),
    ],
)
def test_updates(
    machine: str, pending: float | None, security: float | None, age: float | None, reboot: float | None
) -> None:
    found = machines.readings(machines.look("updates", machine))
    names = ("pending", "security", "age", "reboot_pending")
    assert tuple(found[f"updates.{name}"] for name in names) == (pending, security, age, reboot)


def test_what_updates_do_not_know_has_its_reason() -> None:
    facts = machines.facts(machines.look("updates", "linux/updates-no-lists"))
    assert facts["updates.search"].reason == "no package lists"
    for quantity, reason in (
        ("age", "no such file"),
        ("last_installed_age", "not reported"),
        ("reboot_pending", "nothing here would tell"),
    ):
        assert facts[f"updates.source {quantity}"].reason == reason


@pytest.mark.parametrize("said", ["", "\x00\ufffd", "Reading package lists...\n"])
def test_words_that_are_not_apt_s_do_not_mean_that_nothing_waits(said: str) -> None:
    with pytest.raises(NotUnderstood, match="not what apt-get prints"):
        list(updates.parse(said))


class OneProgram(Host):
    """This machine, on which every program is one."""

    said: str | None = None

    def run(self, *argv: str, timeout: float = 10) -> str:
        if self.said is None:
            raise TimedOut(argv[0], timeout)
        return self.said


def test_garbage_of_a_program_costs_its_own_field() -> None:
    host = OneProgram()
    host.said = "\x00\ufffd 7 \n"
    facts = {fact.name: fact for fact in observe(listed("system", 0), host).facts}
    assert facts["os.name"].value
    assert (facts["os.arch"].value, facts["os.arch"].reason) == (None, "not understood")
    host.said = None
    facts = {fact.name: fact for fact in observe(listed("system", 0), host).facts}
    assert facts["os.arch"].reason == "timeout"


def test_another_packager_is_not_here() -> None:
    assert machines.look("updates", "linux/updates-other-packager").readings == ()


def test_the_recorded_debian_agrees_with_apt() -> None:
    """Each line that upgrades something is one; `apt-get -s` names the security archive itself."""
    import msgspec

    text = (machines.RECORDINGS / "debian12" / "updates.json").read_bytes()
    answers = msgspec.json.decode(text)["answers"]
    (lines,) = (answer["lines"] for answer in answers if answer["of"][:2] == ["apt-get", "-s"])
    upgraded = [line for line in lines if line.startswith("Inst ") and "[" in line.split("(")[0]]
    found = machines.readings(machines.look("updates", "debian12"))
    assert found["updates.pending"] == len(upgraded) > 0
    assert found["updates.security"] == len([line for line in upgraded if "Debian-Security:" in line])


def test_a_stamp_from_the_future_says_nothing(tmp_path: Path) -> None:
    class Ahead(Host):
        def names(self, folder: str) -> tuple[str, ...]:
            return ("x_InRelease",)

        def run(self, *argv: str, timeout: float = 10) -> str:
            return "0 upgraded, 0 newly installed, 0 to remove." if argv[0] == "apt-get" else ""

        def modified(self, path: str) -> float:
            return self.now() + 86400

    observed = observe(listed("updates", 0), Ahead(tmp_path))
    assert machines.readings(observed)["updates.age"] is None
    assert machines.facts(observed)["updates.source age"].reason == "the clock was set back"
