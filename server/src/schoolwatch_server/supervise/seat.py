"""Intake's place at a broker that remembers nothing: it is there before the first device is.

A broker acknowledges a report too for which nobody has subscribed, and drops it (MQTT 3.1.1, 3.3.5, 4.3.2).
The agent still holds it, for only the server's own acknowledgement counts there, but what a broker has
acknowledged it sends again an hour later at the soonest. So intake's session, with its subscription, is in
the broker's memory before it listens: what comes while intake is still starting, or can't, waits for it.
"""

import contextlib
import logging
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from schoolwatch_contract.topics import REPORTS
from schoolwatch_server import child
from schoolwatch_server.broker import access, mosquitto
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import write_atomically
from schoolwatch_server.intake.mqtt import Login, Lost, Session, session_id

log = logging.getLogger(__name__)
MEMORY = "mosquitto.db"
"""Mosquitto's name for the file in which it keeps sessions and what waits for them."""

HOLD = 5.0
"""Seconds that the other parts' start waits for a mosquitto; one that can't start says so itself."""

_SECONDS = 10.0


def keep(config: ServerConfig, program: Path | None) -> None:
    """Sees that the broker of `up` starts with intake's session; `program` is Mosquitto, None amqtt.

    Mosquitto's memory is left as it is where it has one. Raises OSError, `ConfigError`.
    """
    folder, login = config.folder / "broker", Login.of(config)
    if program is None:  # it remembers nothing, and makes the session itself each time
        write_atomically(folder / access.SEAT, session_id(login) + "\n")
    elif not (folder / MEMORY).exists():
        memory = first_memory(program, login, config.broker.queued_bytes)
        if memory is not None:
            write_atomically(folder / MEMORY, memory)


def first_memory(program: Path, login: Login, queued_bytes: int) -> bytes | None:
    """The memory of a Mosquitto that knows intake's session and nothing else.

    It is made by that program itself, which meanwhile no device can reach. None where that failed, which is
    logged: Mosquitto then starts without.
    """
    try:
        return _made(program, login, queued_bytes)
    except (OSError, ValueError) as error:  # no room for temporary files, or none that a socket can lie in
        log.warning("mosquitto starts without intake's session: %s", error)
        return None


def _made(program: Path, login: Login, queued_bytes: int) -> bytes | None:
    with tempfile.TemporaryDirectory(prefix="schoolwatch-") as name:
        folder = Path(name)
        door = mosquitto.socket_in(folder)
        if not door:
            raise ValueError(f"{folder}: too long a path for a socket, set TMPDIR to a shorter one")
        write_atomically(
            folder / "passwords", access.password_file({login.user: hash_password(login.password)})
        )
        write_atomically(folder / "acl", access.acl(login.user))
        command = mosquitto.command(program, mosquitto.write(mosquitto.Setup(folder, (), queued_bytes, door)))
        process = child.spawn(command, folder / "log")
        try:
            if take(replace(login, socket=door)):
                process.terminate()  # it saves what it holds
                with contextlib.suppress(subprocess.TimeoutExpired, FileNotFoundError):
                    process.wait(_SECONDS)
                    return (folder / MEMORY).read_bytes()
            said = (folder / "log").read_text(encoding="utf-8", errors="replace").strip()[-200:]
            log.warning("mosquitto starts without intake's session: %s", said)
            return None
        finally:
            child.end_group(process)
            process.wait()


def take(login: Login, seconds: float = _SECONDS) -> bool:
    """Connects once as intake, and leaves its session at the broker; False where that doesn't answer.

    A Mosquitto that was started anew knows no password of a session in its memory. Told to read its accounts
    again (SIGHUP) it takes that one for somebody who may read nothing, and drops what comes for it (2.0.11).
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            session = Session(login, session_id(login))
            session.subscribe(REPORTS)
        except Lost:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
            continue
        session.close()
        return True
