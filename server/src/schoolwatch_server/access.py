"""Who may do what: one table of roles, and the one function that authorises every route."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from schoolwatch_server.scope import Scope

Permission = Literal["read", "declare", "enrol", "system", "speedtest", "standing"]
Role = Literal["so_admin", "so_viewer", "commune", "school_head", "technician", "auditor"]
TokenPermission = Literal["read"]

ROLES: Mapping[Role, frozenset[Permission]] = {
    "so_admin": frozenset({"read", "declare", "enrol", "system"}),
    "so_viewer": frozenset({"read", "system"}),
    "commune": frozenset({"read", "declare"}),
    "school_head": frozenset({"read", "declare"}),
    "technician": frozenset({"read", "declare", "enrol"}),
    "auditor": frozenset({"read", "system"}),
}
"""What a role may do, within its account's scope. `system` is about the server, not about a school."""

TOKENS: Mapping[TokenPermission, frozenset[Permission]] = {"read": frozenset({"read", "system"})}
"""What an API token may do, within its scope; a token never writes."""

DEVICE: frozenset[Permission] = frozenset({"speedtest", "standing"})
"""What a device may do over HTTP once it has proved itself: ask for leave to test its school's line."""

OUTSIDE: frozenset[Permission] = frozenset({"standing"})
"""What a device may do that waits or was refused: ask how it stands."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person's session, an API token or a device, with the part of the tree it may see."""

    kind: Literal["account", "token", "device"]
    name: str
    permissions: frozenset[Permission]
    scope: Scope
    role: Role | None = None
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the registry with its ancestors' ids (None: above the node, or not of that level)."""

    province_id: int | None = None
    commune_id: int | None = None
    school_id: int | None = None


class AccessError(Exception):
    """A route was refused; the two reasons below are answered differently."""


class UnauthenticatedError(AccessError):
    """Nobody is logged in and no valid token came: log in, or send one."""


class ForbiddenError(AccessError):
    """Known, but not allowed: the role lacks the permission, or the place lies outside the scope."""


def authorise(principal: Principal | None, permission: Permission, place: Place | None = None) -> Principal:
    """The principal, when it holds the permission and (if given) the place lies in its scope.

    What concerns the whole server (`system`) needs the scope "all" besides.
    Raises `UnauthenticatedError` or `ForbiddenError`.
    """
    if principal is None:
        raise UnauthenticatedError
    if permission not in principal.permissions:
        raise ForbiddenError(permission)
    if permission == "system" and principal.scope.level != "all":
        raise ForbiddenError(permission)
    if place is not None and not covers(principal.scope, place):
        raise ForbiddenError(permission)
    return principal


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


def as_role(text: str) -> Role:
    """The role of that name; raises `ValueError` naming those there are."""
    for role in get_args(Role):
        if role == text:
            return role  # type: ignore[no-any-return]  # get_args is untyped
    raise ValueError(f"{text!r} is not a role: {', '.join(get_args(Role))}")
