"""Frozen reports of places that don't exist, drawn from a seeded generator: what a server would have kept."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
from msgspec.structs import replace

from schoolwatch_server import packs
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import IndicatorValue, Line, Place, Source
from schoolwatch_server.reports.asked import Assessment, GroupTotal, PlanLine, Scored, ScoreLine
from schoolwatch_server.reports.content import Content, DeviceLine, Evidence, History, PackUsed, Part

AT = 1_795_000_000.0
"""2026-11-18, in Vietnam."""

LEVELS = ("MN", "TH", "THCS", "THPT", "TH&THCS", "THCS&THPT", "TH,THCS&THPT", "GDTX")
PLAN = Source(
    "Kế hoạch 27/KH-SGDĐT ngày 19/9/2025", "100% cơ sở giáo dục công lập có mạng nội bộ (LAN)", "V-seed"
)
_PACKS = packs.load()


def values(level: Place, place: int, draw: random.Random) -> Iterator[IndicatorValue]:
    """One value of each indicator: most are known, some are not, some of these are declared."""
    for indicator in INDICATORS:
        pack = _PACKS.of(indicator.id)
        definition = pack.indicators[indicator.id]
        is_ratio = indicator.unit == "ratio"
        known = draw.random() > 0.2
        denominator = float(draw.randint(10, 60))
        if indicator.unit in ("boolean", "count", "level"):
            numerator, denominator = float(draw.randint(0, 1 if indicator.unit == "boolean" else 3)), 1.0
        elif is_ratio:
            numerator = float(draw.randint(0, int(denominator)))
        else:
            numerator = denominator * draw.uniform(0.5, 4)
        target = definition.target.value if definition.target else None
        lines = () if target is None else (Line("target", target, indicator.unit, (), PLAN),)
        yield IndicatorValue(
            indicator=indicator.id,
            code=indicator.code,
            level=level,
            place_id=place,
            unit=indicator.unit,
            status="ok" if known else "not_enough_data",
            reason="" if known else "coverage_below_floor",
            value=numerator / denominator if known else None,
            numerator=numerator,
            denominator=denominator,
            coverage=draw.uniform(0.8, 1) if known else draw.uniform(0, 0.7),
            source=Source(definition.document, definition.clause, definition.confidence),
            pack=pack.name,
            target=target,
            at=AT,
            better=definition.better,
            lines=lines,
            declared=None if known else round(draw.random(), 2),
            declared_state="" if known else "accepted",
            declared_at=None if known else AT - 86400 * 30,
            deadline="2025-12-31" if indicator.id.startswith("wired") else "",
        )


def value_of(content: Content, indicator: str = "antivirus_coverage") -> IndicatorValue:
    """The report's own value of an indicator; StopIteration without one."""
    return next(value for value in content.values if value.indicator == indicator)


def _short(level: Place, place: int, draw: random.Random) -> tuple[IndicatorValue, ...]:
    """As a report keeps those of its parts: the packs' numbers stand once, beside the place's own values."""
    return tuple(replace(value, lines=()) for value in values(level, place, draw))


