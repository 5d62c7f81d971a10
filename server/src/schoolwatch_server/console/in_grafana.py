"""Links from pages of the console to the department's Grafana, for those who may look at it."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from schoolwatch_server.access import Principal
from schoolwatch_server.roles import Role
from schoolwatch_server.sections import Grafana

STAFF: Final[frozenset[Role]] = frozenset({"so_admin", "so_viewer"})
"""Grafana shows whoever gets in all schools: it is for the department's own people."""

_SUFFIX: Final = {"vi": "", "en": "-en"}


def links(settings: Grafana, who: Principal | None) -> Callable[..., str]:
    """`("school", province=…, commune=…, school=…)`, ids → that dashboard's address; empty: there is none."""

    def link(dashboard: str, **chosen: int | str) -> str:
        if not settings.url or who is None or who.role not in STAFF:
            return ""
        variables = urlencode({f"var-{name}": value for name, value in chosen.items()})
        uid = f"schoolwatch-{dashboard}{_SUFFIX[settings.language]}"
        return f"{settings.url.rstrip('/')}/d/{uid}?{variables}"

    return link
