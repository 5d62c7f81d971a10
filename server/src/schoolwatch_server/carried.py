"""A bundle's way in: opened, proved, taken in, its device told, and what came of it in words."""

import logging
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from schoolwatch_contract.ack import Ack
from schoolwatch_server import bundles
from schoolwatch_server.bundles import BundleError, Imported, Proved
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.intake.mqtt import Login, Lost, Session
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.texts import Voice
from schoolwatch_server.vietnam import VIETNAM

log = logging.getLogger(__name__)

BY = "command line"
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one file, in words; whether it was refused."""

    text: str
    is_refused: bool


def import_file(engine: Engine, config: ServerConfig, file: Path, voice: Voice) -> Told:
    """One file of the command line."""
    try:
        with _opened(file) as stream:
            return import_stream(engine, config, stream, file.name, voice)
    except OSError as error:
        why = BundleError("unreadable", error.strerror or str(error))
    except BundleError as error:
        why = error
    return Told(refusal(file.name, why, voice), is_refused=True)


def import_stream(
    engine: Engine,
    config: ServerConfig,
    stream: BinaryIO,
    name: str,
    voice: Voice,
    *,
    scope: Scope = EVERYTHING,
    actor: str = BY,
) -> Told:
    """One bundle, as far as `scope` reaches; the acknowledgement goes out when all of it is committed."""
    rules = Rules(config.evaluation.delivery_period, config.retention.quarantine_rows)
    try:
        proved = bundles.prove(engine, stream, scope)
        imported = bundles.take_in(engine, stream, proved, rules, actor)
    except BundleError as error:
        return Told(refusal(name, error, voice), is_refused=True)
    is_told = tell(config, imported.acks)
    return Told(_summary(name, proved, imported, voice, is_told=is_told), is_refused=False)


def tell(config: ServerConfig, acks: Mapping[str, Ack]) -> bool:
    """Publishes the acks, retained; False when the broker is away: the next delivery brings them anyway."""
    try:
        session = Session(Login.of(config), f"schoolwatch-bundle-{secrets.token_hex(8)}", clean=True)
        try:
            session.publish_acks(acks)
            session.flush(_SECONDS)
        finally:
            session.close()
    except (Lost, ConfigError, OSError) as error:
        log.info("the acknowledgement waits for the device's next delivery: %s", error)
        return False
    return True


def refusal(name: str, error: BundleError, voice: Voice) -> str:
    """Why a file is not taken in, and what to do."""
    log.info("%s is not taken in: %s, %s", _plain(name), error.reason, _plain(error.detail))
    key = f"refused.{error.reason}"
    if f"bundle.{key}" in voice.texts.entries:
        reason = voice(key, detail=error.detail)
    else:  # in the words of the quarantine, which has one for each reason
        why = voice.texts.either(voice.language, f"refusal.{error.reason}", error.reason)
        reason = voice("refused.other", reason=f"{why[:1].lower()}{why[1:]}")
    return voice("refused.file", file=_plain(name), reason=_plain(reason))


def _summary(name: str, proved: Proved, imported: Imported, voice: Voice, *, is_told: bool) -> str:
    device = proved.device
    lines = [
        voice(
            "taken",
            file=_plain(name),
            device=_plain(f"{device.label} ({device.device[:8]}), {device.school}"),
            reports=proved.reports,
            first=_time(proved.first),
            last=_time(proved.last),
            new=imported.new,
            known=imported.known,
        )
    ]
    if imported.quarantined:
        lines.append(voice("quarantined", count=imported.quarantined))
    if imported.forks:
        lines.append(voice("forks", count=imported.forks))
    lines.append(voice("told" if is_told else "untold"))
    return "\n".join(lines)


def _opened(file: Path) -> BinaryIO:
    """For reading; a named pipe or a folder in a file's place is refused instead of waited for."""
    opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise BundleError("no_file")
    return os.fdopen(opened, "rb")


def _time(at: float | None) -> str:
    return "–" if at is None else datetime.fromtimestamp(at, VIETNAM).strftime("%Y-%m-%d %H:%M")


def _plain(text: str) -> str:
    """What strangers named must not move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)
