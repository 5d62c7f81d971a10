"""The wireless link in use, and nothing of whose network it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import machines
from schoolwatch_agent import personal
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.probes import wifi


@pytest.mark.parametrize(
    ("machine", "signal", "frequency", "received", "sent", "standard"),
    [
        ("wifi-ac", -52, 5.18e9, 866.7e6, 780e6, "ac"),
        ("wifi-ax-iw6", -71, 2.437e9, 114.7e6, 86e6, "ax"),
        ("wifi-n", -80, 2.412e9, None, 26e6, "n"),
        ("wifi-g", -61, 2.412e9, 54e6, 48e6, "older"),
    ],
)
def test_a_wireless_link(
    machine: str, signal: float, frequency: float, received: float | None, sent: float, standard: str
) -> None:
    observed = machines.look("wifi", f"linux/{machine}")
    assert machines.readings(observed) == {
        "wifi.signal wlp2s0": signal,
        "wifi.frequency wlp2s0": pytest.approx(frequency),
        "wifi.in_rate wlp2s0": received and pytest.approx(received),
        "wifi.out_rate wlp2s0": pytest.approx(sent),
    }
    assert machines.facts(observed)["wifi.standard wlp2s0"].value == standard


def test_a_link_that_is_not_connected_tells_nothing_and_one_that_cannot_be_asked_says_why() -> None:
    assert machines.readings(machines.look("wifi", "linux/wifi-not-connected")) == {}
    observed = machines.look("wifi", "linux/wifi-no-iw")
    assert set(machines.readings(observed).values()) == {None}
    assert machines.facts(observed)["wifi.standard wlp2s0"].reason == "iw is not installed"


def test_a_machine_without_wireless_is_silent() -> None:
    for name in ("linux/links-half-duplex", "windows/win11-teacher-laptop"):
        observed = machines.look("wifi", name)
        assert (observed.readings, observed.facts) == ((), ())


def test_the_network_s_name_is_cut_out_of_a_recording() -> None:
    text = "Connected to 00:11:22:33:44:55 (on wlan0)\n\tSSID: Nhà cô Lan\n\tfreq: 5180\n"
    cut = personal.cut(text)
    assert "Lan" not in cut
    assert "00:11:22" not in cut
    assert "freq: 5180" in cut


@given(st.text() | st.text().map("Connected to {}".format))
def test_whatever_iw_prints_is_records_or_a_failure(text: str) -> None:
    try:
        assert all(record.labels == {"nic": "wlan0"} for record in wifi.parse("wlan0", text))
    except NotUnderstood:
        assert not text.startswith("Connected to ")
