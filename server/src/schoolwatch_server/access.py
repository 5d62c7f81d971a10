"""Who may do what: one table of roles, and the one function that authorises every route."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.roles import Role as Role
from schoolwatch_server.roles import as_role as as_role
from schoolwatch_server.scope import Level, Scope

Permission = Literal[
    "self", "read", "declare", "enrol", "people", "tokens", "system", "audit", "speedtest", "standing",
    "renew", "erase", "rotate", "registry", "freeze", "hand_in", "accept", "claim", "approve",
    "recognise", "evidence", "packs", "calendar", "duty", "handle", "rules", "report_incidents",
    "alert",
]  # fmt: skip
TokenPermission = Literal["read", "handle", "calendar", "alert"]

ROLES: Mapping[Role, frozenset[Permission]] = {
    "so_admin": frozenset(
        {
            "self",
            "read",
            "declare",
            "enrol",
            "people",
            "tokens",
            "system",
            "audit",
            "erase",
            "rotate",
            "registry",
            "freeze",
            "hand_in",
            "accept",
            "recognise",
            "evidence",
            "packs",
            "calendar",
            "duty",
            "handle",
            "rules",
            "report_incidents",
            "alert",
        }
    ),
    "so_viewer": frozenset({"self", "read", "system", "evidence"}),
    "commune": frozenset(
        {
            "self",
            "read",
            "declare",
            "enrol",
            "people",
            "tokens",
            "freeze",
            "hand_in",
            "accept",
            "evidence",
            "handle",
            "report_incidents",
            "calendar",
            "alert",
        }
    ),
    "school_head": frozenset(
        {
            "self",
            "read",
            "declare",
            "enrol",
            "people",
            "freeze",
            "hand_in",
            "claim",
            "approve",
            "evidence",
            "calendar",
            "handle",
            "report_incidents",
        }
    ),
    "technician": frozenset({"self", "read", "declare", "enrol", "freeze", "claim", "evidence", "handle"}),
    "auditor": frozenset({"self", "read", "system", "audit", "evidence"}),
}
"""What a role may do, within its account's scope.

