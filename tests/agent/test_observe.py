"""Three outcomes of a probe: it worked, it failed with its reason, it is not here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolwatch_agent import personal
from schoolwatch_agent.errors import CommandFailed
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import RECORDS_MAX, NotHere, Observed, Probe, observe
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Envelope, Fact, Reading, Sighting


class Quiet(Host):
    def own_names(self) -> tuple[str, ...]:
        return ("lab-pc-07", "thanhnv")


HOST = Quiet(Path("/nonexistent"))


def run(records: object = (), error: Exception | None = None) -> Observed:
    def read(_: Host) -> Iterator[Reading | Fact | Sighting]:
        yield from records  # type: ignore[attr-defined]
        if error is not None:
            raise error

    return observe(Probe("memory", 0, read), HOST)


def ok(observed: Observed) -> float | None:
    return next(r.value for r in observed.readings if r.metric == "probe.ok")


def failure(observed: Observed) -> Fact | None:
    return next((fact for fact in observed.facts if fact.name == "probe.failure"), None)


def test_what_worked_is_sent_with_its_time_and_no_failure() -> None:
    observed = run([Reading("memory.size", 1.0), Fact("os.name", "Debian"), Sighting("a.b", "c")])
    assert ok(observed) == 1.0
    assert [r.metric for r in observed.readings] == ["memory.size", "probe.ok", "probe.seconds"]
    assert observed.facts == (Fact("os.name", "Debian"),)
    assert observed.sightings == (Sighting("a.b", "c"),)


def test_a_failing_probe_is_a_reading_with_its_evidence() -> None:
    observed = run(error=CommandFailed(("ufw", "status"), 1, "ERROR: You need to be root\nto run this"))
    assert ok(observed) == 0.0
    found = failure(observed)
    assert found is not None
    assert found.labels == {"probe": "memory"}
    assert found.value == "CommandFailed: ufw status ended with 1: ERROR: You need to be root to run this"


@pytest.mark.parametrize(
    "reason", ["timeout", "not understood", "no PowerShell", "ended with -1", "error 0x80041010"]
)
def test_a_probe_that_could_say_nothing_at_all_has_failed_and_says_what_is_unknown(reason: str) -> None:
    unknown = [Reading("memory.size", None), Fact("os.name", None, {}, reason)]
    observed = run(unknown)
    assert ok(observed) == 0.0
    assert failure(observed) == Fact("probe.failure", f"nothing is known: {reason}", {"probe": "memory"})
    assert unknown[0] in observed.readings
    assert unknown[1] in observed.facts


@pytest.mark.parametrize(
    "records",
    [
        [Reading("memory.size", 0.0), Fact("os.name", None, {}, "timeout")],
        [Reading("memory.size", None), Fact("os.name", "Debian"), Fact("os.kind", None, {}, "timeout")],
        [Reading("memory.size", None), Fact("os.name", None, {}, "not permitted")],
        [Reading("memory.size", None), Fact("os.name", None, {}, "not on this system")],
        [Sighting("a.b", "c"), Fact("os.name", None, {}, "timeout")],
        [],
    ],
)
def test_a_probe_that_knows_something_or_was_refused_has_worked(records: list[object]) -> None:
    assert ok(run(records)) == 1.0
    assert failure(run(records)) is None


def test_a_generator_that_fails_half_way_sends_nothing_of_it() -> None:
    observed = run([Reading("memory.size", 1.0)], ValueError("half way"))
    assert [r.metric for r in observed.readings] == ["probe.ok", "probe.seconds"]


def test_not_here_is_silent() -> None:
    assert run([Reading("memory.size", 1.0)], NotHere()) == Observed()


@pytest.mark.parametrize(
    "secret",
    [
        "/home/thanhnv/tài liệu",
        r"C:\Users\thanhnv\Desktop",
        "lab-pc-07",
        "user thanhnv",
        "3c:97:0e:11:22:33",
        "3C-97-0E-11-22-33",
        "fe80::3e97:eff:fe11:2233",
        "2001:ee0:1:2:3e97:eff:fe11:2233",
        "enx3c970e112233",
        "thanhnv@truong.edu.vn",
        "Serial Number: PF2ABCDE",
        "S-1-5-21-1004336348-1177238915-682003330-512",
        "4c4c4544-0042-3510-8053-b4c04f4d4d32",
    ],
)
def test_a_failure_names_nobody_and_no_device(secret: str) -> None:
    found = failure(run(error=ValueError(f"cannot read {secret}")))
    assert found is not None
    assert found.value is not None
    for part in (
        "thanhnv",
        "lab-pc-07",
        "11:22:33",
        "11-22-33",
        "112233",
        "fe11:2233",
        "PF2ABC",
        "682003330",
        "4d4d32",
    ):
        assert part not in found.value
    assert found.value.startswith("ValueError: cannot read ")


def test_a_failure_is_at_most_80_characters() -> None:
    found = failure(run(error=ValueError("x" * 10_000)))
    assert found is not None
    assert len(found.value or "") == 80


@pytest.mark.parametrize(
    "record",
    [
        Reading("memory.size", float("nan")),
        Reading("memory.size", float("inf")),
        Reading("disk.size", 1.0, {"mount": "x" * 129}),
        Reading("disk.size", 1.0, {"Mount": "/"}),
        Reading("not a name", 1.0),
        Fact("os.name", "x" * 513),
        Sighting("a.b", "x" * 129),
    ],
)
def test_what_the_server_would_refuse_fails_its_own_probe_only(record: Reading | Fact | Sighting) -> None:
    observed = run([Reading("memory.size", 1.0), record])
    assert ok(observed) == 0.0
    body = Envelope(1, 1.7e9, "0.1.0", observed.readings, observed.facts, observed.sightings)
    assert envelope.decode(envelope.encode(body)) == body


def test_endless_records_end() -> None:
    def read(_: Host) -> Iterator[Reading]:
        while True:
            yield Reading("memory.size", 1.0)

    observed = observe(Probe("memory", 0, read), HOST)
    assert ok(observed) == 0.0
    assert f"more than {RECORDS_MAX}" in str(failure(observed))


def test_a_nic_name_keeps_the_maker_and_loses_the_device() -> None:
    assert personal.nic_label("enx3c970e112233") == "enx3c970e"
    assert personal.nic_label("eth0") == "eth0"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("fe80::3e97:eff:fe11:2233%eth0", "fe80::"),
        ("2001:ee0:1:2:3e97:eff:fe11:2233", "2001:ee0:1:2::/64"),
        ("fd00::1", "fd00::/64"),
    ],
)
def test_an_ipv6_address_loses_its_interface_identifier(address: str, shown: str) -> None:
    assert personal.cut_ipv6(address) == shown


@pytest.mark.parametrize(
    "text", ["fe80::1", "2001:ee0:1:2::/64", "08:23:34", "a::b is no name", "::", "ff02::2"]
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert personal.cut(text) == text
