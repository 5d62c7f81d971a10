"""A report's bytes hold everything, and are the same each time."""

import msgspec

from schoolwatch_server.indicators.indicator import IndicatorValue, Source
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content, DeviceLine, Part


def _content() -> Content:
    value = IndicatorValue(
        indicator="antivirus_coverage",
        level="school",
        place_id=7,
        unit="ratio",
        status="not_enough_data",
        reason="coverage_below_floor",
        value=None,
        numerator=3.0,
        denominator=4.0,
        coverage=0.4,
        source=Source("Kế hoạch", "mục 1", "V-seed"),
        pack="security@1",
        target=1.0,
        at=1_800_000_000.0,
        deadline="2025-12-31",
    )
    device = DeviceLine(
        device="d", label="Máy 1", room="Tin", role="student_lab", working=None, taken_at=None
    )
    return Content(
        kind="monthly",
        period="2026-11",
        level="commune",
        place_id=3,
        code="00001",
        name="Xã Mẫu",
        revision=1,
        frozen_at=1_800_000_000.5,
        window_from=1.0,
        window_to=2.0,
        program="1.0",
        simulated=True,
        parts=(Part(level="school", id=7, code="01000702", name="Trường ẵ", values=(value,)),),
        devices=(device,),
    )


def test_an_outline_has_the_first_parts_and_says_how_many_there_are() -> None:
    whole = _content()
    parts = tuple(msgspec.structs.replace(whole.parts[0], id=n) for n in range(5))
    body = content.encode(msgspec.structs.replace(whole, parts=parts))
    short, count = content.outline(body, 2)
    assert count == 5
    assert short == msgspec.structs.replace(whole, parts=parts[:2])


def test_what_was_kept_comes_back() -> None:
    body = content.encode(_content())
    assert content.decode(body) == _content()
    assert content.encode(content.decode(body)) == body
    assert b'"value":null' in body
    assert "Trường ẵ".encode() in body


def test_another_content_has_another_digest() -> None:
    body = content.encode(_content())
    other = body.replace(b'"numerator":3', b'"numerator":4')
    assert content.digest(body) == content.digest(content.encode(_content())) != content.digest(other)
