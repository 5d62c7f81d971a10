"""A mail server and a webhook on 127.0.0.1, in a process of their own, that note when each message came.

    python benchmarks/parts/receivers.py LOG

Prints its two ports, and writes a line of JSON to LOG for each message: when (UTC seconds), by what, its
text.
"""

import email
import email.policy
import json
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO


class Log:
    """Messages as they come, one line each."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()

    def note(self, by: str, text: str) -> None:
        line = json.dumps({"at": time.time(), "by": by, "text": text})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()


def mail_server(log: Log) -> socketserver.ThreadingTCPServer:
    """As much of SMTP (RFC 5321) as a client needs that hands over a message."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 benchmark")
            while line := self.rfile.readline().decode(errors="replace"):
                word = line[:4].upper()
                if word == "DATA":
                    self._say("354 go on")
                    self._data()
                self._say("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def _data(self) -> None:
            text = b""
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                text += line.removeprefix(b".")
            mail = email.message_from_bytes(text, policy=email.policy.default)
            parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
            log.note("e-mail", "\n".join([str(mail["subject"]), *parts]))

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def webhook(log: Log) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            log.note("webhook", f"{body.get('title')}\n{body.get('message')}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> None:
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        servers = (mail_server(Log(file)), webhook(Log(file)))
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        print(*(server.server_address[1] for server in servers), flush=True)
        sys.stdin.read()  # until whoever started us ends


if __name__ == "__main__":
    main()
