"""Our branch of Grafana's one tree of notification policies: what bears our label goes to our server. Pure.

https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/#route
"""

from collections.abc import Mapping
from typing import Any, Final

UID: Final = "schoolwatch"

LABEL: Final = "schoolwatch"
"""The label of our rules: what kind of thing the rule is about."""

_MATCHER: Final = [LABEL, "=~", ".+"]


def branch(receiver: str) -> dict[str, Any]:
    """Ours: a message for each alert (`...`: by all labels), told again while it lasts, so none is lost."""
    return {
        "receiver": receiver,
        "object_matchers": [_MATCHER],
        "group_by": ["..."],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
    }


def ours(tree: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Ours as the tree has it."""
    return next((one for one in tree.get("routes") or () if _is_ours(one)), None)


def with_ours(tree: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with our branch as it should be: where it was, or else first, since the first one counts."""
    routes = list(tree.get("routes") or ())
    at = next((number for number, one in enumerate(routes) if _is_ours(one)), None)
    if at is None:
        return {**tree, "routes": [dict(wanted), *routes]}
    routes[at] = {**routes[at], **wanted}
    return {**tree, "routes": routes}


def without_ours(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree without it."""
    return {**tree, "routes": [one for one in tree.get("routes") or () if not _is_ours(one)]}


def _is_ours(route: Mapping[str, Any]) -> bool:
    return route.get("object_matchers") == [_MATCHER]
