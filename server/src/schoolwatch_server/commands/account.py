"""`account`, `token`, and the ways back in: `reset-password`, `reset-totp`, `unlock`."""

import argparse
from typing import TYPE_CHECKING, get_args

from schoolwatch_server.access import Role
from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.scope import Scope


def add_to(commands: "Subparsers") -> None:
    """Adds the words to the command line."""
    token = command.add(commands, "token", _token, "print a new API token; it is shown once")
    token.add_argument(
        "--scope",
        default="read",
        metavar="PERMISSION",
        help="what it may do: read, handle (and see to incidents), calendar (and enter school time and "
        "planned work), or alert (tell of alerts alone)",
    )
    _add_places(token)
    token.add_argument("--name", default="", help="what it is for, shown in the list of tokens")
    token.add_argument("--days", type=float, default=365.0, help="how long it is valid (365)")

    actions = command.group(commands, "account", "the accounts of people")
    new = command.add(actions, "add", _add, "add an account and print its first password; it is shown once")
    new.add_argument("name", metavar="NAME", help="what the person logs in as")
    new.add_argument("--role", required=True, choices=get_args(Role), help="what the person may do")
    _add_places(new)
    command.add(
        actions,
        "list",
        _list,
        "every account: name, role, what it sees, whether it has a second factor, is linked or disabled",
    )

    link = command.add(
        actions, "link-oidc", _link, "let a provider's identity open an account; its sessions end ([oidc])"
    )
    link.add_argument("name", metavar="NAME", help="the account")
    link.add_argument(
        "--subject", required=True, metavar="TEXT", help="what the provider calls the person: its claim `sub`"
    )
    unlink = command.add(
        actions, "unlink-oidc", _unlink, "no identity opens the account any more; its sessions end"
    )
    unlink.add_argument("name", metavar="NAME", help="the account")

    reset = command.add(
        commands, "reset-password", _reset_password, "give an account a new password and print it"
    )
    reset.add_argument("name", nargs="?", default="admin", help="the account (admin)")
    factor = command.add(
        commands, "reset-totp", _reset_totp, "take a lost second factor away; the password still holds"
    )
    factor.add_argument("name", metavar="NAME", help="the account")
    unlock = command.add(
        commands, "unlock", _unlock, "switch an account on again, and end its rest after wrong passwords"
    )
    unlock.add_argument("name", metavar="NAME", help="the account")


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Whose rows the account or token sees; without any of them everything."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--school", metavar="CODE", help="only this school")
    where.add_argument("--commune", metavar="CODE", help="only the schools of this commune")
    where.add_argument("--province", metavar="CODE", help="only the schools of this province")


def _scope(engine: "Engine", arguments: argparse.Namespace) -> "Scope":
    from schoolwatch_server.schools import PlaceLevel, scope_of
    from schoolwatch_server.scope import EVERYTHING

    levels: tuple[PlaceLevel, ...] = ("school", "commune", "province")
    for level in levels:
        code = getattr(arguments, level)
        if code is not None:
            return scope_of(engine, level, code)
    return EVERYTHING


def _token(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.tokens import issue_token

    engine = command.database(arguments)
    scope = _scope(engine, arguments)
    try:
        token = issue_token(engine, arguments.name or "command line", arguments.scope, scope, arguments.days)
    except ValueError as error:
        raise command.Refused(str(error)) from error
    command.say(token)
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import people

    engine = command.database(arguments)
    scope = _scope(engine, arguments)
    command.say(people.add_person(engine, arguments.name, role=arguments.role, scope=scope))
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import people, schools

    engine = command.database(arguments)
    place = schools.places(engine)
    lines = []
    for one in people.everybody(engine):
        state = "  disabled" if one.disabled_at is not None else ""
        factor = "  totp" if one.has_totp else ""
        linked = "  oidc" if one.oidc_subject is not None else ""
        lines.append(f"{one.name}  {one.role}  {place(one.scope)}{factor}{linked}{state}")
    command.say("\n".join(lines) or "there is no account yet: `up` makes the first one")
    return 0


def _link(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.linking import link_named

    settings = command.config(arguments)
    if not settings.oidc.issuer:
        raise command.Refused("oidc.issuer: is empty: set the provider in [oidc] of server.toml first")
    link_named(command.database(arguments), arguments.name, settings.oidc.issuer, arguments.subject)
    command.say(f"{arguments.subject} at {settings.oidc.issuer} opens {arguments.name}")
    return 0


def _unlink(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.linking import unlink_named

    unlink_named(command.database(arguments), arguments.name)
    command.say(f"no identity of a provider opens {arguments.name}; the password does")
    return 0


def _reset_password(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.people import is_disabled, reset_password

    engine = command.database(arguments)
    command.say(reset_password(engine, arguments.name))
    if is_disabled(engine, arguments.name):
        command.note(f"{arguments.name} is disabled: `unlock {arguments.name}` switches it on again")
    return 0


def _reset_totp(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.second_factor import reset

    reset(command.database(arguments), arguments.name)
    command.say(f"{arguments.name} logs in with the password alone, and can set up a second factor again")
    return 0


def _unlock(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.people import unlock

    unlock(command.database(arguments), arguments.name)
    command.say(f"{arguments.name} may log in again")
    return 0
