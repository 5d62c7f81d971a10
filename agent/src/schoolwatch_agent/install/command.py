"""`install` and `uninstall`: what each does, step by step, said as it is done."""

import contextlib
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from schoolwatch_agent import admission, gateway, identity
from schoolwatch_agent import config as settings
from schoolwatch_agent.config import AgentConfig, ConfigError
from schoolwatch_agent.enrol import EnrolError, Office
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import IdentityError
from schoolwatch_agent.install import linux, placing, systemd, task, windows
from schoolwatch_agent.install import order as orders
from schoolwatch_agent.install.order import InstallError, Order
from schoolwatch_agent.install.placing import Placing, Record
from schoolwatch_agent.install.service import Service, System, of_a_kit
from schoolwatch_agent.probes.identity import freezing
from schoolwatch_agent.program import MARK
from schoolwatch_agent.texts import Texts

FINE, FAILED = 0, 1
_CA: Final = "ca.pem"
_ON_WINDOWS: Final = sys.platform == "win32"
_HERE: Final = "windows" if _ON_WINDOWS else "linux"


def show(asked: Order, config: AgentConfig, texts: Texts, system: System | None) -> str:
    """The definitions that `install` would put in place, on this system (None); nothing is touched.

    Those for another system than this one say that their paths are a kit's: nobody knows them here.
    """
    seed = ""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        seed = (config.data / identity.INSTALL_ID).read_text("ascii")
    service = _service(asked, config, seed or socket.gethostname(), config.data)
    note = ""
    if system is not None and system != _HERE:
        service, note = of_a_kit(service, system), texts("paths_of_a_kit")
    if (system or _HERE) == "windows":
        head, _, rest = task.xml(service, asked.account).partition("\n")
        return "\n".join(filter(None, (head, note and f"<!-- {note} -->", rest)))
    units = (f"# {systemd.UNITS}/{name}\n{text}" for name, text in systemd.units(service).items())
    return "\n".join(filter(None, (note and f"# {note}", *units)))


def install(asked: Order, texts: Texts, write: Callable[[str], object]) -> int:
    """Installs, or takes back what it had begun. The exit code."""

    def tell(key: str, **values: object) -> None:
        write(texts(key, **values))

    try:
        _install(asked, texts, tell)
    except InstallError as error:
        write(error.told(texts))
    except ConfigError as error:
        write(texts("error_settings", problem=error.told(texts.room("problems"))))
    except (OSError, IdentityError, msgspec.DecodeError) as error:
        write(texts("error_files", problem=error))
    else:
        tell("installed")
        return FINE
    return FAILED


def uninstall(
    root: Path, config: str, texts: Texts, write: Callable[[str], object], *, with_data: bool
) -> int:
    """Removes what `install` made, and nothing else. The exit code."""

    def tell(key: str, **values: object) -> None:
        write(texts(key, **values))

    file = orders.beside(config, placing.RECORD)
    try:
        orders.check_rights(root)
        place = Placing(root, file)
        if not place.at(file).exists():
            raise InstallError("nothing_installed", file=place.at(file))  # noqa: TRY301  said like any other
        _uninstall(place, config, file, tell, with_data=with_data)
    except InstallError as error:
        write(error.told(texts))
    except (OSError, msgspec.DecodeError) as error:
        write(texts("error_files", problem=error))
    else:
        tell("uninstalled")
        return FINE
    return FAILED


def _install(asked: Order, texts: Texts, tell: Callable[..., None]) -> None:
    orders.check_rights(asked.root)
    if not asked.is_image and not _ON_WINDOWS:
        orders.check_places(asked.command, asked.config)
    host, system = Host(), windows if _ON_WINDOWS else linux
    place = Placing(asked.root, orders.beside(asked.config, placing.RECORD))
    with place.whole_or_nothing(lambda: tell("undone")):
        if not asked.is_image:
            place.undo_with(lambda: system.forget(host, asked.config))  # the last step back: it was the first
        place.begin()
        config = _settle(place, asked, texts, tell)
        program = str(asked.program) if asked.program and (asked.program / MARK).exists() else ""
        place.about(data=str(config.data), program=program)
        data = place.at(str(config.data))
        if place.folder(str(config.data), 0o700) == "made":
            place.undo_with(lambda: shutil.rmtree(data))
            tell("made", path=str(config.data))
        seed = identity.install_id(data)
        _enrol(asked, place, config, texts.room("cli"), tell)
        service = _service(asked, config, seed, data)
        system.place(place, asked, service, host, tell)
        system.start(asked, service, host, tell)
    if not asked.is_image:
        _warn_frozen(host, tell)


