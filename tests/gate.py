"""A way to a server that can be shut: who goes through it finds nobody there, and what was under way breaks off."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from cli.environment import free_port

HOST, PIECE = "127.0.0.1", 64 << 10


class Gate:
    """It begins open; `url` leads through it."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self.target, self.port = (there.hostname or HOST, there.port or 80), free_port()
        self.url = f"{there.scheme}://{HOST}:{self.port}"
        self._threads: list[threading.Thread] = []
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.open()

    def open(self) -> None:
        self.listener = socket.create_server((HOST, self.port))
        self._run(self._accept, self.listener)

    def shut(self) -> None:
        """When it returns, nothing comes through any more."""
        _end(self.listener)
        for pair in self._pairs:
            for end in pair:
                _end(end)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._pairs.clear()

    def _run(self, call: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=call, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener, suppress(OSError):  # it is shut
            while True:
                caller, _ = listener.accept()
                server = socket.create_connection(self.target)
                self._pairs.append((caller, server))
                self._run(_carry, caller, server)
                self._run(_carry, server, caller)


def _end(end: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        end.shutdown(socket.SHUT_RDWR)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        _end(end)
        end.close()
