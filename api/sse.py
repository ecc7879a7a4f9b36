"""Server-sent events over something that is held while they are sent."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send


class HeldEvents(EventSourceResponse):
    """Gives back what it holds whether or not its first event is ever asked for."""

    def __init__(
        self, events: AsyncIterator[ServerSentEvent], held: AsyncExitStack, headers: Mapping[str, str]
    ) -> None:
        super().__init__(events, headers=headers)
        self.held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.held:
            await super().__call__(scope, receive, send)
