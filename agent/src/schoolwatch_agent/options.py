"""The command line of `schoolwatch-agent`: which commands and options there are, in either language."""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from schoolwatch_agent.texts import Language, Texts


def wish(words: Sequence[str]) -> str:
    """The language asked for, known before the words are parsed: errors and help are in it too."""
    for word, following in pairwise((*words, "")):
        if word == "--lang":
            return following
        if word.startswith("--lang="):
            return word.partition("=")[2]
    return ""


def parser(tongue: Language) -> argparse.ArgumentParser:
    """The command line, in a language."""
    from schoolwatch_agent.config import FILE

    texts = Texts("cli", tongue)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=texts("help_config", default=FILE),
    )
    shared.add_argument("--lang", choices=("vi", "en"), default=argparse.SUPPRESS, help=texts("help_lang"))
    shared.add_argument("-h", "--help", action="help", help=texts("help_help"))
    whole = argparse.ArgumentParser(
        prog="schoolwatch-agent",
        description=texts("about"),
        epilog=texts("exit_codes"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        parents=[shared],
    )
    commands = whole.add_subparsers(dest="command", title=texts("commands"), metavar=texts("command"))

    def command(name: str) -> argparse.ArgumentParser:
        text = texts(f"help_{name.replace('-', '_')}")
        made: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text, add_help=False, parents=[shared]
        )
        return made

    for name in ("once", "doctor", "explain"):
        command(name).add_argument("--json", action="store_true", help=texts("help_json"))
    for name in ("tick", "watch", "probes", "check-config", "prepare-image", "version"):
        command(name)
    command("run").add_argument("--stay-connected", action="store_true", help=texts("help_stay_connected"))
    bandwidth = command("bandwidth")
    bandwidth.add_argument("--url", default="", help=texts("help_bandwidth_url"))
    bandwidth.add_argument("--family", type=int, choices=(4, 6), default=4, help=texts("help_family"))
    passage = command("gateway")
    passage.add_argument("--to", action="append", default=[], metavar="HOST:PORT", help=texts("help_to"))
    lan = command("lan")
    lan.add_argument("pseudonym", metavar="PSEUDONYM", nargs="?", default="", help=texts("help_pseudonym"))
    lan.add_argument("--json", action="store_true", help=texts("help_json"))
    _enrol_options(command("enrol"), texts)
    _install_options(command("install"), texts)
    uninstall = command("uninstall")
    uninstall.add_argument("--delete-data", action="store_true", help=texts("help_delete_data"))
    uninstall.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=texts("help_root"))
    carried = command("bundle")
    carried.add_argument("--out", type=Path, metavar="FILE", help=texts("help_bundle_out"))
    carried.add_argument("--all", action="store_true", help=texts("help_bundle_all"))
    record = command("record")
    record.add_argument("probe", metavar="PROBE", nargs="*", help=texts("help_probe"))
    record.add_argument("--all", action="store_true", help=texts("help_record_all"))
    record.add_argument("--out", type=Path, default=Path("recording"), metavar="DIR", help=texts("help_out"))
    return whole


def _enrol_options(enrol: argparse.ArgumentParser, texts: Texts) -> None:
    enrol.add_argument("--url", default="", help=texts("help_url"))
    token = enrol.add_mutually_exclusive_group()
    token.add_argument("--token", help=texts("help_token"))
    token.add_argument("--token-file", type=Path, metavar="FILE", help=texts("help_token_file"))
    enrol.add_argument("--insecure-http", action="store_true", help=texts("help_insecure_http"))
    enrol.add_argument("--room", default="", metavar="NAME", help=texts("help_room"))
    enrol.add_argument("--proxy", default="", metavar="URL", help=texts("help_proxy"))
    enrol.add_argument("--again", action="store_true", help=texts("help_again"))


def _install_options(install: argparse.ArgumentParser, texts: Texts) -> None:
    from schoolwatch_agent.install.service import MODES, ROLES

    install.add_argument("--print", action="store_true", dest="show", help=texts("help_print"))
    install.add_argument("--for", choices=("linux", "windows"), dest="system", help=texts("help_for"))
    install.add_argument("--mode", choices=MODES, help=texts("help_mode"))
    install.add_argument("--role", choices=ROLES, default="pc", help=texts("help_role"))
    install.add_argument(
        "--account", choices=("local-service", "system"), default="local-service", help=texts("help_account")
    )
    install.add_argument("--url", default="", help=texts("help_url"))
    install.add_argument("--ca", type=Path, metavar="FILE", help=texts("help_ca"))
    install.add_argument("--token-file", type=Path, metavar="FILE", help=texts("help_install_token"))
    install.add_argument("--insecure-http", action="store_true", help=texts("help_insecure_http"))
    install.add_argument("--room", default="", metavar="NAME", help=texts("help_room"))
    install.add_argument("--proxy", default="", metavar="URL", help=texts("help_install_proxy"))
    install.add_argument(
        "--passage", action="append", default=[], metavar="ADDRESS:PORT", help=texts("help_passage")
    )
    install.add_argument("--program", type=Path, metavar="DIR", help=texts("help_program"))
    install.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help=texts("help_root"))
