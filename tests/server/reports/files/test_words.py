"""What files print beside a number is of that very number."""

import pytest
from msgspec.structs import replace

from parts.frozen import of_school, value_of
from schoolwatch_server import texts
from schoolwatch_server.indicators.indicator import Line, LineKind, Source
from schoolwatch_server.reports import content
from schoolwatch_server.reports.files import below, paper, words

PAPER = paper(content.encode(of_school(0)), texts.load())


def line(kind: LineKind, number: float, unit: str, tag: str) -> Line:
    return Line(kind, number, unit, (), Source("Văn bản", "mục 1", tag))


LAW = line("target", 0.9, "ratio", "V-law")


@pytest.mark.parametrize(
    ("unit", "asked", "lines", "printed"),
    [
        ("ratio", 0.9, [LAW], "từ 90% trở lên [V-law]"),
        # the plan asks it of 90 % of schools: how many of ten checks one passes is not in it
        ("ratio", 0.7, [LAW], "từ 70% trở lên [P]"),
        ("level", 4, [line("target", 1.0, "ratio", "V-seed")], "từ mức 4 trở lên [P]"),
        ("students/computer", 2, [LAW, line("threshold", 2, "students/computer", "V-seed")],
         "từ 2 học sinh/máy trở lên [V-seed]"),
        ("boolean", 1, [LAW], "có [V-law]"),
        ("boolean", 1, [], "có [P]"),
    ],
)  # fmt: skip
def test_a_target_bears_the_confidence_of_its_own_number(unit, asked, lines, printed: str) -> None:
    value = replace(value_of(of_school(0)), unit=unit, target=asked, lines=tuple(lines), deadline="")
    assert words.target(PAPER, value) == printed


def test_what_is_only_recommended_nobody_fails() -> None:
    value = replace(
        value_of(of_school(0)), unit="boolean", value=0.0, target=1.0, meets=False, encouraged=True
    )
    assert words.verdict(PAPER, value) == "chưa có, văn bản chỉ khuyến khích"
    assert words.target(PAPER, value).startswith("khuyến khích: có [")
    assert below.standing(value) == "no_target"
    assert words.verdict(PAPER, replace(value, value=1.0, meets=True)) == "đạt"
    assert below.standing(replace(value, encouraged=False)) == "missed"
