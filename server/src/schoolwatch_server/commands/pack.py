"""`pack`: which packs are in force, the text of one, and whether a file would be taken."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from schoolwatch_server.commands.command import Subparsers


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "pack", "criteria, plans and references: which hold, and what they say")
    command.add(actions, "list", _list, "print the packs in force, where each is from, and what waits")
    show = command.add(actions, "show", _show, "print the text of a pack in force, or of a saved version")
    show.add_argument("pack", metavar="PACK", help="its id (qd4725), or id and version (qd4725@2)")
    check = command.add(
        actions, "check", _check, "say whether a file would be taken as a pack; nothing is saved"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="a pack's YAML")


def _list(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import pack_versions, packs
    from schoolwatch_server.sheets import folder_of_packs, today

    settings, day = command.config(arguments), today()
    there = pack_versions.known(command.database(arguments), folder_of_packs(settings), ())
    loaded = packs.load(there.folder, there.stored, day)
    for held in loaded.held:
        since = f" since {held.since.isoformat()}" if held.since else ""
        where = str(held.path) if held.origin == "file" else held.origin
        command.say(f"{held.sheet.name}\t{held.kind}\t{where}{since}\t{held.sheet.vi}")
    for one in there.stored:
        if one.valid_from > day:
            command.say(f"{one.name}@{one.version}\twaits for {one.valid_from.isoformat()}")
    for example in packs.examples():
        command.say(f"{example.sheet.name}\texample, in force nowhere\t{example.sheet.vi}")
    for fault in loaded.faults:
        command.note(fault)
    return command.FAILED if loaded.faults else 0


def _show(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import pack_versions, packs
    from schoolwatch_server.sheets import folder_of_packs, today

    name, _, version = arguments.pack.partition("@")
    there = pack_versions.known(command.database(arguments), folder_of_packs(command.config(arguments)), ())
    held = (*packs.load(there.folder, there.stored, today()).held, *packs.examples())
    texts = {one.sheet.name: one.text.decode() for one in reversed(held)}
    texts |= {f"{one.name}@{one.version}": one.text for one in there.stored if not one.is_end}
    wanted = (
        next((one.sheet.name for one in held if one.sheet.id == name), "") if not version else arguments.pack
    )
    if wanted not in texts:
        raise command.Refused(f"there is no pack {arguments.pack}: `pack list` prints those that there are")
    command.say(texts[wanted].rstrip("\n"))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import pack_versions, texts
    from schoolwatch_server.claims.questions import BY_ID
    from schoolwatch_server.sheets import folder_of_packs, today

    try:
        text = arguments.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise command.Refused(f"{arguments.file}: can't be read as UTF-8 text: {error}") from error
    there = pack_versions.known(
        command.database(arguments), folder_of_packs(command.config(arguments)), BY_ID
    )
    try:
        held = pack_versions.check(text, today(), there, arguments.file)
    except pack_versions.VersionError as error:
        told = texts.load().get(command.language(), f"packs.refused.{error.reason}", **error.values)
        raise command.Refused(f"{arguments.file}: {told}") from error
    command.say(f"{arguments.file}: is right; saved today it would be {held.sheet.name}")
    return 0