def _warn_frozen(host: Host, tell: Callable[..., None]) -> None:
    """Whether the disk is frozen at this moment its software alone knows: a person has to look."""
    with contextlib.suppress(OSError, TimedOut):
        product = freezing(host)
        if product not in (None, admission.NO_FREEZING):
            tell("frozen", product=product)


def _settle(place: Placing, asked: Order, texts: Texts, tell: Callable[..., None]) -> AgentConfig:
    """Settings file and authority; a settings file that is there already is left alone."""
    ca = orders.beside(asked.config, _CA) if asked.ca else ""
    if asked.ca:
        tell(place.file(ca, asked.ca.read_bytes()), path=ca)
    if place.at(asked.config).exists():
        tell("same", path=asked.config)
    else:
        text = orders.settings(asked, ca, texts.language)
        tell(place.file(asked.config, text.encode()), path=asked.config)
    config = settings.load(place.at(asked.config))
    for key, wish, said in (
        ("server.proxy", asked.proxy, config.server.proxy),
        ("passage.listen", ", ".join(asked.passage), ", ".join(config.passage.listen)),
    ):
        if wish and wish != said:  # a settings file that was there already goes before
            tell("said_otherwise", path=asked.config, setting=key, wish=wish, said=said or '""')
    if config.passage.listen and _ON_WINDOWS:
        tell("passage_on_linux_alone")
    if config.sensors.interfaces and _ON_WINDOWS:
        tell("watch_on_linux_alone")
    if not _ON_WINDOWS:
        orders.check_data(str(config.data))
    return config


def _service(asked: Order, config: AgentConfig, seed: str, data: Path) -> Service:
    """What of the credential in `data` the passage has to know is said in its unit: it can't read it."""
    return Service(
        program=asked.command,
        config=asked.config,
        data=str(config.data),
        mode=asked.mode,
        role=asked.role,
        every=config.schedule.measure,
        cycle_max=config.limits.cycle_max,
        memory_max=config.limits.memory_max,
        seed=seed,
        passage=gateway.of_data(config, data) if config.passage.listen else None,
        watches=bool(config.sensors.interfaces),
    )


def _enrol(
    asked: Order, place: Placing, config: AgentConfig, words: Texts, tell: Callable[..., None]
) -> None:
    """With a token: now, or as soon as the server can be reached."""
    data = place.at(str(config.data))
    held = identity.read_credential(data)
    if held is not None or asked.token_file is None:
        tell("enrolled_already" if held else "not_enrolled")
        return
    where = msgspec.structs.replace(config.agent, data=str(data), thawed=config.agent.thawed and str(data))
    own = msgspec.structs.replace(config, agent=where)
    ca = str(place.at(config.server.ca)) if config.server.ca else ""
    try:
        token = admission.read_token(asked.token_file)
        office = Office(
            asked.url or config.server.url, token, ca, asked.insecure_http, asked.room, config.server.proxy
        )
        enrolled = admission.admit(own, office, Host(), lambda *_: tell("clock_is_wrong"))
    except EnrolError as error:
        if error.outcome == "refused":
            raise InstallError(
                "enrol", problem=error.told(words), advice=words(f"advice_{error.key}")
            ) from error
        admission.wait(own, msgspec.structs.replace(office, ca=config.server.ca))
        tell("enrols_later", problem=error.told(words))
    else:
        key = "enrolled_pending" if enrolled.credential.pending else "enrolled"
        tell(key, device=enrolled.credential.device, label=enrolled.label)


def _uninstall(place: Placing, config: str, file: str, tell: Callable[..., None], *, with_data: bool) -> None:
    host, record = Host(), place.record
    if not place.is_image:
        (windows if _ON_WINDOWS else linux).stop(host, tell)
    for path in placing.clear_files(record, place.at):
        tell("removed", path=path)
    if record.data and with_data:
        _delete_data(record, place, tell)
    elif record.data:
        tell("data_kept", path=record.data)
    for gone, path in placing.clear_record(record, place.at, file):
        if gone or path != record.data:
            tell("removed" if gone else "kept", path=path)
    if record.program and _ON_WINDOWS:  # which can't delete a program that runs: the kit does it afterwards
        tell("program_left", path=record.program)
    elif record.program and place.at(record.program).is_dir():  # last: until then it can be called again
        placing.clear_program(place.at(record.program))
        tell("removed", path=record.program)
    if not place.is_image:
        (windows if _ON_WINDOWS else linux).forget(host, config)


def _delete_data(record: Record, place: Placing, tell: Callable[..., None]) -> None:
    for path in (record.data,) if _ON_WINDOWS else linux.data_folders(record.data):
        folder = place.at(path)
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
        else:
            continue
        tell("removed", path=path)
