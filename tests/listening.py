"""An API at a port of its own, in this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.waiting import eventually


@contextmanager
def listening(app: FastAPI) -> Iterator[uvicorn.Server]:
    """A server of its own, as WebSockets live on one event loop; `address_of` says where."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join()


def address_of(server: uvicorn.Server) -> str:
    return f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
