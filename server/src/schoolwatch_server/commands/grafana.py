"""`grafana provision` and `grafana push`: what sets Grafana up, as files or through its API."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from schoolwatch_server.commands import command, grafana_addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schoolwatch_server.commands.command import Subparsers
    from schoolwatch_server.grafana.alert import Rule
    from schoolwatch_server.grafana.pieces import KindName, Piece
    from schoolwatch_server.grafana.push import Step
    from schoolwatch_server.store_section import Kind


def add_to(commands: "Subparsers") -> None:
    """Adds the word and its action to the command line."""
    actions = command.group(commands, "grafana", "dashboards for Grafana")
    provision = command.add(
        actions,
        "provision",
        _provision,
        "write the files that set Grafana up: data source, dashboards, alerting",
    )
    provision.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    grafana_addresses.add_source(provision, "--url", "--user")
    provision.add_argument(
        "--folder",
        default="/etc/grafana/provisioning",
        metavar="DIR",
        help="where Grafana will find DIR (default: /etc/grafana/provisioning)",
    )
    provision.add_argument(
        "--language", choices=("vi", "en"), default="vi", help="language of the dashboards (default: vi)"
    )
    provision.add_argument("--no-alerts", action="store_true", help="no alert rules and no contact point")
    grafana_addresses.add_alert_url(provision)
    provision.add_argument(
        "--policies",
        action="store_true",
        help="the notification policies too; Grafana drops all others that it has for these",
    )
    withdraw = command.add(
        actions,
        "withdraw",
        _withdraw,
        "take back the files of an earlier provision, so that push can set Grafana up",
    )
    withdraw.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="Grafana's folder, that they were written into"
    )
    _add_push(actions)


def _add_push(actions: "Subparsers") -> None:
    push = command.add(
        actions,
        "push",
        _push,
        "bring a running Grafana up to date through its API; run again, nothing changes",
    )
    push.add_argument("--url", required=True, metavar="URL", help="address of the Grafana (9.4 to 13)")
    push.add_argument(
        "--token-file",
        required=True,
        type=Path,
        metavar="FILE",
        help="file with the token of a service account of Grafana that has the role Admin; "
        "on the command line everybody on this machine would see it",
    )
    grafana_addresses.add_source(push, "--source-url", "--source-user")
    push.add_argument("--ca-file", metavar="FILE", help="certificates (PEM) that Grafana's is trusted by")
    push.add_argument(
        "--source-token-file",
        type=Path,
        metavar="FILE",
        help="file with the API token, or the password, that Grafana reads with (without: as it is)",
    )
    push.add_argument(
        "--language",
        choices=("vi", "en", "both"),
        default="vi",
        help="language of dashboards and rules (vi); both: rules in vi",
    )
    push.add_argument("--no-alerts", action="store_true", help="dashboards alone, without alert rules")
    push.add_argument(
        "--alert-token-file",
        type=Path,
        metavar="FILE",
        help="file with an API token that may tell of alerts only: what Grafana's rules find is then an "
        "incident here (without: as it is)",
    )
    grafana_addresses.add_alert_url(push)
    push.add_argument(
        "--prune", action="store_true", help="take away what an earlier push made and this one doesn't"
    )
    push.add_argument(
        "--take-over",
        action="store_true",
        help="replace what bears our uid and somebody else made, and rename a folder that has our title",
    )
    push.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def _provision(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.files import write_atomically
    from schoolwatch_server.grafana import provisioning

    if arguments.policies and arguments.no_alerts:
        raise command.Refused("--policies: with --no-alerts there is nothing to be told; leave one out")
    source = grafana_addresses.source(arguments)
    alerting = None
    if not arguments.no_alerts:
        alert_url = grafana_addresses.alert_url(arguments)
        alerting = provisioning.Alerting(_rules(arguments), alert_url, arguments.policies)
    console = grafana_addresses.console(arguments)
    written = provisioning.files(source, arguments.folder, arguments.language, console, alerting)
    if alerting is None and (arguments.out / provisioning.RULES).exists():
        written |= provisioning.no_rules()
        command.note(
            f"{provisioning.RULES} now has Grafana delete the rules that it made: leave it there, and before "
            "rules are pushed some day take it back with `grafana withdraw`"
        )
    for name, text in written.items():
        path = arguments.out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text, 0o644)  # Grafana runs as a user of its own; no secret is in them
        except OSError as error:
            raise command.Refused(f"--out: {path} can't be written ({error.strerror})") from error
    command.say(f"{len(written)} files below {arguments.out}; Grafana reads {source.url}")
    secret = f"the password of {source.user}" if source.user else _TOKENS[source.engine]
    command.say(f"Give Grafana {secret} in {provisioning.TOKEN}, and put the files into {arguments.folder}")
    if alerting is not None:
        command.say(
            f"An API token that may only tell of alerts, in {provisioning.ALERT_TOKEN}, "
            f"lets Grafana tell {alerting.url} what its rules find"
        )
        if not arguments.policies:
            command.note(
                "no notification policy leads there yet: add one in Grafana, for the label schoolwatch, to "
                "the contact point SchoolWatch; or --policies, where Grafana has no others"
            )
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    """In two runs: Grafana has to start in between, to delete what it has of the files."""
    from schoolwatch_server.files import write_atomically
    from schoolwatch_server.grafana import provisioning

    out: Path = arguments.out
    try:
        paths = [path for path in out.glob("*/schoolwatch*") if path.is_file()]
        found = {path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in paths}
        become = provisioning.withdrawn(found)
        for name, text in become.items():
            if text is None:
                (out / name).unlink()
            else:
                write_atomically(out / name, text, 0o644)
    except (OSError, UnicodeDecodeError) as error:
        raise command.Refused(f"--out: {out} can't be changed ({error})") from error
    if not become:
        raise command.Refused(f"--out: below {out} is no file of an earlier `grafana provision`")
    if any(text is not None for text in become.values()):
        command.say(
            f"{len(become)} files changed: they now have Grafana delete data source, dashboards and rules. "
            "Start Grafana again, then run this once more: else each start would delete what was pushed"
        )
    else:
        command.say(f"{len(become)} files taken away below {out}: now `schoolwatch-server grafana push`")
    if provisioning.CONTACT in found:
        command.note(f"{provisioning.CONTACT} stays and works as it is: push without --alert-token-file")
    return 0


_TOKENS: "Final[Mapping[Kind, str]]" = {
    "embedded": "an API token of the department's that may read",
    "influxdb": "a token of InfluxDB's that may read",
    "victoriametrics": "a token, if what stands before VictoriaMetrics asks for one,",
}


def _push(arguments: argparse.Namespace) -> int:
    from schoolwatch_server.grafana import push
    from schoolwatch_server.grafana.client import Grafana

    wanted = _wanted(arguments)
    with Grafana(arguments.url, _secret(arguments.token_file, is_own=False), arguments.ca_file) as grafana:
        version = push.version(grafana)
        if version is None or version[0] > push.NEWEST:
            command.note(f"written for Grafana 9.4 to {push.NEWEST}; this one may keep some things otherwise")
        takes_twins = version is not None and version >= push.TWINS
        over = arguments.take_over
        steps = push.plan(grafana, wanted, _pruned(arguments), takes_over=over, twins=takes_twins)
        todo = [step for step in steps if step.deed != "keep"]
        if arguments.dry_run:
            for step in todo:
                command.say(str(step))
        else:
            push.apply(grafana, steps, _done)
    verb = "would change" if arguments.dry_run else "changed"
    command.say(f"{len(todo)} {verb}, {len(steps) - len(todo)} stand as they should, in {grafana.url}")
    return 0


def _pruned(arguments: argparse.Namespace) -> "frozenset[KindName]":
    """Without a token the contact point stays as it is, unless no alerts are wanted at all."""
    from schoolwatch_server.grafana.kinds import PRUNED

    if not arguments.prune:
        return frozenset()
    keeps = arguments.alert_token_file is None and not arguments.no_alerts
    return PRUNED - {"contact point", "notification policy"} if keeps else PRUNED


def _done(step: "Step", otherwise: str) -> None:
    command.say(str(step))
    if otherwise:
        command.note(f"{step.piece.kind} {step.piece.uid}: Grafana keeps it otherwise: {otherwise}")


def _wanted(arguments: argparse.Namespace) -> "list[Piece]":
    from schoolwatch_server.grafana import alerts, pieces

    languages: tuple[Literal["vi", "en"], ...] = (
        ("vi", "en") if arguments.language == "both" else (arguments.language,)
    )
    source = grafana_addresses.source(arguments)
    reads = arguments.source_token_file
    token = None if reads is None else _secret(reads, is_own=True if source.engine == "embedded" else None)
    wanted = [pieces.data_source(source, token)]
    console = grafana_addresses.console(arguments)
    if arguments.alert_token_file is not None and not arguments.no_alerts:
        alert_token = _secret(arguments.alert_token_file, is_own=True)
        alert_url = grafana_addresses.alert_url(arguments)
        wanted += [pieces.contact_point(alert_url, alert_token), pieces.notification_policy()]
    for language in languages:
        wanted += [pieces.folder(language), *pieces.dashboards(source.dialect, language, console)]
    if not arguments.no_alerts:  # in one language: what falls is one incident, not two
        wanted += pieces.alert_rules(_rules(arguments), alerts.EVERY, source.dialect, languages[0])
    return wanted


def _rules(arguments: argparse.Namespace) -> "tuple[Rule, ...]":
    """With the targets in force here; where there is no database, with those of the files."""
    from schoolwatch_server.database.engine import DatabaseError
    from schoolwatch_server.grafana import alerts
    from schoolwatch_server.sheets import packs_in_force, today

    config = command.config(arguments)
    try:
        engine = command.database(arguments)
    except DatabaseError:
        command.note("no database here: alert rules have the targets of the files, none saved in the console")
        return alerts.rules(packs_in_force(config).now(), today())
    try:
        return alerts.rules(packs_in_force(config, engine).now(), today())
    finally:
        engine.dispose()


def _secret(path: Path, *, is_own: bool | None = None) -> str:
    """The one line of a file that others must not read; `is_own`: whether it is a token of this server's."""
    from schoolwatch_server.tokens import PREFIX

    try:
        if path.stat().st_mode & 0o077:
            command.note(f"{path}: others on this machine may read it: chmod 600 {path}")
        text = path.read_text(encoding="utf-8-sig").strip()  # Windows' Notepad may write a mark first
    except (OSError, UnicodeDecodeError) as error:
        raise command.Refused(f"{path}: can't be read: {error}") from error
    if not text or len(text.splitlines()) != 1:
        raise command.Refused(f"{path}: must hold one line, the token")
    if is_own is not None and text.startswith(PREFIX) != is_own:
        whose = "no token" if is_own else "a token"
        raise command.Refused(f"{path}: holds {whose} of SchoolWatch's ({PREFIX}…): is it the right file?")
    return text
