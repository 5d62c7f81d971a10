"""Alert rules: what they ask is what the panels ask, and their words hold for what is not known."""

import re
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from schoolwatch_server import packs
from schoolwatch_server.grafana import DASHBOARDS, alert, alerts, influxql, promql
from schoolwatch_server.grafana.alert import Asked, Formula, Newest
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs.plan import Item

TODAY = date(2026, 11, 30)
RULES = alerts.rules(packs.load(), TODAY)
BY_ID = {indicator.id: indicator for indicator in INDICATORS}


def test_every_indicator_with_a_target_has_one() -> None:
    known = packs.load()
    asked = {
        one.id
        for one in INDICATORS
        if (target := known.of(one.id).indicators[one.id].target) is not None and not target.applies_to
    }
    assert {rule.labels["indicator"] for rule in RULES if rule.group == "indicators"} == asked
    assert len(asked) > 20


def test_addresses_are_for_life_and_short_enough() -> None:
    uids = [rule.uid_in(language) for rule in RULES for language in ("vi", "en")]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,40}", uid) for uid in uids)
    assert alert.uid_of("students_per_computer_in_lesson") == "schoolwatch-students_per_com-a4f70ee9"
    assert not {one.uid for one in DASHBOARDS} & set(uids)


@pytest.mark.parametrize("dialect", ["influxql", "promql"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.uid)
def test_as_grafana_takes_it(rule: alert.Rule, dialect: alert.Dialect) -> None:
    body = alert.body(rule, dialect, "vi", "schoolwatch")
    refs = [one["refId"] for one in body["data"]]
    assert len(set(refs)) == len(refs)
    assert body["condition"] == refs[-1]
    assert (body["noDataState"], body["execErrState"]) == ("NoData", "Error")
    for one in body["data"]:
        model = one["model"]
        assert model["refId"] == one["refId"]
        assert (one["datasourceUid"] == "__expr__") == ("expression" in model)
        before = refs[: refs.index(one["refId"])]
        used = re.findall(r"\$(\w+)", model.get("expression", ""))
        assert set(used) <= set(before)
        if model.get("type") == "reduce":
            assert model["expression"] in before
        # of what Grafana fills in, an alert rule has but the range
        text = model.get("query") or model.get("expr") or ""
        assert not re.findall(r"\$(?!timeFilter)", text)
    assert "DatasourceNoData" in body["annotations"]["description"]
    assert "chưa đủ dữ liệu" in body["annotations"]["description"]
    assert not re.search(r"\$values", str(body["annotations"])), "of what is not known there is no number"


def test_it_asks_what_a_panel_asks() -> None:
    """The panel of a province's communes, but for the variable and which of a place's names are told."""
    (rule,) = (one for one in RULES if one.labels.get("indicator") == "telemetry_coverage")
    step = rule.steps[0]
    assert isinstance(step, Asked)
    where = {**step.query.where, "province": "$province"}
    alike = [
        replace(panel.query, name="")
        for one in DASHBOARDS
        for panel in one.panels
        if panel.query.where == where and not panel.query.is_over_time
    ]
    assert alike
    for panel in alike:
        asked = influxql.query(replace(panel, name="", where=step.query.where))
        mine, seconds = next(alert.queries(rule, "influxql"))
        assert re.sub("GROUP BY .* tz", "tz", mine) == re.sub("GROUP BY .* tz", "tz", asked)
        assert seconds > 86400, "an unchanged value of a commune is written once a day"


def test_less_is_better() -> None:
    by_id = {rule.labels.get("indicator", ""): rule for rule in RULES}
    last = by_id["students_per_computer_in_lesson"].steps[-1]
    assert last == Formula("E", "$C > 1 && $D <= 1")
    assert by_id["digital_records"].steps[-1] == Formula("E", "$C < 0.8 && $D >= 0.8")
    assert by_id["digital_records"].steps[2:4] == (Newest("C", "A"), Newest("D", "B"))


def item(target: float, deadline: date | None = None, **more: object) -> Item:
    return Item(
        id=f"i{target}",
        vi="a",
        clause="1",
        confidence="P",
        indicator="digital_records",
        target=target,
        deadline=deadline,
        **more,
    )  # type: ignore[arg-type]


def test_a_plans_number_stands_first() -> None:
    indicator = BY_ID["digital_records"]
    next_year, past, far = date(2027, 12, 31), date(2025, 12, 31), date(2030, 12, 31)

    def target(*items: Item) -> tuple[float, bool] | None:
        known = packs.load()
        held = SimpleNamespace(plans=[SimpleNamespace(items=items)], of=known.of)
        return alerts.target_of(held, indicator, TODAY)  # type: ignore[arg-type]

    assert target() == (0.8, True)
    assert target(item(0.9, far), item(0.7, next_year), item(0.5, past)) == (0.7, True)
    assert target(item(0.5, past)) == (0.5, True)
    assert target(item(0.6, next_year, levels=("THPT",)), item(0.6, far, communes=("00001",))) == (0.8, True)


def test_promql_has_its_range_in_words() -> None:
    (rule,) = (one for one in RULES if one.labels.get("indicator") == "digital_records")
    texts = [text for text, _ in alert.queries(rule, "promql")]
    assert len(texts) == 2
    assert promql.RANGE not in "".join(texts)
    assert "[2592000s]" in texts[1]
    assert "[90900s]" in texts[0]
    assert "indicator_denominator|indicator_coverage" in texts[0], "the newest row counts, as in panels"
