"""Every page of the console."""

from schoolwatch_server.api.route import Route
from schoolwatch_server.console import (
    api_tokens,
    arrivals,
    audit,
    bundles,
    devices,
    enrolment,
    fleet,
    incidents,
    login,
    me,
    notice,
    oidc,
    people,
    places,
    rooms,
    schools,
    search,
    system,
)

ROUTES: tuple[Route, ...] = (
    *login.ROUTES,
    *oidc.ROUTES,
    *me.ROUTES,
    *people.ROUTES,
    *api_tokens.ROUTES,
    *audit.ROUTES,
    *places.ROUTES,
    *search.ROUTES,
    *schools.ROUTES,
    *enrolment.ROUTES,
    *fleet.ROUTES,
    *rooms.ROUTES,
    *arrivals.ROUTES,
    *devices.ROUTES,
    *incidents.ROUTES,
    *bundles.ROUTES,
    *system.ROUTES,
    *notice.ROUTES,
)
