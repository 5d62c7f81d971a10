"""`ca`: the server's own certificate authority, for a department that has none."""

import argparse
import getpass
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from schoolwatch_server.commands import command

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from schoolwatch_server.authority.folder import Authority, Issued
    from schoolwatch_server.commands.command import Subparsers

_DAYS = command.whole(1, 825)
_SHORTEST = 12


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its actions to the command line."""
    actions = command.group(commands, "ca", "the server's own certificate authority")
    new = command.add(actions, "init", _init, "make it now; `up` does so by itself when it is first needed")
    new.add_argument("--name", default="", help="whose it is, shown in its certificates (SchoolWatch)")
    _root_options(new, "write the root's key there, encrypted, and not into the data folder")
    command.add(actions, "show", _show, "fingerprint, ends, and every certificate that was issued")
    away = command.add(
        actions, "take-root-away", _take_root_away, "move the root's key to a stick, encrypted"
    )
    _root_options(away, "the new file, on a stick that is then kept in a safe", needed=True)
    again = command.add(actions, "renew", _renew, "renew the server's certificate now; `up` does it in time")
    again.add_argument("--issuing", action="store_true", help="a new issuing CA too, by the root's key")
    _root_options(again, "where the root's key is when it was taken away")
    one = command.add(actions, "issue", _issue, "a certificate for another machine: key, chain and root")
    one.add_argument("names", nargs="+", metavar="NAME", help="the names and addresses that it is for")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder to write")
    one.add_argument(
        "--client", action="store_true", help="for a client that proves itself, not for a server"
    )
    one.add_argument("--days", type=_DAYS, default=90, help="how long it holds (90)")
    gone = command.add(
        actions, "revoke", _revoke, "revoke a certificate; the server's own is replaced at once"
    )
    gone.add_argument("serial", metavar="SERIAL", help="its number, as `ca show` says it")


def _root_options(parser: argparse.ArgumentParser, help_: str, *, needed: bool = False) -> None:
    parser.add_argument("--root-key", type=Path, required=needed, metavar="FILE", help=help_)
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="its passphrase (else it is asked at the terminal)",
    )


def _authority(arguments: argparse.Namespace) -> "Authority":
    from schoolwatch_server.authority import own
    from schoolwatch_server.files import private_folder

    config = command.config(arguments)
    private_folder(config.folder)
    return own.authority(config)


def _init(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.authority import own

    away, made = arguments.root_key, _authority(arguments)
    passphrase = _new_passphrase(arguments) if away is not None else b""
    if away is not None and away.exists():
        raise command.Refused(f"{away} is there already: name a new file")
    made.make(arguments.name or own.NAME, _now())
    if away is not None:
        made.take_root_away(away, passphrase)
    return _show(arguments)


def _show(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.authority import certificates

    made = _authority(arguments)
    root, issuing = made.root, made.issuing
    where = "in the data folder: `ca take-root-away` moves it to a stick" if made.has_root_key else "not here"
    lines = [
        f"root: {made.folder / 'root.pem'}",
        f"  SHA-256 {certificates.fingerprint(root)}",
        f"  ends {root.not_valid_after_utc:%Y-%m-%d}; its key is {where}",
        f"issuing CA: ends {issuing.not_valid_after_utc:%Y-%m-%d}",
    ]
    lines += [_line(one) for one in made.issued()]
    command.say("\n".join(lines))
    return 0


def _line(one: "Issued") -> str:
    def day(at: float) -> str:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"

    state = f"ends {day(one.ends_at)}" if one.revoked_at is None else f"revoked {day(one.revoked_at)}"
    return f"{one.serial}  {one.purpose}  issued {day(one.issued_at)}  {state}  {' '.join(one.names)}"


def _take_root_away(arguments: argparse.Namespace) -> int:
    made, to = _authority(arguments), arguments.root_key
    if not made.has_root_key:
        raise command.Refused(f"{made.folder}: the root's key is not here: it was taken away before")
    if to.exists():
        raise command.Refused(f"{to} is there already: name a new file")
    made.take_root_away(to, _new_passphrase(arguments))
    command.say(f"the root's key is in {to} alone: keep it and its passphrase in two safe places")
    return 0


def _renew(arguments: argparse.Namespace) -> int:
    from schoolwatch_server import transport
    from schoolwatch_server.authority import own

    made, config = _authority(arguments), command.config(arguments)
    if arguments.issuing:
        made.renew_issuing(own.NAME, _root_key(made, arguments), _now())
    own.keep(config, _now(), force=True)
    command.say(f"{transport.folder(config) / 'server.pem'} is new; what runs takes it within a minute")
    return 0


def _root_key(made: "Authority", arguments: argparse.Namespace) -> "ec.EllipticCurvePrivateKey":
    if arguments.root_key is None:
        if not made.has_root_key:
            raise command.Refused("the root's key was taken away: name its file with --root-key")
        return made.root_key()
    return made.root_key(arguments.root_key, _passphrase(arguments))


def _issue(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.files import private_folder, write_atomically

    made, out = _authority(arguments), arguments.out
    if out.exists():
        raise command.Refused(f"{out} is there already: name a new folder")
    life = timedelta(days=arguments.days)
    bundle = made.issue(
        arguments.names, _now(), life=life, purpose="client" if arguments.client else "server"
    )
    private_folder(out)
    write_atomically(out / "key.pem", bundle.key)
    write_atomically(out / "chain.pem", bundle.chain)
    write_atomically(out / "ca.pem", made.root_pem)
    command.say(f"{out}: key.pem (a secret), chain.pem and ca.pem; number {bundle.serial}")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    made = _authority(arguments)
    gone = made.revoke(arguments.serial, _now())
    command.say(f"{gone.serial} is revoked ({' '.join(gone.names)}); the list is {made.folder / 'crl.pem'}")
    return 0


def _passphrase(arguments: argparse.Namespace) -> bytes:
    """Never from the command line, which others on the machine can read."""
    if arguments.passphrase_file is None:
        if not sys.stdin.isatty():
            raise command.Refused(
                "no terminal to ask for the passphrase: name its file with --passphrase-file"
            )
        return getpass.getpass("passphrase of the root's key: ").encode()
    try:
        return bytes(arguments.passphrase_file.read_bytes().strip())
    except OSError as error:
        raise command.Refused(f"{arguments.passphrase_file}: {error.strerror}") from error


def _new_passphrase(arguments: argparse.Namespace) -> bytes:
    said = _passphrase(arguments)
    if len(said.decode("utf-8", "replace")) < _SHORTEST:
        raise command.Refused(
            f"a passphrase has at least {_SHORTEST} characters: whoever finds the stick may guess"
        )
    if arguments.passphrase_file is None and getpass.getpass("once more: ").encode() != said:
        raise command.Refused("the two are not the same: nothing was done")
    return said


def _now() -> datetime:
    return datetime.now(UTC)
