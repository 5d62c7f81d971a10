"""Incidents of new devices that are told by channels, and a mail server that keeps what comes."""

import email
import email.policy
import socket
import threading

from sqlalchemy import select

from reports import World
from schoolwatch_server import notify, rules, texts
from schoolwatch_server.channel_book import Book
from schoolwatch_server.database import incidents, notifications
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.rules import subject

RULES = rules.load()
WORDS = texts.load()
URL = "https://schoolwatch.example"


def opened(
    world: World,
    count: int,
    channels: tuple[str, ...],
    at: float,
    severity: str = "high",
    rule: str = "antivirus_off",
) -> list[int]:
    """Incidents of new devices, one each, that open at an instant."""
    ids = []
    devices = world.enrol(count)
    with begin_write(world.engine) as conn:
        for device in devices:
            new = incidents.NewIncident(
                rule, 1, severity, subject.device(device.id), at, at, late=False, evidence={}
            )
            found = incidents.open_incident(conn, new, at)
            assert found is not None
            notifications.put(conn, found.id, "opened", channels, at)
            ids.append(found.id)
    return ids


def closed(world: World, ids: list[int], at: float) -> None:
    with begin_write(world.engine) as conn:
        for number in ids:
            mark = conn.scalar(select(t.incident.c.fingerprint).where(t.incident.c.id == number))
            incidents.close_incident(conn, mark, at, {}, at)
            notifications.put(conn, number, "closed", (), at)


def send(world: World, addresses: dict[str, str], now: float) -> None:
    while notify.send_next(world.engine, Book(addresses), RULES, WORDS, URL, now):
        pass


class Mailbox:
    """A mail server of one socket: what came is kept whole."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream) -> None:
        def say(line: str) -> None:
            stream.write(line.encode() + b"\r\n")
            stream.flush()

        say("220 test")
        while line := stream.readline():
            word = line[:4].upper()
            if word == b"DATA":
                say("354 go on")
                body = b""
                while (part := stream.readline()) != b".\r\n":
                    body += part
                self.mails.append(email.message_from_bytes(body, policy=email.policy.default))
                say("250 kept")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def close(self) -> None:
        self._socket.close()
