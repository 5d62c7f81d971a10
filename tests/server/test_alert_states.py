"""An alert of Grafana's: what its messages make of it, one after the other."""

import pytest

from schoolwatch_server.alert_states import AlertState, after, key, plain, rule_name

FIRES, OVER = ("firing", "High", ""), ("resolved", "High", "")
GONE = ("resolved", "High", "MissingSeries")
NO_DATA, DATA = ("firing", "DatasourceNoData", ""), ("resolved", "DatasourceNoData", "")
BROKEN = ("firing", "DatasourceError", "")


def told(*messages: tuple[str, str, str]) -> AlertState | None:
    state: AlertState | None = None
    for number, (status, name, reason) in enumerate(messages):
        state = after(state, status, name, reason, 100.0 + number)  # type: ignore[arg-type]
    return state


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([FIRES], AlertState(100.0)),
        ([FIRES, FIRES, FIRES], AlertState(100.0)),
        ([FIRES, OVER], None),
        ([FIRES, OVER, OVER], None),
        ([OVER], None),
        ([FIRES, OVER, FIRES], AlertState(102.0)),
        # not known is neither: it opens nothing, and closes nothing
        ([NO_DATA], None),
        ([BROKEN], None),
        ([FIRES, NO_DATA], AlertState(100.0, is_unknown=True)),
        ([FIRES, NO_DATA, OVER], AlertState(100.0, is_over=True, is_unknown=True)),
        ([FIRES, OVER, NO_DATA], None),
        ([FIRES, GONE], AlertState(100.0, is_over=True, is_unknown=True)),
        # known again: it fires, or what was said meanwhile counts
        ([FIRES, NO_DATA, OVER, FIRES], AlertState(100.0)),
        ([FIRES, NO_DATA, DATA], AlertState(100.0)),
        ([FIRES, NO_DATA, OVER, DATA], None),
        ([FIRES, BROKEN, OVER], AlertState(100.0, is_over=True, is_unknown=True)),
        ([FIRES, ("resolved", "High", "RuleDeleted")], None),
        ([FIRES, ("resolved", "High", "Updated")], AlertState(100.0, is_over=True, is_unknown=True)),
        ([FIRES, ("resolved", "High", "Error, KeepLast")], AlertState(100.0, is_over=True, is_unknown=True)),
        ([FIRES, ("resolved", "High", "Updated"), FIRES], AlertState(100.0)),
        ([FIRES, ("resolved", "High", "Paused")], None),
    ],
)
def test_messages(messages: list[tuple[str, str, str]], state: AlertState | None) -> None:
    assert told(*messages) == state


def test_an_alert_that_is_not_known_is_the_same_alert() -> None:
    labels = {"alertname": "High", "commune": "7", "grafana_folder": "SchoolWatch"}
    unknown = {
        **labels,
        "alertname": "DatasourceNoData",
        "rulename": "High",
        "ref_id": "A",
        "datasource_uid": "x",
    }
    assert key(labels, "all:0") == key(unknown, "all:0")
    assert rule_name(unknown) == "High"
    assert key({**labels, "commune": "8"}, "all:0") != key(labels, "all:0")
    assert key(labels, "commune:7") != key(labels, "all:0")
    assert len(key(labels, "all:0")) == 32
    # the ends of names and texts are told apart
    assert key({"a": "b=c"}, "x") != key({"a=b": "c"}, "x")


def test_texts_are_one_plain_line() -> None:
    assert plain("a\r\n\tb\x00\u202e\u200bc\ue000  d", 300) == "a b c d"
    assert plain("x" * 10_000, 10) == "xxxxxxxxx…"
    assert plain("Xã Gia Viễn: 45 %", 300) == "Xã Gia Viễn: 45 %"
