"""What is held of an alert that Grafana tells of: whether it fires, is over, or is not known any more. Pure.

Payload: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
States: https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states/
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal

Status = Literal["firing", "resolved"]

UNKNOWN_NAMES: Final = frozenset({"DatasourceNoData", "DatasourceError"})
"""What Grafana calls an alert whose query gave nothing, or failed: the rule's name is then in `rulename`."""

UNKNOWN_REASONS: Final = frozenset({"MissingSeries", "NoData", "Error", "Updated"})
"""Why Grafana says resolved though nobody saw it mended (annotation `grafana_state_reason`, one or several):
a rule that somebody changed, for a new target say, begins anew."""

TITLE_MAX: Final = 120
SUMMARY_MAX: Final = 300
"""Characters of a text that are kept."""

_OF_QUERIES: Final = frozenset({"alertname", "rulename", "datasource_uid", "ref_id", "grafana_folder"})
"""Labels that are other ones while the same alert is not known."""


@dataclass(frozen=True, slots=True)
class AlertState:
    """`is_over`: Grafana said resolved; `is_unknown`: it can't tell just now. `since` is UTC seconds.

    What is over though it is unknown is neither: nobody has seen that it is mended.
    """

    since: float
    is_over: bool = False
    is_unknown: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left to be said of it."""
        return self.is_over and not self.is_unknown


def after(held: AlertState | None, status: Status, name: str, reason: str, since: float) -> AlertState | None:
    """The state once Grafana told of it; None: there is none. Told twice, it is the same.

    Unknown opens nothing and closes nothing: what was not firing before does not begin with it.
    """
    if name in UNKNOWN_NAMES:
        return None if held is None else _kept(replace(held, is_unknown=status == "firing"))
    if status == "firing":
        return AlertState(since) if held is None else replace(held, is_over=False, is_unknown=False)
    if held is None:
        return None
    return _kept(replace(held, is_over=True, is_unknown=held.is_unknown or _is_unknown(reason)))


def _is_unknown(reasons: str) -> bool:
    return not UNKNOWN_REASONS.isdisjoint(reasons.split(", "))


def _kept(state: AlertState) -> AlertState | None:
    return None if state.is_gone else state


def is_trial(labels: Mapping[str, str]) -> bool:
    """Whether it is what the button *Test* of a contact point sends: nothing is wrong, and it never ends."""
    return (labels.get("alertname"), labels.get("instance")) == ("TestAlert", "Grafana")


def key(labels: Mapping[str, str], teller: str) -> str:
    """What tells an alert apart, 32 characters: its rule and its labels, and who told of it.

    Grafana's own fingerprint is another one while the alert is not known.
    """
    made = blake2b(digest_size=16)
    told = sorted(one for one in labels.items() if one[0] not in _OF_QUERIES)
    for part in (teller, rule_name(labels), *(text for one in told for text in one)):
        made.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return made.hexdigest()


def rule_name(labels: Mapping[str, str]) -> str:
    """The rule's own name, whatever Grafana calls the alert now."""
    name = labels.get("alertname", "")
    return labels.get("rulename", name) if name in UNKNOWN_NAMES else name


def plain(text: str, most: int) -> str:
    """A text of somebody else's as one line: no control, format or private character, and not too long."""
    shown = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text[: 4 * most])
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
