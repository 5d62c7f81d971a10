"""`device`: lets devices in or refuses them, cuts them off, retires, replaces and moves them."""

import argparse
import time
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.database.arrivals import ArrivalRow

BY = "command line"


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "device", "let devices in, cut them off, retire, replace and move them")
    new = command.add(actions, "list", _list, "every device in use: id, school, room, label, when last heard")
    new.add_argument("--school", default="", metavar="CODE", help="those of one school")
    new = command.add(actions, "waiting", _waiting, "every device that waits for approval")
    new.add_argument("--school", default="", metavar="CODE", help="those of one school")
    for name, run, help_ in (
        ("approve", _approve, "let devices in that wait: those named, or all of a school or room"),
        ("refuse", _refuse, "refuse devices that wait: those named, or all of a school or room"),
    ):
        new = command.add(actions, name, run, help_)
        new.add_argument("device", nargs="*", metavar="DEVICE", help="its id, or the beginning of it")
        new.add_argument("--school", default="", metavar="CODE", help="all that wait at this school")
        new.add_argument("--room", default="", metavar="NAME", help="of them, those of one room")
    for name, help_ in (
        ("revoke", "cut a device off at once; it may enrol anew"),
        ("retire", "take a device that is gone out of the lists; its history stays"),
        ("restore", "bring a retired device back, with its credential"),
    ):
        one = command.add(actions, name, _alone, help_)
        one.add_argument("device", metavar="DEVICE", help="its id")
        one.set_defaults(action=name)
    new = command.add(actions, "rotate", _rotate, "have key and password renewed, when each is back on")
    new.add_argument("device", nargs="*", metavar="DEVICE", help="its id")
    new.add_argument("--school", default="", metavar="CODE", help="all devices of this school")
    new.add_argument("--all", action="store_true", help="all devices there are")
    command.add(actions, "rotating", _rotating, "devices whose credential is still to be renewed, and why")
    new = command.add(actions, "replace", _replace, "let a new device take over an old one's record")
    new.add_argument("new", metavar="NEW", help="id of the new device, which is let in already")
    new.add_argument("old", metavar="OLD", help="id of the old one, which is retired")
    new = command.add(actions, "move", _move, "move a device to another school; its credential stays")
    new.add_argument("device", metavar="DEVICE", help="its id")
    new.add_argument("--school", required=True, metavar="CODE", help="code of the school")
    new.add_argument("--room", default="", metavar="NAME", help="one of its rooms")


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.commands.backup import when
    from schoolwatch_server.database import registry
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.scope import EVERYTHING

    with begin_read(command.database(arguments)) as conn:
        if arguments.school and registry.school_by_code(conn, arguments.school, EVERYTHING) is None:
            raise command.Refused(f"there is no school {arguments.school[:40]!r}: see `school list`")
        rows = registry.devices(conn, EVERYTHING)
    lines = (
        f"{row.device}  {row.school_code or '-'}  {row.room or '-'}  {row.label or '-'}  "
        + ("never heard" if row.heard_at is None else when(row.heard_at))
        for row in rows
        if arguments.school in ("", row.school_code)
    )
    command.say("\n".join(lines) or "no device is in use there")
    return 0


def _waiting(arguments: argparse.Namespace) -> int:
    rows = _rows(command.database(arguments), arguments.school, "")
    lines = (
        f"{row.device}  {row.school_code or '-'}  {row.room or '-'}  {row.label}"
        + (f"  looks like {row.resembles_label} ({row.resembles})" if row.resembles else "")
        for row in rows
    )
    command.say("\n".join(lines) or "no device waits")
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    return _decide(arguments, "approve", "is let in")


def _refuse(arguments: argparse.Namespace) -> int:
    return _decide(arguments, "refuse", "is refused")


