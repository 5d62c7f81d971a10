"""`kit`: a folder for a USB stick that installs the agent at a school without a network."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server import transport
from schoolwatch_server.commands import command
from schoolwatch_server.files import private_folder, write_atomically

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.config import ServerConfig
    from schoolwatch_server.database.registry import SchoolRow


def add_to(commands: "Subparsers") -> None:
    """Adds the word to the command line."""
    kit = command.add(commands, "kit", _kit, "make a folder for a USB stick that installs agents at a school")
    kit.add_argument("--school", required=True, metavar="CODE", help="code of the school")
    kit.add_argument("--room", default="", metavar="NAME", help="name of one of its rooms (the whole school)")
    what = kit.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="DIR", help="the new folder")
    what.add_argument("--revoke", action="store_true", help="end all open tokens of the school instead")
    kit.add_argument(
        "--url", default="", help="address of the server as the school reaches it (http.public_url)"
    )
    kit.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="certificate of the server's authority (PEM; the own one, or http.tls_ca)",
    )
    kit.add_argument(
        "--insecure-http", action="store_true", help="allow an address without encryption, for trials"
    )
    kit.add_argument(
        "--proxy", default="", metavar="URL", help="the school's gateway or web proxy, by which computers go"
    )
    kit.add_argument("--days", type=float, default=30.0, help="how long the token is valid (30)")
    kit.add_argument("--uses", type=int, default=60, help="how many devices it lets in (60)")
    kit.add_argument(
        "--admits",
        choices=("declared", "wait", "at_once"),
        default="declared",
        help="whom it lets in without a person: as many as the room declares, nobody, or everybody",
    )
    kit.add_argument(
        "--windows-runtime",
        type=Path,
        metavar="FILE",
        help="python.org's package python-3.13.14-embed-amd64.zip; without it the kit is for Linux alone",
    )
    kit.add_argument(
        "--windows-runtime-sha256", default="", metavar="HEX", help="its published hash, for another version"
    )
    kit.add_argument(
        "--arm", action="store_true", help="also for Linux on 64-bit ARM, such as a Raspberry Pi"
    )
    kit.add_argument(
        "--wheels", type=Path, metavar="DIR", help="take wheels from this folder, not from the network"
    )


def _kit(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import enrolment
    from schoolwatch_server.kit import build

    config, engine, now = command.config(arguments), command.database(arguments), time.time()
    school, room_id = _place(engine, arguments)
    if arguments.revoke:
        return _revoke(engine, school, now)
    if not school.code:
        raise command.Refused(f"{arguments.school} is no more: it was merged into another school, or deleted")
    wish = build.Wish(
        school=school.code,
        school_name=school.name,
        room=arguments.room,
        url=arguments.url or config.http.public_url,
        insecure_http=arguments.insecure_http,
        ca=arguments.ca or _authority(config),
        windows_runtime=arguments.windows_runtime,
        windows_sha256=arguments.windows_runtime_sha256,
        arm=arguments.arm,
        wheels=arguments.wheels,
        days=arguments.days,
        uses=arguments.uses,
        proxy=arguments.proxy,
    )

    def issue() -> str:
        days, uses, admits = arguments.days, arguments.uses, arguments.admits
        return enrolment.issue_enrolment_token(engine, school.id, room_id, days, uses, now=now, admits=admits)

    try:
        enrolment.check_bounds(arguments.days, arguments.uses)
        kept = config.folder / "kit" / "wheels"
        kit = build.build(wish, arguments.out, kept, issue, notice=_notice(config, school.name), now=now)
    except OSError as error:
        raise command.Refused(f"the kit could not be written: {error}") from error
    except ValueError as error:  # `KitError` too
        raise command.Refused(str(error)) from error
    machines = sorted({target.rpartition("-")[0] for target in kit.wheels})
    command.say(
        f"{arguments.out} is made for {', '.join(machines)}; print its {build.PAGE} and {build.NOTICE}"
    )
    if wish.windows_runtime is None:
        command.say("it can't install on Windows: for that name python.org's package with --windows-runtime")
    command.say(
        f"its {build.TOKEN} is a secret: for {kit.uses} devices until {kit.expires}; --revoke ends it"
    )
    return 0


def _notice(config: "ServerConfig", school: str) -> str:
    from schoolwatch_server import __version__, texts
    from schoolwatch_server.law import notice, page

    made = f"SchoolWatch {__version__}"
    return page.html(notice.notice(config, texts.load(), "vi", school), made, one_page=True)


def _authority(config: "ServerConfig") -> Path | None:
    """The file of what devices are to know this server by; None for what every machine trusts."""
    given = transport.given_ca(config)
    if given is None:
        return None
    file = private_folder(config.folder / "kit") / "ca.pem"
    write_atomically(file, given)
    return file


def _place(engine: "Engine", arguments: argparse.Namespace) -> "tuple[SchoolRow, int | None]":
    from schoolwatch_server.database import pages, registry
    from schoolwatch_server.database.engine import begin_read
    from schoolwatch_server.scope import EVERYTHING

    with begin_read(engine) as conn:
        school = registry.school_by_code(conn, arguments.school, EVERYTHING)
        if school is None:
            raise command.Refused(
                f"there is no school {arguments.school!r}: see `schoolwatch-server school list`"
            )
        rooms = {room.name: room.id for room in pages.rooms(conn, school.id)}
    if arguments.room and arguments.room not in rooms:
        raise command.Refused(
            f"{school.code} has no room {arguments.room!r}; its rooms: {', '.join(rooms) or 'none'}"
        )
    return school, rooms.get(arguments.room)


def _revoke(engine: "Engine", school: "SchoolRow", now: float) -> int:
    from schoolwatch_server.database import enrolment, people
    from schoolwatch_server.database.engine import begin_write

    with begin_write(engine) as conn:
        ended = enrolment.revoke_tokens(conn, school.id, now)
        detail = {"tokens": ended, "school": school.id}
        people.record(
            conn, actor="command line", action="enrolment.revoke", subject=school.code, detail=detail, now=now
        )
    command.say(f"{school.code}: no open token is left ({ended} ended); devices that are enrolled go on")
    return 0
