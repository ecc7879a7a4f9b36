"""What is on its way to the other side of a socket: in order, a few messages at a time, none of an answer given up."""

import asyncio
import json
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from api.sockets import SEND_S

MOST_WAITING = 8
Message = dict[str, Any] | bytes


class Outbox:
    """Who puts waits while too much does: so a slow reader slows down whoever makes what it is sent."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._room = asyncio.Semaphore(MOST_WAITING)
        self._waiting: asyncio.Queue[tuple[int, tuple[Message, ...]]] = asyncio.Queue()
        self._given_up = 0

    async def put(self, *messages: Message, turn: int = 0) -> None:
        """These go out together, or, once their turn (1, 2 …) is given up, not at all."""
        await self._room.acquire()
        self._waiting.put_nowait((turn, messages))

    def give_up(self, turn: int) -> None:
        """Send nothing more of this turn and of those before it; messages that are going out just now go out whole."""
        self._given_up = turn

    def is_empty(self) -> bool:
        """Whether nothing waits; the last message may be going out."""
        return self._waiting.empty()

    async def close(self, code: int) -> None:
        """Once what waits is sent."""
        await self.put({"close": code})

    async def send(self) -> None:
        """For as long as the connection lives. Who does not take a message in time is gone: `TimeoutError`."""
        while True:
            turn, messages = await self._waiting.get()
            self._room.release()
            if turn and turn <= self._given_up:
                continue
            for message in messages:
                async with asyncio.timeout(SEND_S):
                    await self._send(message)

    async def _send(self, message: Message) -> None:
        if isinstance(message, bytes):
            await self._socket.send_bytes(message)
        elif code := message.get("close"):
            await self._socket.close(code)
            raise WebSocketDisconnect(code)
        else:
            await self._socket.send_text(json.dumps(message))  # escaped: what a model writes may not be Unicode
