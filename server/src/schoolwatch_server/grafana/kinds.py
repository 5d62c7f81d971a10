"""How each kind of our pieces is read, written and taken away: the endpoints that Grafana 9.4 to 13 all have.

Data sources, folders and dashboards: .../developers/http_api/{data_source,folder,dashboard}/; the rest:
.../developers/http_api/alerting_provisioning/. Grafana 13 calls `/api` old and keeps it.
What was written without `X-Disable-Provenance` can't be edited by people in Grafana; 9.4 heeds it for rules
alone, and what bears a provenance may not lose it. So it is sent for whatever bears none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from schoolwatch_server.grafana import policy, sources
from schoolwatch_server.grafana.alert import PREFIX as OURS
from schoolwatch_server.grafana.client import Grafana
from schoolwatch_server.grafana.pieces import KindName, Piece, is_ours
from schoolwatch_server.grafana.spec import SOURCE_TYPES

_ALERTING: Final = "/api/v1/provisioning"
_MESSAGE: Final = "schoolwatch-server grafana push"


@dataclass(frozen=True, slots=True)
class Held:
    """What Grafana has of a piece: its fields, and why it can't be changed by us ("": it can).

    `foreign`: by what it is seen that somebody else made it, though it bears our uid ("": it is ours).
    """

    uid: str
    title: str
    body: Mapping[str, Any]
    locked: str = ""
    foreign: str = ""


@dataclass(frozen=True, slots=True)
class Old:
    """How old ones go: `ours` are those of a kind that only this program can have made."""

    ours: Callable[[Grafana], list[Held]]
    remove: Callable[[Grafana, str], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """`old` None: they stay. A folder may hold others' dashboards, a data source be used by them."""

    read: Callable[[Grafana, str], Held | None]
    write: Callable[[Grafana, Piece, Held | None], None]
    old: Old | None = None


def _free(body: Mapping[str, Any] | None) -> dict[str, str]:
    is_bound = body is not None and body.get("provenance") == "api"
    return {} if is_bound else {"X-Disable-Provenance": "true"}


_FROM_FILE: Final = (
    "it comes from a file on Grafana's machine. Run there `schoolwatch-server grafana withdraw --out "
    "/etc/grafana/provisioning`, then push; or go on with files: `grafana provision`"
)

_ALERTS_FROM_FILE: Final = (
    "it comes from a file on Grafana's machine and works as it is: leave out --alert-token-file"
)


def _lock(body: Mapping[str, Any], why: str = _FROM_FILE) -> str:
    return why if body.get("provenance") == "file" else ""


# --- data source and folder -----------------------------------------------------------------------------


