"""The command `schoolwatch-agent`: what a technician, a timer or a service calls."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schoolwatch_agent import __version__
from schoolwatch_agent.texts import Language, Texts, language

if TYPE_CHECKING:  # what a command needs is imported by it: `version` and `tick` must be fast
    import argparse

    from schoolwatch_agent.config import AgentConfig

FINE, FAILED, WRONG, UNUSABLE = 0, 1, 2, 3
"""Exit codes: fine; something to do or not done; wrong command line or settings; data folder unusable."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["version"]:
        print(f"schoolwatch-agent {__version__}")
        return FINE
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may lack ✔
    if timers := _timers(words):
        return _tick(timers, language(timers.lang))
    import argparse

    from schoolwatch_agent.options import parser, wish

    tongue = language(wish(words))
    nothing = argparse.Namespace(config=None, lang="")  # options may stand before or after the command
    whole = parser(tongue)
    arguments = whole.parse_args(words, nothing)
    if arguments.command is None:
        whole.print_help(sys.stderr)
        print("\n" + Texts("cli", tongue)("no_command"), file=sys.stderr)
        return WRONG
    try:
        return _commands()[arguments.command](arguments, tongue)
    except BrokenPipeError:  # `once | head`
        sys.stderr.close()
        return FINE


class Timers(NamedTuple):
    """What a timer or the sleeper says behind `tick`."""

    config: Path | None
    lang: str


def _timers(words: Sequence[str]) -> Timers | None:
    """`tick` as it is called each 5 minutes, read at no cost; None for anything that needs more thought."""
    said = dict(zip(words[1::2], words[2::2], strict=False))
    whole = ["tick", *(word for pair in said.items() for word in pair)]
    if whole != list(words) or not said.keys() <= {"--config", "--lang"}:
        return None
    if said.get("--lang", "vi") not in ("vi", "en"):
        return None
    return Timers(Path(said["--config"]) if "--config" in said else None, said.get("--lang", ""))


Command = Callable[["argparse.Namespace", Language], int]


def _commands() -> dict[str, Command]:
    return {
        "once": _once,
        "tick": _tick,
        "run": _run,
        "probes": _probes,
        "doctor": _doctor,
        "explain": _explain,
        "bandwidth": _bandwidth,
        "gateway": _gateway,
        "watch": _watch,
        "lan": _lan,
        "enrol": _enrol,
        "install": _install,
        "uninstall": _uninstall,
        "bundle": _bundle,
        "prepare-image": _prepare_image,
        "check-config": _check_config,
        "record": _record,
        "version": lambda _arguments, _tongue: main(["version"]),
    }


