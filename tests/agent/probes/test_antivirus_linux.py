"""clamd for real: running, stopped, not installed; other products by what their tools print."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import machines
from schoolwatch_agent.formats import linux_antivirus
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import listed

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "antivirus"
NOW = 1_700_550_000.0

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def clamd(peer: Callable[[str], Path], tmp_path: Path) -> Iterator[tuple[Host, Start]]:
    """A folder that is a machine with ClamAV installed, and what starts its daemon with one signature."""
    program = peer("clamd")
    signatures, run = tmp_path / "signatures", tmp_path / "run" / "clamav"
    for folder in (signatures, run, tmp_path / "usr" / "sbin"):
        folder.mkdir(parents=True)
    (signatures / "test.hdb").write_text("44d88612fea8a8f36de82e1278abb02f:68:Test.File\n")
    (tmp_path / "usr" / "sbin" / "clamd").symlink_to(program)
    config = tmp_path / "clamd.conf"
    user = "User root\n" if os.getuid() == 0 else ""
    config.write_text(
        f"{user}Foreground yes\nDatabaseDirectory {signatures}\nLocalSocket {run}/clamd.ctl\n"
        f"TemporaryDirectory {tmp_path}\nConcurrentDatabaseReload no\n"
    )
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        log = (tmp_path / "log").open("wb")
        with log:
            process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
        started.append(process)
        for _ in range(600):
            with contextlib.suppress(OSError):
                if Host(tmp_path).ask("/run/clamav/clamd.ctl", b"zPING\0") == b"PONG\0":
                    return process
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        pytest.fail("clamd did not come up")

    yield Host(tmp_path), start
    for process in started:
        process.kill()
        process.wait()


def look(host: Host) -> dict[str, float | None]:
    observed = observe(listed("antivirus", 0), host)
    assert machines.failure(observed) is None
    return machines.readings(observed)


def test_clamd_running_stopped_and_back(clamd: tuple[Host, Start]) -> None:
    host, start = clamd
    assert look(host)["antivirus.running clamav"] == 0, "installed, not started"
    process = start()
    found = look(host)
    assert found["antivirus.products"] == 1
    assert found["antivirus.running clamav"] == 1
    assert found["antivirus.signature_age clamav"] is None, "a hand-made signature has no date"
    version = machines.facts(observe(listed("antivirus", 0), host))["antivirus.version clamav"].value
    assert version is not None
    assert version.split(".")[0].isdigit()
    process.kill()
    process.wait()
    found = look(host)
    assert found["antivirus.running clamav"] == 0, "its socket file is still there"
    assert found["antivirus.realtime clamav"] == 0
    start()
    assert look(host)["antivirus.running clamav"] == 1


def test_clamd_removed_is_no_product(clamd: tuple[Host, Start], tmp_path: Path) -> None:
    host, _ = clamd
    shutil.rmtree(tmp_path / "usr")
    assert look(host) == {"antivirus.products": 0.0}


def test_on_access_scanning_is_a_process_beside_the_daemon() -> None:
    found = machines.readings(machines.look("antivirus", "linux/ubuntu2204-classroom-laptop"))
    assert (found["antivirus.running clamav"], found["antivirus.realtime clamav"]) == (1, 1)
    found = machines.readings(machines.look("antivirus", "linux/antivirus-clamd-no-database-date"))
    assert (found["antivirus.running clamav"], found["antivirus.realtime clamav"]) == (1, 0)


@pytest.mark.parametrize(
    ("machine", "running"),
    [
        ("antivirus-clamd-stopped", 0.0),
        ("antivirus-clamd-forbidden", None),
        ("antivirus-clamd-hangs", 0.0),
        ("antivirus-clamd-tcp-only", 1.0),
        ("antivirus-clamd-tcp-only-stopped", 0.0),
        ("antivirus-clamd-tcp-only-processes-hidden", None),
        ("antivirus-clamd-socket-in-tmp", 1.0),
        ("antivirus-clamd-in-a-container", 0.0),
    ],
)
def test_a_daemon_that_may_not_be_asked_is_known_by_its_process(machine: str, running: float | None) -> None:
    assert (
        machines.readings(machines.look("antivirus", f"linux/{machine}"))["antivirus.running clamav"]
        == running
    )


def test_another_program_on_the_socket_is_not_believed() -> None:
    observed = machines.look("antivirus", "linux/antivirus-clamd-garbage")
    assert "not clamd's PONG" in (machines.failure(observed) or "")


def test_the_signatures_age_is_from_versions_date() -> None:
    from datetime import datetime

    built = datetime(2023, 11, 20, 8, 38, 26).astimezone().timestamp()
    answer = "ClamAV 1.0.3/27099/Mon Nov 20 08:38:26 2023"
    assert linux_antivirus.clamd_version(answer, built + 3600) == ("1.0.3", "27099", 3600)
    assert linux_antivirus.clamd_version(answer, built - 10 * 86400)[2] is None, "the clock is wrong"


def test_several_products_are_told_apart() -> None:
    observed = machines.look("antivirus", "linux/antivirus-bitdefender-and-cortex")
    found = machines.readings(observed)
    assert found["antivirus.products"] == 2
    assert (found["antivirus.running bitdefender"], found["antivirus.running cortex"]) == (0, 1)
    assert found["antivirus.signatures_current bitdefender"] == 0
    # 11:44:37 at UTC+7, seen at 07:00 UTC
    assert found["antivirus.signature_age bitdefender"] == 2 * 3600 + 15 * 60 + 23
    assert machines.facts(observed)["antivirus.signature_version cortex"].value == "1180-12345"


def test_a_product_whose_tool_fails_is_there_and_unknown() -> None:
    observed = machines.look("antivirus", "linux/antivirus-mdatp-fails")
    found = machines.readings(observed)
    assert found["antivirus.products"] == 1
    assert found["antivirus.running defender"] is None
    assert machines.facts(observed)["antivirus.version defender"].reason == "ended with 1"


def test_of_a_daemon_known_by_its_process_it_is_said_why_there_is_no_version() -> None:
    def why(machine: str) -> str:
        return machines.facts(machines.look("antivirus", f"linux/{machine}"))[
            "antivirus.version clamav"
        ].reason

    assert why("antivirus-clamd-socket-in-tmp") == "hidden from the agent's service"
    assert why("antivirus-clamd-tcp-only") == "only its TCP socket is known"
    assert why("antivirus-clamd-forbidden") == "not permitted"


def test_a_product_in_a_folder_closed_to_others_leaves_the_number_unknown() -> None:
    observed = machines.look("antivirus", "linux/antivirus-folder-closed")
    assert machines.readings(observed) == {"antivirus.products": None}
    assert machines.facts(observed)["antivirus.source cortex"].reason == "not permitted"


def test_a_product_whose_tool_only_root_may_start_is_there_and_unknown() -> None:
    observed = machines.look("antivirus", "linux/antivirus-tool-may-not-be-started")
    found = machines.readings(observed)
    assert (found["antivirus.products"], found["antivirus.running defender"]) == (1, None)
    assert machines.facts(observed)["antivirus.version defender"].reason == "not permitted"


def test_mdatp_of_older_versions_writes_plain_booleans() -> None:
    found = machines.readings(machines.look("antivirus", "linux/antivirus-mdatp-active"))
    assert (found["antivirus.running defender"], found["antivirus.realtime defender"]) == (1, 1)
    assert found["antivirus.signature_age defender"] == 30_000


@pytest.mark.parametrize(
    ("machine", "product", "running", "realtime"),
    [
        ("antivirus-kaspersky-running", "kaspersky", 1, 1),
        ("antivirus-kaspersky-file-protection-off", "kaspersky", 1, 0),
        ("antivirus-kaspersky-without-databases", "kaspersky", 0, 0),
        ("antivirus-kaspersky-not-permitted", "kaspersky", 1, None),
        ("antivirus-eset", "eset", 1, None),
        ("antivirus-eset-server-stopped", "eset-server", 0, None),
        ("antivirus-sentinelone", "sentinelone", 1, None),
        ("antivirus-sentinelone-disabled", "sentinelone", 0, None),
        ("antivirus-clamd-stopped-freshclam-goes-on", "clamav", 0, 0),
    ],
)
def test_products_of_other_makers(
    machine: str, product: str, running: float | None, realtime: float | None
) -> None:
    found = machines.readings(machines.look("antivirus", f"linux/{machine}"))
    assert found["antivirus.products"] == 1
    assert found[f"antivirus.running {product}"] == running
    assert found[f"antivirus.realtime {product}"] == realtime


def test_how_old_other_makers_signatures_are() -> None:
    from datetime import UTC, datetime

    def age(machine: str, product: str) -> float | None:
        found = machines.readings(machines.look("antivirus", f"linux/{machine}"))
        return found[f"antivirus.signature_age {product}"]

    now = 1_700_550_000.0
    released = datetime(2023, 11, 20, 9, 0).astimezone().timestamp()
    assert age("antivirus-kaspersky-running", "kaspersky") == max(now - released, 0)
    assert age("antivirus-kaspersky-without-databases", "kaspersky") is None
    assert age("antivirus-eset", "eset") == now - datetime(2023, 11, 19, tzinfo=UTC).timestamp()
    assert age("antivirus-sentinelone", "sentinelone") is None
    assert age("antivirus-clamd-stopped-freshclam-goes-on", "clamav") == 7200


def test_a_tool_that_refuses_leaves_its_product_there_and_unknown() -> None:
    facts = machines.facts(machines.look("antivirus", "linux/antivirus-kaspersky-not-permitted"))
    assert facts["antivirus.version kaspersky"].reason == "ended with 64"


needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the recorded tools are not beside the checkout"
)


@needs_fixtures
def test_recorded_mdatp_in_passive_mode_does_not_protect() -> None:
    product = linux_antivirus.mdatp((FIXTURES / "defender-101.23062.0010.json").read_text(), 1_691_590_000.0)
    assert (product.running, product.realtime, product.mode) == (False, False, "passive")
    assert product.version == "101.23062.0010"
    assert product.signature_version == "1.395.30.0"
    assert product.signatures_current is True
    assert product.signature_age == round(1_691_590_000 - 1_691_587_153.787)


@needs_fixtures
def test_recorded_bduitool() -> None:
    product = linux_antivirus.bitdefender((FIXTURES / "bduitool-7.0.3.2239").read_text(), 1_692_900_000.0)
    assert (product.version, product.signature_version) == ("7.0.3.2239", "7.95171")
    assert (product.running, product.signatures_current) == (True, True)
    assert product.signature_age == 1_692_900_000 - 1_692_870_277


@needs_fixtures
def test_recorded_cytool() -> None:
    product = linux_antivirus.cortex((FIXTURES / "cortex-xdr-8.2.1.120305-info").read_text(), "", "")
    assert (product.version, product.running) == ("8.2.1.120305", None)


@needs_fixtures
def test_recorded_answer_that_is_no_health_report() -> None:
    with pytest.raises(ValueError, match="not a JSON object: '1'"):
        linux_antivirus.mdatp((FIXTURES / "not-expected-output.json").read_text(), NOW)