def _source(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.get(f"/api/datasources/uid/{uid}")
    if found is None:
        return None
    name, type_, more = found.get("name", uid), found.get("type", "?"), found.get("jsonData") or {}
    foreign = "" if type_ in SOURCE_TYPES.values() else f"it is of the type {type_}"
    if name != sources.NAME and sources.MARK not in more:
        foreign = foreign or f"it is called {name} and no push gave it a token"
    return Held(uid, name, found, _FROM_FILE if found.get("readOnly") else "", foreign)


def _write_source(grafana: Grafana, piece: Piece, held: Held | None) -> None:
    body = {**piece.body, **(piece.secret or {})}
    if held is None:
        grafana.send("POST", "/api/datasources", body)
        return
    theirs = {name: it for name, it in held.body.get("jsonData", {}).items() if name != sources.HEADER}
    body |= {
        "isDefault": held.body.get("isDefault", False),  # what is left out is taken away
        "jsonData": {**theirs, **piece.body["jsonData"]},
        "version": held.body.get("version", 0),
    }
    grafana.send("PUT", f"/api/datasources/uid/{piece.uid}", body)


def _folder(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.get(f"/api/folders/{uid}")
    return None if found is None else Held(uid, found.get("title", uid), found)


def twin(grafana: Grafana, title: str, uid: str) -> Held | None:
    """Another folder of that title beside ours: up to 11 Grafana takes no second one."""
    found = grafana.many("/api/folders", limit="1000")
    other = next((one["uid"] for one in found if one.get("title") == title and one.get("uid") != uid), None)
    return None if other is None else _folder(grafana, other)


def _write_folder(grafana: Grafana, piece: Piece, held: Held | None) -> None:
    if held is None:
        grafana.send("POST", "/api/folders", {"uid": piece.uid, **piece.body})
    else:
        version = held.body.get("version", 0)
        grafana.send("PUT", f"/api/folders/{piece.uid}", {**piece.body, "version": version})


# --- dashboards -----------------------------------------------------------------------------------------


def _dashboard(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.get(f"/api/dashboards/uid/{uid}")
    if found is None:
        return None
    model, meta = found.get("dashboard", {}), found.get("meta", {})
    body = {"dashboard": model, "folderUid": meta.get("folderUid", "")}
    locked = _FROM_FILE if meta.get("provisioned") else ""
    if meta.get("isFolder"):
        locked = "a folder bears this uid: delete that folder, or give it another uid"
    by = f" ({meta['createdBy']} made it)" if meta.get("createdBy") else ""
    foreign = "" if OURS in (model.get("tags") or ()) else f"it has no tag {OURS}{by}"
    return Held(uid, model.get("title", uid), body, locked, foreign)


def _write_dashboard(grafana: Grafana, piece: Piece, held: Held | None) -> None:
    model = {**piece.body["dashboard"], "id": None, "uid": piece.uid}
    if held is not None:  # a person's change since we looked is refused as 412, and not run over
        was = held.body["dashboard"]
        model |= {"id": was.get("id"), "version": was.get("version", 0)}
    body = {**piece.body, "dashboard": model, "overwrite": False, "message": _MESSAGE}
    grafana.send("POST", "/api/dashboards/db", body)


def _remove_dashboard(grafana: Grafana, uid: str) -> None:
    grafana.send("DELETE", f"/api/dashboards/uid/{uid}")


def _our_dashboards(grafana: Grafana) -> list[Held]:
    found = grafana.many("/api/search", type="dash-db", tag=OURS, limit="5000")
    read = (_dashboard(grafana, one["uid"]) for one in found if is_ours(one.get("uid", "")))
    return [one for one in read if one is not None and not one.locked]


# --- alert rules ----------------------------------------------------------------------------------------


def _rule(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.get(f"{_ALERTING}/alert-rules/{uid}")
    if found is None:
        return None
    foreign = "" if OURS in (found.get("labels") or {}) else f"it has no label {OURS}"
    return Held(uid, found.get("title", uid), found, _lock(found), foreign)


def _write_rule(grafana: Grafana, piece: Piece, held: Held | None) -> None:
    if held is None:
        body = {"uid": piece.uid, "orgID": _org(grafana), **piece.body}
        grafana.send("POST", f"{_ALERTING}/alert-rules", body, _free(None))
        return
    body = {**held.body, **piece.body}
    grafana.send("PUT", f"{_ALERTING}/alert-rules/{piece.uid}", body, _free(held.body))


def _org(grafana: Grafana) -> int:
    found = grafana.get("/api/org") or {}
    return int(found.get("id", 1))


def _remove_rule(grafana: Grafana, uid: str) -> None:
    path = f"{_ALERTING}/alert-rules/{uid}"
    # 409 for one that is bound to the API (provenance), unless the request is bound so too
    grafana.send("DELETE", path, headers=_free(grafana.get(path)))


def _our_rules(grafana: Grafana) -> list[Held]:
    found = grafana.many(f"{_ALERTING}/alert-rules")
    ours = (one for one in found if is_ours(one.get("uid", "")) and OURS in (one.get("labels") or {}))
    return [Held(one["uid"], one.get("title", ""), one) for one in ours if not _lock(one)]


def _group_path(piece_uid: str) -> str:
    folder, _, group = piece_uid.partition("/")
    return f"{_ALERTING}/folder/{folder}/rule-groups/{quote(group, safe='')}"


def _group(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.get(_group_path(uid))
    return None if found is None else Held(uid, found.get("title", uid), found)


def _write_group(grafana: Grafana, piece: Piece, _: Held | None) -> None:
    """Its rules stand by now; a group is written as a whole, so they are sent along as they are."""
    path = _group_path(piece.uid)
    held = grafana.get(path) or {}
    rules = held.get("rules") or []
    bound = next((one for one in rules if one.get("provenance") == "api"), None)
    grafana.send("PUT", path, {**held, **piece.body}, _free(bound))


# --- contact point and notification policy --------------------------------------------------------------


def _contact(grafana: Grafana, uid: str) -> Held | None:
    found = grafana.many(f"{_ALERTING}/contact-points")
    one = next((one for one in found if one.get("uid") == uid), None)
    if one is None:
        return None
    url, type_ = str((one.get("settings") or {}).get("url", "")), one.get("type", "?")
    foreign = "" if policy.PATH in url else f"it tells {url or 'somebody else'} ({type_})"
    return Held(uid, one.get("name", uid), one, _lock(one, _ALERTS_FROM_FILE), foreign)


def _write_contact(grafana: Grafana, piece: Piece, held: Held | None) -> None:
    settings = {**piece.body["settings"], **(piece.secret or {}).get("settings", {})}
    body = {"uid": piece.uid, **piece.body, "settings": settings}
    if held is None:
        grafana.send("POST", f"{_ALERTING}/contact-points", body, _free(None))
        return
    body["settings"] = {**held.body.get("settings", {}), **settings}
    grafana.send("PUT", f"{_ALERTING}/contact-points/{piece.uid}", body, _free(held.body))


def _remove_contact(grafana: Grafana, uid: str) -> None:
    grafana.send("DELETE", f"{_ALERTING}/contact-points/{uid}", headers=_free(None))


def _our_contacts(grafana: Grafana) -> list[Held]:
    found = grafana.many(f"{_ALERTING}/contact-points")
    ours = (one for one in found if is_ours(one.get("uid", "")) and not _lock(one))
    return [Held(one["uid"], one.get("name", ""), one) for one in ours]


def _policy(grafana: Grafana, uid: str) -> Held | None:
    tree = grafana.get(f"{_ALERTING}/policies") or {}
    found = policy.ours(tree)
    if found is None:
        return None
    to = found.get("receiver", "?")
    foreign = "" if to == policy.RECEIVER else f"what bears the label {policy.LABEL} goes to {to} there"
    return Held(uid, uid, found, _lock(tree, _ALERTS_FROM_FILE), foreign)


def _write_policy(grafana: Grafana, piece: Piece, _: Held | None) -> None:
    _put_tree(grafana, lambda tree: policy.with_ours(tree, piece.body))


def _remove_policy(grafana: Grafana, _: str) -> None:
    _put_tree(grafana, policy.without_ours)


def _put_tree(grafana: Grafana, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """There is one tree for all: ours is one branch of it, the others are sent back as they came."""
    tree = grafana.get(f"{_ALERTING}/policies") or {}
    grafana.send("PUT", f"{_ALERTING}/policies", change(tree), _free(tree))


def _our_policies(grafana: Grafana) -> list[Held]:
    held = _policy(grafana, policy.UID)
    return [] if held is None or held.locked else [held]


KINDS: Final[Mapping[KindName, Kind]] = {
    "folder": Kind(_folder, _write_folder),
    "data source": Kind(_source, _write_source),
    "contact point": Kind(_contact, _write_contact, Old(_our_contacts, _remove_contact)),
    "notification policy": Kind(_policy, _write_policy, Old(_our_policies, _remove_policy)),
    "dashboard": Kind(_dashboard, _write_dashboard, Old(_our_dashboards, _remove_dashboard)),
    "alert rule": Kind(_rule, _write_rule, Old(_our_rules, _remove_rule)),
    "rule group": Kind(_group, _write_group),
}
"""In the order in which they are written: what others name comes first. They are taken away backwards."""

PRUNED: Final = frozenset(name for name, kind in KINDS.items() if kind.old is not None)
"""Those of which old ones can go."""