def _content(level: Place, name: str, code: str, draw: random.Random, **more: object) -> Content:
    used = tuple(PackUsed(name=pack.name, sha256="0" * 63 + "1", since="2026-09-01") for pack in _PACKS.packs)
    return Content(
        kind="monthly", period="2026-11", level=level, place_id=1, code=code, name=name, revision=1,
        frozen_at=AT, window_from=AT - 30 * 86400, window_to=AT, due="2026-11-19", program="1.0",
        simulated=True, packs=used, values=tuple(values(level, 1, draw)), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def of_school(devices: int = 50, seed: int = 7) -> Content:
    """A school's own report, with its devices and two documents."""
    draw = random.Random(seed)
    lines = tuple(
        DeviceLine(
            device=f"{n:032x}",
            label=f"Máy {n:02}",
            room=f"Phòng Tin {1 + n // 25}",
            role="student_lab",
            working=draw.choice((True, True, True, False, None)),
            taken_at=AT - draw.randint(0, 40) * 86400,
            facts={
                "protected": draw.choice((True, False, None)),
                "antivirus": "Microsoft Defender",
                "link_medium": "wired",
                "link_speed": draw.choice((1e8, 1e9)),
                "ipv6_rung": draw.randint(0, 4),
                "os_supported": draw.choice((True, False)),
            },
        )
        for n in range(devices)
    )
    evidence = (
        Evidence(question="studio", name="Quyết định giao phòng studio.pdf", sha256="ab" * 32, size=345_678),
        Evidence(question="network_diagram", name="Sơ đồ mạng 2026.png", sha256="cd" * 32, size=1_234_567),
    )
    return _content(
        "school", "Trường THCS Nguyễn Văn Mẫu", "01000702", draw, within=("Tỉnh Mẫu", "Xã Mẫu Đức"),
        school_level="THCS", devices=lines, evidence=evidence,
    )  # fmt: skip


def of_self_assessment(devices: int = 3, seed: int = 7) -> Content:
    """A school's self-assessment: a score it entered, one that is guessed, one that nobody knows; a plan."""
    lines = (
        ScoreLine(code="1.1", group="1", vi="Kế hoạch", score=None, basis="entered", most=None,
                  mandatory=True, fulfilled=True, confidence="V-2nd"),
        ScoreLine(code="1.3", group="1", vi="Phần mềm dạy học", score=24.5, basis="entered", most=30,
                  confidence="V-2nd"),
        ScoreLine(code="1.7.1", group="1", vi="Phòng học có Internet", score=6.0, basis="provisional",
                  most=8, indicator="classrooms_equipped", confidence="V-2nd"),
        ScoreLine(code="2.3", group="2", vi="Phần mềm quản trị", score=None, basis="missing", most=None,
                  confidence="NF"),
    )  # fmt: skip
    groups = (
        GroupTotal(code="1", vi="Dạy, học", total=30.5, most=38, is_provisional=True, confidence="V-2nd"),
        GroupTotal(code="2", vi="Quản trị", total=None, most=100, why="no_maximum", criteria=("2.3",),
                   confidence="V-2nd"),
    )  # fmt: skip
    assessment = Assessment(
        criteria="qd4725", pack="qd4725@1", document="Quyết định 4725/QĐ-BGDĐT", lines=lines, groups=groups,
        why="no_maximum", level_clause="dưới 50 điểm là mức độ 1", confidence="V-2nd",
    )  # fmt: skip
    return msgspec.structs.replace(
        of_school(devices, seed), kind="self_assessment", period="2026-2027", assessments=(assessment,),
        plan_lines=plan_lines("school"), history=tuple(_history()),
    )  # fmt: skip


def plan_lines(level: Place) -> tuple[PlanLine, ...]:
    """One target that is overdue, one that only documents know of; of a larger place one that is counted."""

    def line(item: str, vi: str, **more: object) -> PlanLine:
        return PlanLine(
            plan="ninh_binh_2025@1", item=item, vi=vi, document="Kế hoạch 27/KH-SGDĐT", clause="mục I.2",
            confidence="V-seed", **{"target": 1.0, "unit": "ratio", "better": "higher", **more},  # type: ignore[arg-type]
        )  # fmt: skip

    counted = {"reached": 4, "answered": 7, "schools": 12} if level != "school" else {}
    return (
        line("lan", "Mạng LAN đạt chuẩn", standing="not_met", deadline="2025-12-31", value=0.4,
             value_unit="ratio", coverage=0.9, indicator="lan_standard"),
        line("day", "Ngày Chuyển đổi số", standing="outside", mandatory=False),
        line("page", "Trang thông tin", standing="unknown", question="dx_page", **counted),
    )  # fmt: skip


def _history() -> Iterator[History]:
    """A year of weeks of two indicators: one that grows with a gap, one that nobody could say for long."""
    weeks = [(date(2025, 11, 20) + timedelta(days=7 * n)).isoformat() for n in range(52)]
    grows = tuple((day, n / 60 if not 20 <= n < 26 else None) for n, day in enumerate(weeks))
    yield History(indicator="antivirus_coverage", days=grows)
    yield History(indicator="studio", days=tuple((day, None) for day in weeks))


def of_province(schools: int = 1500, communes: int = 120, seed: int = 7, *, scored: bool = False) -> Content:
    """A province's report with its communes and schools; `scored`: with the schools' levels."""
    draw = random.Random(seed)
    below: list[Part] = [
        Part(
            level="commune",
            id=n,
            code=f"{n:05}",
            name=f"Xã Mẫu {n}",
            values=_short("commune", n, draw),
        )
        for n in range(communes)
    ]
    below += [
        Part(
            level="school",
            id=n,
            code=f"0{n:07}",
            name=f"Trường Mẫu số {n}",
            within=f"Xã Mẫu {n % communes}",
            school_level=LEVELS[n % len(LEVELS)],
            values=_short("school", n, draw),
            scored=(_scored(n),) if scored else (),
        )
        for n in range(schools)
    ]
    return _content("province", "Tỉnh Mẫu", "01", draw, parts=tuple(below), plan_lines=plan_lines("province"))


def _scored(number: int) -> Scored:
    level = number % 3 or None
    return Scored(
        criteria="qd4725", pack="qd4725@1", document="Quyết định 4725/QĐ-BGDĐT", level=level,
        totals=(("1", 80.0), ("2", None if level is None else 60.0)),
        why="" if level else "not_entered", is_provisional=level == 2,
    )  # fmt: skip
