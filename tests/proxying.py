"""A web proxy of a school: it knows CONNECT alone, and keeps where it was asked to."""

import contextlib
import socket
import threading
from typing import Self


class Proxy:
    """On 127.0.0.1; `asked` is where it was asked to connect, `allowed` the ports to which it does."""

    def __init__(self, allowed: tuple[int, ...]) -> None:
        self.allowed = allowed
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._one, args=(client,)))
                self._threads[-1].start()

    def _one(self, client: socket.socket) -> None:
        head = b""
        with client:
            while b"\r\n\r\n" not in head and (part := client.recv(4096)):
                head += part
            verb, where, *_ = head.decode().split()
            host, _, port = where.rpartition(":")
            self.asked.append(where)
            if verb != "CONNECT" or int(port) not in self.allowed:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