def _once(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import chosen, once
    from schoolwatch_agent.host import Host

    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    seen = once.look(Host(), chosen.probes_of(config))
    print(once.as_json(seen) if arguments.json else once.table(seen, texts))
    return FINE


def _tick(arguments: "argparse.Namespace | Timers", _: Language) -> int:
    from schoolwatch_agent import commands

    return _settled(arguments, commands.tick)


def _run(arguments: "argparse.Namespace", _: Language) -> int:
    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    from schoolwatch_agent import commands

    if arguments.stay_connected or config.delivery.stay_connected:
        return commands.stay(config, texts)
    return commands.run(config, texts, arguments.config)


def _probes(_: "argparse.Namespace", tongue: Language) -> int:
    from schoolwatch_agent import once
    from schoolwatch_agent.probes import PROBES

    print(once.probe_list(PROBES, tongue, Texts("cli", tongue)))
    return FINE


def _explain(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import explain

    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    tongue = _tongue(arguments, config)
    print(explain.as_json(tongue) if arguments.json else explain.page(tongue, texts))
    return FINE


def _bandwidth(arguments: "argparse.Namespace", _: Language) -> int:
    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    from schoolwatch_agent.bandwidth import by_hand
    from schoolwatch_agent.commands import own_host

    words, family = Texts("bandwidth", texts.language), arguments.family
    return by_hand.measure(config, own_host(config), words, print, url=arguments.url, family=family)


def _doctor(arguments: "argparse.Namespace", tongue: Language) -> int:
    from schoolwatch_agent import chosen, doctor
    from schoolwatch_agent.config import AgentConfig, ConfigError, load
    from schoolwatch_agent.host import Host

    loaded: AgentConfig | ConfigError
    try:
        loaded = load(arguments.config)
        tongue = _tongue(arguments, loaded)
    except ConfigError as error:
        loaded = error
    texts = Texts("doctor", tongue)
    wanted = chosen.probes_of(loaded if isinstance(loaded, AgentConfig) else AgentConfig())
    found = tuple(doctor.findings(loaded, arguments.config, Host(), wanted, texts))
    print(doctor.as_json(found, texts) if arguments.json else doctor.show(found, texts))
    return FINE if doctor.is_fine(found) else FAILED


def _enrol(arguments: "argparse.Namespace", _: Language) -> int:
    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    from schoolwatch_agent import commands

    wish = commands.Wish(
        url=arguments.url,
        token=arguments.token,
        token_file=arguments.token_file,
        insecure_http=arguments.insecure_http,
        again=arguments.again,
        room=arguments.room,
        proxy=arguments.proxy,
    )
    return commands.enrol(config, texts, wish)


def _gateway(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import gateway

    return _settled(arguments, partial(gateway.become, also=arguments.to))


def _watch(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import watching

    return _settled(arguments, watching.become)


def _lan(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import nearby

    show = partial(nearby.show, wanted=arguments.pseudonym, write=print, as_json=arguments.json)
    return _settled(arguments, show)


def _install(arguments: "argparse.Namespace", tongue: Language) -> int:
    from schoolwatch_agent.config import FILE
    from schoolwatch_agent.install import command
    from schoolwatch_agent.install.order import Order
    from schoolwatch_agent.install.service import MODE_OF

    asked = Order(
        root=arguments.root.resolve(),
        program=arguments.program and arguments.program.absolute(),
        config=str((arguments.config or FILE).absolute()),
        mode=arguments.mode or MODE_OF[arguments.role],
        role=arguments.role,
        account=arguments.account,
        url=arguments.url,
        ca=arguments.ca,
        token_file=arguments.token_file,
        insecure_http=arguments.insecure_http,
        room=arguments.room,
        proxy=arguments.proxy,
        passage=tuple(arguments.passage),
    )
    if not arguments.show:
        return command.install(asked, Texts("install", tongue), print)
    config, _ = _settings(arguments)
    if config is None:
        return WRONG
    print(command.show(asked, config, Texts("install", tongue), arguments.system))
    return FINE


def _uninstall(arguments: "argparse.Namespace", tongue: Language) -> int:
    from schoolwatch_agent.config import FILE
    from schoolwatch_agent.install import command

    texts = Texts("install", tongue)
    config = str((arguments.config or FILE).absolute())
    return command.uninstall(arguments.root.resolve(), config, texts, print, with_data=arguments.delete_data)


def _prepare_image(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import commands

    return _settled(arguments, commands.prepare_image)


def _bundle(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent import commands

    return _settled(arguments, partial(commands.bundle, out=arguments.out, everything=arguments.all))


def _check_config(arguments: "argparse.Namespace", _: Language) -> int:
    from schoolwatch_agent.config import FILE

    config, texts = _settings(arguments)
    if config is None:
        return WRONG
    file = arguments.config or FILE
    print(texts("config_ok" if file.exists() else "config_defaults", file=file))
    return FINE


def _record(arguments: "argparse.Namespace", tongue: Language) -> int:
    from schoolwatch_agent import recording

    names, whole = tuple(arguments.probe), bool(arguments.all)
    return recording.record(names, arguments.out, Texts("cli", tongue), whole=whole)


def _settled(arguments: "argparse.Namespace | Timers", work: "Callable[[AgentConfig, Texts], int]") -> int:
    config, texts = _settings(arguments)
    return WRONG if config is None else work(config, texts)


def _settings(arguments: "argparse.Namespace | Timers") -> "tuple[AgentConfig | None, Texts]":
    """The settings and the texts in their language; None when the settings are wrong, which is then said."""
    from schoolwatch_agent.config import ConfigError, load

    try:
        config = load(arguments.config)
    except ConfigError as error:
        texts = Texts("cli", language(arguments.lang))
        print(texts("config_error", problem=error.told(texts.room("problems"))), file=sys.stderr)
        return None, texts
    return config, Texts("cli", _tongue(arguments, config))


def _tongue(arguments: "argparse.Namespace | Timers", config: "AgentConfig") -> Language:
    return language(arguments.lang or config.agent.language)
