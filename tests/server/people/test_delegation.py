"""Who makes, sees and ends whose accounts: nobody gives more than they have, and nobody is out of reach."""

import itertools
from pathlib import Path
from typing import get_args

import pytest

from schoolwatch_server import delegation, people, second_factor, sessions
from schoolwatch_server.access import (
    DEVICE,
    GRANTS,
    ROLES,
    SCHOOLS_OWN,
    SCOPES,
    TOKENS,
    Permission,
    Place,
    Principal,
    Role,
    may,
    may_grant,
)
from schoolwatch_server.database import audit, scopes
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.delegation import NotGrantableError
from schoolwatch_server.people import AccountError
from schoolwatch_server.scope import EVERYTHING, Scope
from shared import shared_tree
from tree import Tree

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


tree = shared_tree


def who(role: Role, scope: Scope, account: int | None = None) -> Principal:
    return Principal("account", f"a {role}", ROLES[role], scope, role, "", account)


def everybody(tree: Tree) -> list[Principal]:
    """Every role at every place that it is made for."""
    return [who(role, scope) for role in ROLES for scope in tree.scopes if scope.level in SCOPES[role]]


def places(tree: Tree) -> dict[Scope, Place]:
    with begin_read(tree.engine) as conn:
        return {scope: where.place for scope, where in scopes.where(conn, tree.scopes).items()}


def test_nobody_grants_more_than_they_have(tree: Tree) -> None:
    where = places(tree)
    assert set(where) == set(tree.scopes)
    asked = [None, *where.values()]
    granted = 0
    for giver in everybody(tree):
        for role, scope in itertools.product(ROLES, tree.scopes):
            if not may_grant(giver, role, scope, where[scope]):
                continue
            granted += 1
            taker = who(role, scope)
            for permission, place in itertools.product({*PERMISSIONS} - SCHOOLS_OWN, asked):
                assert may(giver, permission, place) or not may(taker, permission, place), (giver, taker)
            assert {*GRANTS[role]} <= {*GRANTS[giver.role]}, "nor somebody who grants more"
    assert granted > 90


def test_who_decides_on_what_a_school_says_does_not_say_it() -> None:
    decides = {"accept", "recognise"}
    for role, permissions in ROLES.items():
        assert not (permissions & decides and permissions & SCHOOLS_OWN), role
    assert not TOKENS["read"] & {*decides, *SCHOOLS_OWN, "evidence"}


def test_a_token_has_no_more_than_whoever_may_issue_it(tree: Tree) -> None:
    for giver in everybody(tree):
        if "tokens" in giver.permissions:
            for permissions in TOKENS.values():
                token = Principal("token", "x", permissions, giver.scope)
                for permission, place in itertools.product(PERMISSIONS, [None, *places(tree).values()]):
                    assert may(giver, permission, place) or not may(token, permission, place)


def test_a_limited_session_and_other_roles_grant_nothing(tree: Tree) -> None:
    where = places(tree)
    for role in ("so_viewer", "technician", "auditor"):
        assert delegation.grantable(who(role, EVERYTHING)) == ()
    limited = Principal("account", "x", frozenset({"self"}), EVERYTHING, "so_admin")
    assert delegation.grantable(limited) == ()
    token = Principal("token", "x", ROLES["so_admin"], EVERYTHING)
    for role, scope in itertools.product(ROLES, tree.scopes):
        assert not may_grant(limited, role, scope, where[scope])
        assert not may_grant(token, role, scope, where[scope])


@pytest.fixture(scope="module")
def made(tree: Tree) -> dict[tuple[Role, Scope], int]:
    """An account of every role at every place that it is made for."""
    found = {}
    for n, one in enumerate(everybody(tree)):
        assert one.role
        found[one.role, one.scope] = people.create_account(
            tree.engine, f"{one.role}-{n}", "a password for tests", role=one.role, scope=one.scope, by="test"
        )
    return found


def test_exactly_the_accounts_that_one_may_change_are_listed_and_found(
    tree: Tree, made: dict[tuple[Role, Scope], int]
) -> None:
    where = places(tree)
    for giver in everybody(tree):
        wanted = {id_ for (role, scope), id_ in made.items() if may_grant(giver, role, scope, where[scope])}
        listed = delegation.listed(tree.engine, giver)
        assert {account.id for account in listed.accounts} == wanted
        assert not listed.more
        found = {id_ for id_ in made.values() if delegation.found(tree.engine, giver, id_)}
        assert found == wanted


def test_nobody_changes_their_own_account_there(tree: Tree, made: dict[tuple[Role, Scope], int]) -> None:
    own = made["so_admin", EVERYTHING]
    admin = who("so_admin", EVERYTHING, own)
    assert delegation.found(tree.engine, admin, own) is None
    assert not delegation.switch_off(tree.engine, admin, own)
    assert not delegation.set_role(tree.engine, admin, own, "technician", tree.schools[0].code)
    assert delegation.reset_password(tree.engine, admin, own) is None
    assert delegation.found(tree.engine, admin, 2**62) is None


