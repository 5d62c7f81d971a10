"""What is stored of the past for each watch, and why there is nothing for some. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schoolwatch_server.rules.rule import Condition, Rule

Source = Literal["journal", "sites", "judged", "refused", "tests"]
"""Whose age tells how far back a replay can go."""

Need = Literal["hearing", "ipv6", "tests", "sites", "judged", "refused"]
"""As in `database.past_rows`."""

Why = Literal[
    "grafana_alert",
    "server_backup",
    "server_behind",
    "server_certificate",
    "server_channels",
    "server_clock",
    "server_disk",
    "server_store_behind",
]
"""A watch whose past nobody keeps; a key of the texts says what that is."""


@dataclass(frozen=True, slots=True)
class History:
    """What a watch rests on; `day_first` is where a day must pass until it is known who was heard last."""

    needs: frozenset[Need]
    source: Source
    day_first: bool = False


_HEARD: Final = History(frozenset({"hearing"}), "journal", day_first=True)
_SITES: Final = History(frozenset({"sites"}), "sites")
_JUDGED: Final = History(frozenset({"judged"}), "judged")
REPORTS: Final = History(frozenset(), "journal")
"""Of rules that judge what devices report."""

HISTORIES: Final[Mapping[str, History]] = {
    "device_silent": _HEARD,
    "line_down": _HEARD,
    "outage_commune": _HEARD,
    "outage_province": _HEARD,
    "server_deaf": _HEARD,
    "ipv6_lost": History(frozenset({"ipv6"}), "journal"),
    "line_slow": History(frozenset({"tests"}), "tests"),
    "indicator_fell": _JUDGED,
    "indicator_fell_widely": _JUDGED,
    "quarantine_growth": History(frozenset({"refused"}), "refused"),
    "site_certificate": _SITES,
    "site_down": _SITES,
    "site_ipv6_lost": _SITES,
    "site_untrusted": _SITES,
}

WHOLE: Final = frozenset({"outage_province", "server_deaf", "quarantine_growth"})
"""Watches that can only be looked at for the whole server at once."""


def of_condition(condition: Condition) -> History | None:
    """What a rule's past is read from; None where nobody keeps it."""
    return REPORTS if condition.watch is None else HISTORIES.get(condition.watch)


def why_not(rule: Rule) -> str:
    """The name of the watch whose past nobody keeps; empty where it is kept."""
    return "" if of_condition(rule.condition) is not None else rule.condition.watch or ""
