"""Use of a computer: seconds on and in use, starts, and nothing about who or elsewhere than in a lab."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machines
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import sessions
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import listed, use
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Settings

IN_A_LAB = Settings(measures_use=True)


@pytest.mark.parametrize(
    ("name", "on", "active", "source"),
    [
        ("linux/use-somebody-at-gnome", 300.0, 300.0, "logind"),
        ("linux/use-idle-since-an-hour", 300.0, 0.0, "logind"),
        ("linux/use-nobody", 42.1, 0.0, "logind"),
        ("windows/use-somebody", 300.0, 300.0, "wtsapi32"),
        ("windows/use-idle", 300.0, 0.0, "wtsapi32"),
        ("windows/use-nobody", 300.0, 0.0, "wtsapi32"),
        ("windows/use-busy-beside-not-told", 300.0, 300.0, "wtsapi32"),
    ],
)
def test_recorded_computers(name: str, on: float, active: float, source: str) -> None:
    seen = machines.look("use", name)
    assert machines.readings(seen) == {"use.on": on, "use.active": active, "use.boots": 1.0}
    assert machines.facts(seen)["use.input"].value == source


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("linux/use-xfce-never-tells", "the desktop does not tell"),
        ("windows/use-not-told", "Windows does not tell"),
        ("windows/use-always-now", "Windows does not tell"),
        ("windows/use-clock-set-back", "Windows does not tell"),
        ("windows/use-one-of-two-not-told", "Windows does not tell"),
        ("windows/use-information-missing", "Windows does not tell"),
    ],
)
def test_what_is_not_told_is_unknown_and_not_idle(name: str, why: str) -> None:
    seen = machines.look("use", name)
    assert machines.readings(seen)["use.active"] is None
    assert machines.facts(seen)["use.input"].reason == why


def test_an_answer_that_is_none_costs_no_hours_on(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machines.machine("windows/use-somebody")

    def garbled() -> list[dict[str, int]]:
        return [sessions.level1(b"\0" * 8)]

    monkeypatch.setattr(machine, "sessions", garbled)
    seen = observe(listed("use", 0, IN_A_LAB, 300), machine)
    assert machines.readings(seen) == {"use.on": 300.0, "use.active": None, "use.boots": 1.0}
    assert machines.facts(seen)["use.input"].reason == "not understood"


def test_a_desktop_that_does_not_tell_beside_one_that_is_idle_is_unknown() -> None:
    tells = "Class=user\nActive=yes\nType=x11\nDesktop=gnome\nIdleHint=yes\nIdleSinceHint=1000000"
    silent = "Class=user\nActive=yes\nType=x11\nDesktop=xfce\nIdleHint=no\nIdleSinceHint=0"
    idle, reason = sessions.linux(f"{tells}\n\n{silent}", 3601.0)
    told = list(use.parse(300.0, 300.0, idle, reason, "logind"))
    assert Reading("use.active", None) in told
    assert Fact("use.input", None, {}, "the desktop does not tell") in told


def test_elsewhere_than_in_a_lab_nothing_is_read() -> None:
    class Untouchable(Host):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked")

    assert observe(listed("use", 0, Settings(), 300), Untouchable()).readings == ()
    assert observe(listed("use", 0, Settings(), 300), Untouchable()).facts == ()


def test_a_start_counts_once_and_a_look_counts_none() -> None:
    machine = machines.machine("linux/use-nobody")
    counted = [
        machines.readings(observe(listed("use", 0, IN_A_LAB, 300), machine))["use.boots"] for _ in range(3)
    ]
    assert counted == [1.0, 0.0, 0.0]
    machine.written[use.BOOT] = b"another"
    assert machines.readings(observe(listed("use", 0, IN_A_LAB, 300), machine))["use.boots"] == 1.0
    assert "use.boots" not in machines.readings(observe(listed("use", 0, IN_A_LAB, 300), Host()))


def test_the_layout_of_wtsinfoex() -> None:
    """Written by hand from wtsapi32.h: three names between the flags and five LARGE_INTEGERs."""
    names = "RDP-Tcp#1".encode("utf-16-le").ljust(66, b"\0") + "An".encode("utf-16-le").ljust(42, b"\0")
    level = struct.pack("<IIi", 2, 0, 1) + names + b"\0" * 36
    level += b"\0" * (-len(level) % 8) + struct.pack("<5q6I", 1, 2, 3, 400, 500, *range(6))
    assert sessions.level1(struct.pack("<I4x", 1) + level) == {
        "session": 2, "state": 0, "last_input": 400, "now": 500,
    }  # fmt: skip
    for wrong in (b"", b"\0" * 300, level):
        with pytest.raises(NotUnderstood):
            sessions.level1(wrong)


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            [
                "Class=user",
                "Active=yes",
                "IdleHint=no",
                "IdleHint=yes",
                "IdleSinceHint=²",
                "IdleSinceHint=9",
                "",
                "Type=x11",
            ]
        )
    ).map("\n".join)
)
def test_whatever_logind_shows_is_read_or_refused(shown: str) -> None:
    with contextlib.suppress(NotUnderstood):
        idle, _ = sessions.linux(shown, 1e9)
        assert idle >= 0


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["session", "state", "last_input", "now"]), st.none() | st.integers() | st.text()
        )
    )
)
def test_whatever_windows_tells_is_read(rows: list[dict[str, object]]) -> None:
    idle, reason = sessions.windows(rows)
    assert idle > 0
    assert reason in ("", "Windows does not tell")


def test_nothing_of_it_may_be_shown_of_one_computer() -> None:
    assert {m.privacy for m in METRICS.values() if m.probe == "use"} == {"aggregated"}