def test_a_head_makes_technicians_of_the_own_school_and_ends_them(tree: Tree) -> None:
    school, other = tree.schools[:2]
    head = who("school_head", Scope("school", school.id))
    made, password = delegation.create(tree.engine, head, "kỹ thuật 1", "technician", "")
    login = people.log_in(tree.engine, "kỹ thuật 1", password, address="", now=tree.now)
    assert login is not None
    found = sessions.person(tree.engine, login.secret, tree.now)
    assert found is not None
    assert (found.role, found.scope, found.must) == ("technician", Scope("school", school.id), "password")
    for role, code in (
        ("technician", other.code),
        ("technician", "MarkC00X"),
        ("technician", "nowhere"),
        ("school_head", ""),
        ("so_admin", ""),
        ("root", ""),
    ):
        with pytest.raises(AccountError):
            delegation.create(tree.engine, head, f"x {role} {code}", role, code)
    stranger = who("school_head", Scope("school", other.id))
    assert not delegation.switch_off(tree.engine, stranger, made)
    assert sessions.person(tree.engine, login.secret, tree.now) is not None
    assert delegation.switch_off(tree.engine, head, made)
    assert sessions.person(tree.engine, login.secret, tree.now) is None
    assert people.log_in(tree.engine, "kỹ thuật 1", password, address="", now=tree.now) is None
    assert delegation.switch_on(tree.engine, head, made)
    assert people.log_in(tree.engine, "kỹ thuật 1", password, address="", now=tree.now) is not None
    with begin_read(tree.engine) as conn:
        told = [(line.actor, line.action) for line in audit.newest(conn, 9)]
    assert ("a school_head", "account.disable") in told
    assert ("a school_head", "account.enable") in told


@pytest.mark.parametrize(
    ("role", "code", "level"),
    [
        ("technician", "Mark000X", "school"),
        ("technician", "MarkC00X", "commune"),
        ("technician", "MarkP0X", "province"),
        ("so_viewer", "", "all"),
        ("auditor", "MarkP1X", "province"),
        ("school_head", "Mark111X", "school"),
    ],
)
def test_a_code_is_the_narrowest_place_that_goes_with_the_role(
    tree: Tree, role: Role, code: str, level: str
) -> None:
    admin = who("so_admin", EVERYTHING)
    made, _ = delegation.create(tree.engine, admin, f"{role} of {code or 'everything'}", role, code)
    found = delegation.found(tree.engine, admin, made)
    assert found is not None
    assert (found[0].role, found[0].scope.level, found[1].code) == (role, level, code)


def test_another_role_ends_the_sessions_and_begins_the_days_for_a_second_factor(tree: Tree) -> None:
    admin = who("so_admin", EVERYTHING)
    made, password = delegation.create(tree.engine, admin, "đổi việc", "technician", tree.schools[0].code)
    login = people.log_in(tree.engine, "đổi việc", password, address="", now=tree.now)
    assert login is not None
    assert delegation.set_role(tree.engine, admin, made, "auditor", "")
    assert sessions.person(tree.engine, login.secret, tree.now) is None
    found = delegation.found(tree.engine, admin, made)
    assert found is not None
    assert (found[0].role, found[0].scope) == ("auditor", EVERYTHING)
    assert found[0].role_since >= tree.now
    with pytest.raises(AccountError, match="role"):
        delegation.set_role(tree.engine, admin, made, "root", "")
    with pytest.raises(AccountError, match="place"):
        delegation.set_role(tree.engine, admin, made, "school_head", "nowhere")


def test_a_lost_phone_is_helped_by_whoever_made_the_account(tree: Tree) -> None:
    head = who("school_head", Scope("school", tree.schools[3].id))
    made, _ = delegation.create(tree.engine, head, "mất máy", "technician", "")
    second_factor.begin(tree.engine, made)
    proposal = second_factor.proposed(tree.engine, made)
    assert proposal is not None
    stranger = who("school_head", Scope("school", tree.schools[4].id))
    assert not delegation.reset_factor(tree.engine, stranger, made)
    assert second_factor.proposed(tree.engine, made) is not None
    assert delegation.reset_factor(tree.engine, head, made)
    assert second_factor.proposed(tree.engine, made) is None


def test_a_long_list_is_read_page_by_page(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, seen = who("so_admin", EVERYTHING), []
    for n in range(8):
        delegation.create(tree.engine, admin, f"auditor-long-{n}", "auditor", "")
    everything = [account.name for account in delegation.listed(tree.engine, admin).accounts]
    monkeypatch.setattr(delegation, "PAGE", 7)
    after = ""
    while True:
        page = delegation.listed(tree.engine, admin, after=after)
        seen += [account.name for account in page.accounts]
        if not page.more:
            break
        after = seen[-1]
    assert seen == everything
    found = delegation.listed(tree.engine, admin, query="AUDITOR-", role="auditor").accounts
    assert found
    assert all(account.role == "auditor" and "auditor-" in account.name for account in found)
    assert delegation.listed(tree.engine, admin, query="%").accounts == ()


def test_the_list_of_permissions_is_that_of_the_table() -> None:
    assert frozenset().union(*ROLES.values()) | DEVICE == set(PERMISSIONS)


def test_a_commune_has_no_say_in_accounts_of_a_school_that_reports_to_the_department(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path)
    school = tree.schools[0]
    giver = who("commune", Scope("commune", school.commune))
    admin = who("so_admin", EVERYTHING)
    head, _ = delegation.create(tree.engine, admin, "head", "school_head", school.code)
    assert delegation.found(tree.engine, giver, head) is not None
    with begin_write(tree.engine) as conn:
        conn.execute(t.school.update().where(t.school.c.id == school.id).values(level="THPT"))
    assert delegation.found(tree.engine, giver, head) is None
    assert delegation.reset_password(tree.engine, giver, head) is None
    assert head not in {account.id for account in delegation.listed(tree.engine, giver).accounts}
    with pytest.raises(NotGrantableError):
        delegation.create(tree.engine, giver, "mine", "technician", school.code)
    assert delegation.found(tree.engine, admin, head) is not None
    with begin_write(tree.engine) as conn:
        conn.execute(t.school.update().where(t.school.c.id == school.id).values(manager="xa"))
    assert delegation.found(tree.engine, giver, head) is not None, "somebody chose the commune for it"
    tree.engine.dispose()