`self` is one's own account; `people` and `tokens` make accounts and API tokens, no wider than one's own;
`system` and `audit` are about the server and its log, not about a school; `erase` deletes data of a device or
a school for good, `rotate` has keys of devices renewed, `registry` adds schools, changes what they
are and says when reports are due.
`freeze` keeps a report as it stands, `hand_in` hands one's own place's in, `accept` decides on reports and
declarations of the places that one manages: see `hands_in` and `decides`.
`claim` fills in and hands in what a school declares with evidence, `approve`, `accept` and `recognise` decide
on it, each after the other and none in another's place (`claims.states` says whose turn it is); `evidence`
reads it, remarks and files included: names may stand in them, so no token has it.
`calendar` sets days off, hours and planned work of places in one's scope.
`packs` changes the numbers that all schools are judged by, `rules` what opens an incident.
`handle` acknowledges, assigns, comments on and closes incidents: whoever answers for the place or mends it,
the school's own people among them, for they are there first. Who only watches or inspects does not: what they
find closed, somebody else closed.
`alert` tells of what a Grafana found: its token does, and whoever may issue that one.
`report_incidents` makes the report forms of serious incidents, records what was sent, and says that one
is not serious after all: whoever answers for the place, as it is a letter of its office.
"""

SCOPES: Mapping[Role, tuple[Level, ...]] = {
    "so_admin": ("all", "province"),
    "so_viewer": ("all", "province"),
    "commune": ("commune",),
    "school_head": ("school",),
    "technician": ("school", "commune", "province"),
    "auditor": ("all", "province"),
}
"""What an account of a role is made for; another scope is most likely a slip of the hand."""

GRANTS: Mapping[Role, frozenset[Role]] = {
    "so_admin": frozenset(SCOPES),
    "so_viewer": frozenset(),
    "commune": frozenset({"school_head", "technician"}),
    "school_head": frozenset({"technician"}),
    "technician": frozenset(),
    "auditor": frozenset(),
}
"""Whose accounts a role makes, changes and ends, within its own scope."""

SCHOOLS_OWN: frozenset[Permission] = frozenset({"claim", "approve"})
"""What speaks for a school. A role that makes accounts with them lacks them itself: it decides on what the
school says, so it must not say it. That such an account was made is in the audit log."""

LIMITED: frozenset[Permission] = frozenset({"self"})
"""What a session may do until a first password is changed and a second factor that is due is set up."""

WHOLE_SERVER: frozenset[Permission] = frozenset({"system", "audit", "packs", "rules", "duty"})
"""What needs the scope "all" besides the permission."""

TOKENS: Mapping[TokenPermission, frozenset[Permission]] = {
    "read": frozenset({"read", "system"}),
    "handle": frozenset({"read", "handle"}),
    "calendar": frozenset({"read", "calendar"}),
    "alert": frozenset({"alert"}),
}
"""What an API token may do, within its scope: read, besides see to incidents (a help desk's program) or enter
days off and planned work (a timetable's), or tell of alerts and nothing else (a Grafana)."""

Must = Literal["", "password", "second_factor"]
"""What a person has to do before anything else: change a first password, set up a second factor."""

Proof = Literal["", "oidc", "oidc+factor"]
"""What opened a session: a password, an identity of a provider, or one that proved a second factor there."""

DEVICE: frozenset[Permission] = frozenset({"speedtest", "standing", "renew"})
"""What a device may do over HTTP once it has proved itself: test its line, ask how it stands, be renewed."""

OUTSIDE: frozenset[Permission] = frozenset({"standing"})
"""What a device may do that waits or was refused: ask how it stands."""

RENEWED: frozenset[Permission] = frozenset({"renew"})
"""What a device may do with the key that it was offered: take it up."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person's session, an API token or a device, with the part of the tree it may see.

    `factor_due` is when a person needs a second factor who has none (UTC seconds).
    """

    kind: Literal["account", "token", "device"]
    name: str
    permissions: frozenset[Permission]
    scope: Scope
    role: Role | None = None
    csrf: str = ""
    account: int | None = None
    must: Must = ""
    factor_due: float | None = None
    proof: Proof = ""
    is_renewed: bool = False  # a device that proved the key that it was offered


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the registry with its ancestors' ids (None: above the node, or not of that level).

    `manager` is of a school: whom it reports to (`so`, `xa`; None: not known).
    """

    province_id: int | None = None
    commune_id: int | None = None
    school_id: int | None = None
    manager: str | None = None


class AccessError(Exception):
    """A route was refused; the two reasons below are answered differently."""


class UnauthenticatedError(AccessError):
    """Nobody is logged in and no valid token came: log in, or send one."""


class ForbiddenError(AccessError):
    """Known, but not allowed: the role lacks the permission, or the place lies outside the scope."""


class NotManagedError(ForbiddenError):
    """A commune would write for a school that reports to the department, which it may only read."""


def authorise(principal: Principal | None, permission: Permission, place: Place | None = None) -> Principal:
    """The principal, when it holds the permission and (if given) the place lies in its scope.

    What concerns the whole server needs the scope "all" besides.
    Raises `UnauthenticatedError`, `ForbiddenError` or `NotManagedError`.
    """
    if principal is None:
        raise UnauthenticatedError
    if permission not in principal.permissions:
        raise ForbiddenError(permission)
    if permission in WHOLE_SERVER and principal.scope.level != "all":
        raise ForbiddenError(permission)
    if place is not None and not covers(principal.scope, place):
        raise ForbiddenError(permission)
    if permission == "declare" and place is not None and not writes_for(principal.scope, place.manager):
        raise NotManagedError(permission)
    return principal


def writes_for(scope: Scope, manager: str | None) -> bool:
    """Whether who has that scope and may declare does so for a school that reports to that `manager`.

    A commune declares nothing for a school of the department (`so`, or nobody knows), as it decides nothing
    there (TT 45/2026/TT-BGDĐT, Điều 1.7 and 2.2); the department looks after the lists of all schools.
    """
    return scope.level != "commune" or manager == "xa"


def may(principal: Principal, permission: Permission, place: Place | None = None) -> bool:
    """Whether `authorise` would let it pass: for showing a button or not."""
    try:
        authorise(principal, permission, place)
    except AccessError:
        return False
    return True


def covers(scope: Scope, place: Place) -> bool:
    """Whether the whole of a place lies inside a scope; a school's scope doesn't cover its commune."""
    match scope.level:
        case "all":
            return True
        case "province":
            return scope.id is not None and place.province_id == scope.id
        case "commune":
            return scope.id is not None and place.commune_id == scope.id
        case "school":
            return scope.id is not None and place.school_id == scope.id


def hands_in(principal: Principal, level: str, place: Place) -> bool:
    """Whether it hands in reports of that place: only who answers for it, nobody above in its stead."""
    return may(principal, "hand_in", place) and _stands_at(principal, level)


def decides(principal: Principal, level: str, manager: str | None, place: Place) -> bool:
    """Whether it accepts and returns reports of that place: its direct manager alone.

    `manager` is a school's: the commune (`xa`), or the department, as where nobody knows.
    """
    above = {"school": "commune" if manager == "xa" else "province", "commune": "province"}.get(level)
    return above is not None and may(principal, "accept", place) and _stands_at(principal, above)


def _stands_at(principal: Principal, level: str) -> bool:
    """Whether somebody's own place is of that level; who sees everything stands at the province."""
    return level == ("province" if principal.scope.level == "all" else principal.scope.level)


def may_grant(principal: Principal, role: Role, scope: Scope, place: Place) -> bool:
    """Whether it may make, change and end accounts of that role and scope; `place` is where the scope is."""
    return (
        "people" in principal.permissions
        and principal.role is not None
        and role in GRANTS[principal.role]
        and scope.level in SCOPES[role]
        and covers(principal.scope, place)
    )
