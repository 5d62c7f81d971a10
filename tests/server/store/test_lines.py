"""Line protocol: what is measured and judged comes back as it was said, and no text can end its line."""

import math
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Peer
from influxdb import RunningInfluxDB, holding
from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.records import Reading
from schoolwatch_server.store.lines import device_lines, info_line, judged_line, series, tag
from schoolwatch_server.store.series import Judged

NUMBERS = count()
AT = 1_780_000_000_123_456_000
OF_ROOMS = next(name for name in METRICS if not shown_alone(name))


def of(*readings: Reading) -> list[str]:
    return list(device_lines("d1", AT, readings))


def test_a_series_of_a_device_carries_the_device_and_the_metrics_own_labels() -> None:
    assert of(Reading("link.speed", 1e9, {"nic": "eth 0", "user": "an", "device": "another"})) == [
        f"link_speed,device=d1,nic=eth\\ 0 value=1000000000.0 {AT}"
    ]
    assert of(Reading("processor.load", 3)) == [f"processor_load,device=d1 value=3.0 {AT}"]


def test_what_is_unknown_is_no_point() -> None:
    assert of(Reading("processor.load", None), Reading("link.speed", math.inf, {"nic": "a"})) == []


def test_nothing_is_written_that_is_not_in_the_catalogue_or_may_be_shown_of_rooms_alone() -> None:
    assert of(Reading("keys.pressed", 7.0), Reading(OF_ROOMS, 7.0)) == []


def test_of_one_series_twice_in_a_report_the_larger_counts() -> None:
    assert of(Reading("processor.load", 2.0), Reading("processor.load", 5.0)) == [
        f"processor_load,device=d1 value=5.0 {AT}"
    ]


def test_a_judged_value_has_the_numbers_that_are_known() -> None:
    tags = {"school": "7", "school_name": "Trường Số 1, Xã A"}
    row = Judged("indicator", {"school": "7"}, 0.0, None, 3, 4.5, None, "pack@1")
    assert judged_line(row, tags, AT) == (
        f"indicator,school=7,school_name=Trường\\ Số\\ 1\\,\\ Xã\\ A numerator=3.0,denominator=4.5 {AT}"
    )
    assert judged_line(Judged("indicator", {}, 0.0, None, pack="pack@1"), {}, AT) is None


def test_a_place_is_1_and_what_says_nothing_is_left_out() -> None:
    assert info_line("school_info", {"school": "7", "code": ""}, AT) == f"school_info,school=7 value=1.0 {AT}"


@pytest.fixture(scope="module")
def influxdb(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[RunningInfluxDB]:
    with holding(peer("influxd"), tmp_path_factory.mktemp("influxdb"), free_port, ["x value=1"]) as running:
        yield running


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
    | st.text(alphabet="\\, =\n\"'a`", min_size=1, max_size=9),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_number_comes_back_from_influxdb(
    text: str, value: float, influxdb: RunningInfluxDB
) -> None:
    name = f"m{next(NUMBERS)}"
    influxdb.write(f"{series(name, {'text': text, 'zone': 'z'})} value={value!r} {AT}")
    (told,) = influxdb.ask(f'SELECT value FROM "{name}" GROUP BY *')["results"][0]["series"]
    assert told["tags"] == {"text": tag(text), "zone": "z"}
    assert [(at, float(found)) for at, found in told["values"]] == [(AT, value)]
