"""Numbers, times and labels in words: with their unit, in either language, and unknown is never a number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server import texts
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.words import Words

TEXTS = texts.load()
VI, EN = Words("vi", TEXTS), Words("en", TEXTS)
UNITS = sorted({metric.unit for metric in METRICS.values()} | {"days", "students/computer", ""})


@pytest.mark.parametrize(
    ("value", "unit", "vi", "en"),
    [
        (0.8549, "ratio", "85,5%", "85.5%"),
        (1, "ratio", "100%", "100%"),
        (0.9999, "ratio", "99,9%", "99.9%"),
        (0, "ratio", "0%", "0%"),
        (8 * 2**30, "B", "8 GiB", "8 GiB"),
        (1500, "B", "1.500 B", "1,500 B"),
        (1e9, "bit/s", "1 Gbit/s", "1 Gbit/s"),
        (2.5e9, "bit/s", "2,5 Gbit/s", "2.5 Gbit/s"),
        (5.18e9, "Hz", "5,2 GHz", "5.2 GHz"),
        (-52, "dBm", "-52 dBm", "-52 dBm"),
        (0.0125, "s", "12 ms", "12 ms"),
        (0.00234, "s", "2,3 ms", "2.3 ms"),
        (0.0004, "s", "0,4 ms", "0.4 ms"),
        (0.00002, "s", "< 0,1 ms", "< 0.1 ms"),
        (0, "s", "0 ms", "0 ms"),
        (-0.0021, "s", "-2,1 ms", "-2.1 ms"),
        (61, "s", "1 phút 1 giây", "1 minute 1 second"),
        (2 * 86400 + 30, "s", "2 ngày", "2 days"),
        (93784, "s", "1 ngày 2 giờ", "1 day 2 hours"),
        (1, "boolean", "có", "yes"),
        (0, "boolean", "không", "no"),
        (16.25, "students/computer", "16,2 học sinh/máy", "16.2 students/computer"),
        (1234.5, "count", "1.234,5", "1,234.5"),
    ],
)
def test_a_value_reads_with_its_unit(value: float, unit: str, vi: str, en: str) -> None:
    assert VI.amount(value, unit).replace("\u00a0", " ") == vi
    assert EN.amount(value, unit).replace("\u00a0", " ") == en


@given(st.one_of(st.floats(0, 1e18), st.integers(0, 2**62)), st.sampled_from(UNITS))
def test_any_value_can_be_written(value: float, unit: str) -> None:
    for words in (VI, EN):
        assert words.amount(value, unit).strip()


@pytest.mark.parametrize("unit", UNITS)
def test_unknown_is_a_word_and_no_number(unit: str) -> None:
    for words in (VI, EN):
        assert not re.search(r"\d", words.amount(None, unit))


@given(st.floats(0, 1, exclude_max=True))
def test_what_is_not_all_never_reads_as_all(share: float) -> None:
    assert not VI.percent(share).startswith("100")


@given(st.floats(1e-9, 1, exclude_max=True))
def test_a_time_that_was_measured_never_reads_as_none(seconds: float) -> None:
    assert not re.match(r"-?0\b(?![.,])", VI.span(seconds))


def test_times_are_those_of_vietnam() -> None:
    assert VI.when(1_795_412_471.0) == "23/11/2026 12:41:11"
    assert EN.when(1_795_412_471.0) == "23 Nov 2026 12:41:11"
    assert VI.when(None) == "chưa bao giờ"


def test_how_long_ago_never_lies_in_the_future() -> None:
    assert VI.ago(100.0, 400.0) == "5 phút trước"
    assert VI.ago(400.0, 100.0) == VI.ago(400.0, 400.0) == "1 giây trước"


def test_the_server_s_own_names_are_words_and_people_s_stay_as_they_are() -> None:
    assert VI.actor("enrolment token 7") == "mã đăng ký số 7"
    assert EN.actor("command line") == "the server's command line"
    assert EN.actor("") == "unknown"
    assert VI.actor("Nguyễn Thị Hoa") == "Nguyễn Thị Hoa"


def test_labels_are_what_tells_readings_apart() -> None:
    assert VI.labels({"nic": "eth0", "family": "6"}) == "IPv6 · eth0"


def test_what_watches_found_is_told_in_words() -> None:
    kept = {
        "at": 0.0,
        "last": {
            "taken_at": 0.0,
            "readings": {
                "finding.indicator_value": 0.78,
                "finding.indicator_target": 0.8,
                "finding.server_disk_free": float(3 * 2**30),
                "finding.server_disk_share": 0.04,
                "finding.silence_habit": 0.95,
            },
            "facts": {
                "finding.indicator_name": "antivirus_coverage",
                "finding.reason": "hmac",
                "finding.server_reader": "rules",
                "finding.site_tls": "self_signed",
                "finding.site_address": "https://c1.edu.vn",
                "finding.outage_kind": "isp",
                "finding.server_channel": "channel:7",
            },
        },
    }
    ((_, told),) = evidence_in_words(kept, VI, called=lambda key: f"kênh của {key}")
    assert [value.replace("\xa0", " ") for _, value in told.lines] == [
        "78%",
        "80%",
        "3 GiB",
        "4%",
        "95%",
        VI.text("indicator.antivirus_coverage"),
        VI.text("refusal.hmac"),
        VI.text("cursor.rules"),
        VI.text("site.tls.self_signed"),
        "https://c1.edu.vn",
        VI.text("value.isp"),
        "kênh của channel:7",
    ]


def test_the_figure_of_an_indicator_that_is_no_share_is_no_percentage() -> None:
    kept = {
        "last": {
            "taken_at": 0.0,
            "readings": {"finding.indicator_value": 12.5},
            "facts": {"finding.indicator_name": "students_per_computer"},
        },
    }
    ((_, told),) = evidence_in_words(kept, VI)
    assert told.lines[0][1] == "12,5"
