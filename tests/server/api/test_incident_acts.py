"""Incidents seen to by other programs, and by a browser that says which page it is on."""

import httpx
from sqlalchemy import func, select

from schoolwatch_server.database import incident_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.tokens import issue_token
from shared import own_site, own_tree
from tree import Tree
from website import RunningSite, csrf

tree, site = own_tree, own_site


def program(site: RunningSite, scope: Scope = EVERYTHING, permission: str = "handle") -> httpx.Client:
    token = issue_token(site.engine, "trực ban", permission, scope, 1)
    return site.anyone(headers={"Authorization": f"Bearer {token}"})


def number_of(tree: Tree, school: int = 0) -> int:
    with begin_read(tree.engine) as conn:
        scope = Scope("school", tree.schools[school].id)
        return incident_rows.incidents(conn, scope, is_open=True)[0].id


def test_a_program_takes_notes_and_closes_and_is_named(tree: Tree, site: RunningSite) -> None:
    at, client = f"/api/v1/incidents/{number_of(tree)}", program(site)
    taken = client.post(f"{at}/acknowledge", json={}).json()
    assert (taken["outcome"]["done"], taken["incident"]["state"]) == (True, "acknowledged")
    again = client.post(f"{at}/acknowledge", json={})
    assert again.status_code == 200, "it is no error"
    assert again.json()["outcome"] == {
        "incident": taken["incident"]["id"],
        "done": False,
        "why": "same",
        "by": "API token trực ban",
        "at": taken["incident"]["acknowledged_at"],
        "newer": None,
    }
    assert client.post(f"{at}/note", json={"note": "đã gọi trường"}).json()["outcome"]["done"]
    assert client.post(f"{at}/note", json={"note": ""}).status_code == 422
    assert client.post(f"{at}/assign", json={"assignee": "nobody of that name"}).status_code == 422
    closed = client.post(f"{at}/close", json={"verdict": "false_alarm"}).json()["incident"]
    assert (closed["state"], closed["closed_by"]) == ("false_alarm", "API token trực ban")
    told = client.get(at).json()
    assert [event["kind"] for event in told["events"]] == ["opened", "acknowledged", "noted", "false_alarm"]
    assert told["events"][2]["detail"]["text"] == "đã gọi trường"
    assert client.post(f"{at}/reopen", json={}).json()["incident"]["state"] == "acknowledged"


def test_many_at_once_say_of_each_what_became_of_it(tree: Tree, site: RunningSite) -> None:
    own, beside = number_of(tree), number_of(tree, 1)
    client = program(site, Scope("school", tree.schools[0].id))
    told = client.post("/api/v1/incident-acts", json={"act": "resolve", "incidents": [own, beside]}).json()
    assert [(one["incident"], one["done"], one["why"]) for one in told["outcomes"]] == [
        (own, True, ""),
        (beside, False, "unseen"),
    ]
    too_many = {"act": "resolve", "incidents": list(range(1, 502))}
    assert client.post("/api/v1/incident-acts", json=too_many).status_code == 422


def test_a_token_that_reads_changes_nothing_and_a_session_needs_its_own_secret(
    tree: Tree, site: RunningSite
) -> None:
    at = f"/api/v1/incidents/{number_of(tree)}/acknowledge"
    assert program(site, permission="read").post(at, json={}).status_code == 403
    person = site.somebody("so_admin")
    for headers in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": csrf(site.somebody("so_admin"))}):
        assert person.post(at, json={}, headers=headers).status_code == 403
    assert person.post(at, json={}, headers={"X-CSRF-Token": csrf(person)}).json()["outcome"]["done"]


def test_filters_are_those_of_the_console(tree: Tree, site: RunningSite) -> None:
    client, number = program(site), number_of(tree)
    client.post(f"/api/v1/incidents/{number}/acknowledge", json={})

    def found(**query: str) -> list[int]:
        return [one["id"] for one in client.get("/api/v1/incidents", params=query).json()["incidents"]]

    assert found(state="acknowledged") == [number]
    assert len(found(state="open")) == 7
    assert len(found(state="active", commune="MarkC00X")) == 2
    assert found(state="active", q=f"#{number}") == [number]
    assert found(state="active", severity="low") == []
    assert found(late="true") == []
    assert client.get("/api/v1/incidents", params={"state": "maybe"}).status_code == 422


def test_pages_of_what_needs_action_go_on_where_the_one_before_ended(tree: Tree, site: RunningSite) -> None:
    client = program(site)

    def page(**words: object) -> tuple[list[int], int | None]:
        told = client.get("/api/v1/incidents", params={"limit": 3, **words}).json()
        return [row["id"] for row in told["incidents"]], told["next"]

    whole = {row["id"]: row for row in client.get("/api/v1/incidents").json()["incidents"]}
    for order in ("number", "action"):
        seen, after = page(order=order)
        while after is not None:
            rows, after = page(order=order, cursor=after)
            seen += rows
        assert sorted(seen) == sorted(whole)
        if order == "number":
            assert seen == sorted(whole, reverse=True)
        else:
            states = [whole[number]["state"] for number in seen]
            assert states == sorted(states, key=lambda state: state != "open"), "what is open comes first"
    assert client.get("/api/v1/incidents", params={"order": "loudest"}).status_code == 422


def test_a_school_that_is_not_there_is_no_look_at_incidents(tree: Tree, site: RunningSite) -> None:
    client = program(site)
    assert client.get("/api/v1/incidents", params={"school": "no-such"}).status_code == 404
    with begin_read(tree.engine) as conn:
        assert conn.scalar(select(func.count()).where(t.audit.c.action == "incident.list")) == 0
    assert client.get("/api/v1/incidents", params={"school": tree.schools[0].code}).status_code == 200
    with begin_read(tree.engine) as conn:
        assert conn.scalar(select(func.count()).where(t.audit.c.action == "incident.list")) == 1
