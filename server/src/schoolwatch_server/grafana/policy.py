"""How what our rules find gets to our server: the contact point, and our branch of all policies. Pure.

https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/#route
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from collections.abc import Mapping
from typing import Any, Final

UID: Final = "schoolwatch"

LABEL: Final = "schoolwatch"
"""The label of our rules: what kind of thing the rule is about."""

RECEIVER: Final = "SchoolWatch"
"""The name of the contact point: policies name it by that."""

CREDENTIALS: Final = "authorization_credentials"
"""The setting of a contact point that holds its token."""

PATH: Final = "/api/v1/grafana/alerts"
"""Where this server takes alerts in."""

_DEFAULT: Final = "grafana-default-email"
"""The contact point that every Grafana begins with."""

_MATCHER: Final = [LABEL, "=~", ".+"]


def webhook(url: str) -> dict[str, str]:
    """The settings of the contact point that tells our server, but for the token."""
    return {"url": url, "httpMethod": "POST", "authorization_scheme": "Bearer"}


def whole() -> dict[str, Any]:
    """A tree for a Grafana that has no other branches: ours, and all else to where it goes at first."""
    return {
        "receiver": _DEFAULT,
        "group_by": ["grafana_folder", "alertname"],
        "routes": [branch()],
    }


def branch() -> dict[str, Any]:
    """Ours: a message for each alert (`...`: by all labels), told again while it lasts, so none is lost."""
    return {
        "receiver": RECEIVER,
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
