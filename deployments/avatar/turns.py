"""One thread that draws for all: frames of one avatar in one go, whoever asked for them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.avatar.engine import Heard, Pictures, Player

MOST_FRAMES = 64  # in one go


@dataclass(frozen=True, eq=False)
class Wish:
    player: Player
    heard: Heard
    numbers: Sequence[int]
    done: "asyncio.Future[Pictures]"


class Turns:
    """Who asks first is drawn first, and with it what others want of the same avatar."""

    def __init__(self) -> None:
        self._wishes: deque[Wish] = deque()
        self._drawing: asyncio.Task[None] | None = None

    async def draw(self, player: Player, heard: Heard, numbers: Sequence[int]) -> Pictures:
        """Who leaves meanwhile is not drawn for, unless that has begun."""
        wish = Wish(player, heard, numbers, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._draw_all())
        return await wish.done

    async def _draw_all(self) -> None:
        while wishes := self._next():
            heard = np.concatenate([wish.heard for wish in wishes])
            numbers = [number for wish in wishes for number in wish.numbers]
            drawing = asyncio.to_thread(wishes[0].player.render, heard, numbers)
            outcomes = await asyncio.gather(drawing, return_exceptions=True)
            _tell(wishes, outcomes[0])

    def _next(self) -> list[Wish]:
        """The first who still waits, and others of its avatar as long as they fit."""
        waiting = [wish for wish in self._wishes if not wish.done.done()]
        together: list[Wish] = []
        room = MOST_FRAMES
        for wish in waiting:
            if not together or (wish.player is together[0].player and len(wish.numbers) <= room):
                together.append(wish)
                room -= len(wish.numbers)
        self._wishes = deque(wish for wish in waiting if wish not in together)
        return together


def _tell(wishes: Sequence[Wish], drawn: "Pictures | BaseException") -> None:
    """Whatever an engine raises is for those who asked, and for no others."""
    first = 0
    for wish in wishes:
        if not wish.done.done():
            if isinstance(drawn, BaseException):
                wish.done.set_exception(drawn)
            else:
                wish.done.set_result(drawn[first : first + len(wish.numbers)])
        first += len(wish.numbers)