def _decide(arguments: argparse.Namespace, decision: str, said: str) -> int:
    from schoolwatch_server.approval import decide
    from schoolwatch_server.scope import EVERYTHING

    if bool(arguments.device) == bool(arguments.school):
        raise command.Refused("name the devices, or --school CODE for all that wait there")
    engine = command.database(arguments)
    rows = _rows(engine, arguments.school, arguments.room)
    chosen = [_one(rows, name) for name in arguments.device] if arguments.device else list(rows)
    if not chosen:
        raise command.Refused("no device waits there: see `device waiting`")
    names = {row.device for row in chosen}
    done = decide(
        engine,
        names,
        "approve" if decision == "approve" else "refuse",
        EVERYTHING,
        by=BY,
        now=time.time(),
    )
    command.say("\n".join(f"{row.device} ({row.label}, {row.school}) {said}" for row in done))
    return 0


def _rows(engine: "Engine", school: str, room: str) -> "tuple[ArrivalRow, ...]":
    from schoolwatch_server.database import arrivals, registry
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.scope import EVERYTHING

    with begin_read(engine) as conn:
        rows = arrivals.waiting(conn, EVERYTHING)
        if school and registry.school_by_code(conn, school, EVERYTHING) is None:
            raise command.Refused(f"there is no school {school[:40]!r}: see `school list`")
    return tuple(
        row
        for row in rows
        if (not school or row.school_code == school) and (not room or (row.room or "") == room)
    )


def _one(rows: "tuple[ArrivalRow, ...]", name: str) -> "ArrivalRow":
    found = [row for row in rows if name and row.device.startswith(name.lower())]
    if len(found) != 1:
        how = "waits under this id" if not found else "device alone has an id that begins so"
        raise command.Refused(f"{name[:40]!r}: no {how}: see `device waiting`")
    return found[0]


def _alone(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import fleet
    from schoolwatch_server.scope import EVERYTHING

    act, said = {
        "revoke": (fleet.revoke, "is cut off within seconds"),
        "retire": (fleet.retire, "is retired; `device restore` brings it back"),
        "restore": (fleet.restore, "is back"),
    }[arguments.action]
    row = act(command.database(arguments), arguments.device, EVERYTHING, by=BY, now=time.time())
    command.say(f"{row.device} ({row.label}, {row.school}) {said}")
    return 0


def _replace(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import fleet
    from schoolwatch_server.scope import EVERYTHING

    row = fleet.replace(
        command.database(arguments), arguments.new, arguments.old, EVERYTHING, by=BY, now=time.time()
    )
    command.say(f"{row.device} is {row.label} of {row.school} now; {arguments.old} is retired")
    return 0


def _move(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import fleet
    from schoolwatch_server.scope import EVERYTHING

    row = fleet.move(
        command.database(arguments),
        arguments.device,
        arguments.school,
        arguments.room,
        EVERYTHING,
        by=BY,
        now=time.time(),
    )
    command.say(f"{row.device} ({row.label}) is of {row.school} now; nothing on the computer changes")
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import renewal
    from schoolwatch_server.database import registry
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.scope import EVERYTHING, Scope

    if sum(map(bool, (arguments.device, arguments.school, arguments.all))) != 1:
        raise command.Refused("name the devices, or --school CODE, or --all")
    engine, scope = command.database(arguments), EVERYTHING
    if arguments.school:
        with begin_read(engine) as conn:
            school = registry.school_by_code(conn, arguments.school, EVERYTHING)
        if school is None:
            raise command.Refused(f"there is no school {arguments.school[:40]!r}: see `school list`")
        scope = Scope("school", school.id)
    done = renewal.order(engine, scope, arguments.device or None, by=BY, now=time.time())
    command.say(f"{len(done)} devices renew their key and password as they come back; see `device rotating`")
    return 0


def _rotating(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import renewal
    from schoolwatch_server.scope import EVERYTHING

    lines = []
    for row in renewal.waiting(command.database(arguments), EVERYTHING):
        why = "has not asked yet: it will at a coming report; else it is off, or reaches no https address"
        if row.offered_at is not None:
            is_frozen = row.freezing not in (None, "none")
            why = f"frozen ({row.freezing}): thaw it for a restart" if is_frozen else "waits for its restart"
        lines.append(f"{row.device}  {row.label}  {row.school}: {why}")
    command.say("\n".join(lines) or "no device's credential is to be renewed")
    return 0
