"""A spoken conversation over a WebSocket: sound in; text, sound and frames out, while the answer is being made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from api.callers import Caller
from api.door import GENERATION
from api.files import GENERATED
from api.human.cast import Cast, cast_of, check_served
from api.human.outbox import Outbox
from api.human.telling import Telling, refusal
from api.human.utterances import RATE_HZ, End, Ping, Start, Stop, Utterance, keep, read
from api.sockets import caller_at, deny, seat
from api.state import Here, State
from api.uploads import aside
from contracts.chat import Message
from contracts.errors import Deadline, InvalidInput, NotFound, Overloaded, ServiceError
from graphs.chat import Question, answered
from store.conversations import Conversations, new_id

router = APIRouter()
PATH = "/ws/converse"
GONE = (WebSocketDisconnect, TimeoutError)
MOST_CONVERSATIONS = 8  # of one caller, at one ingress replica
START_S, IDLE_S, LONGEST_S = 30.0, 300.0, 3_600.0  # to the first message; from one to the next; of it all
ANSWER_S = 180.0  # to make one, and to send it
BEAT_S = 20.0
OVER, REFUSED = 1000, 1008  # WebSocket close codes


@router.websocket(PATH)
async def converse(socket: WebSocket, state: Here, token: Annotated[str, Query()] = "") -> None:
    """One caller talks, `start` first (`api.human.utterances`); the answers are told as `api.human.telling` does.

    A new utterance stops the answer that is under way: after `stopped` nothing more of it comes.
    """
    try:
        caller = await caller_at(socket, state, token)
        check_served(state)
        with seat(caller, "conversation", MOST_CONVERSATIONS):
            await Conversation(socket, state, caller).run()
    except ServiceError as error:
        await deny(socket, error)


class Conversation:
    """One connection. Messages are taken all the time, also while an answer is under way."""

    def __init__(self, socket: WebSocket, state: State, caller: Caller) -> None:
        self.socket, self.state, self.caller = socket, state, caller
        self.outbox, self.kept = Outbox(socket), Conversations(state.database)
        self.turn = 0
        self.answering: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Accept, and talk until either side leaves; then nothing of it is under way any more."""
        await self.socket.accept(headers=[(name.lower().encode(), each.encode()) for name, each in GENERATED.items()])
        try:
            async with asyncio.TaskGroup() as tasks:
                self.tasks = tasks
                for work in (self.outbox.send(), self._listen(), self._beat()):
                    tasks.create_task(work)
        except* GONE:
            pass

    async def _listen(self) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._begin()
                while True:
                    await self._take(await self._next(IDLE_S))
        except TimeoutError:
            await self._end(Deadline("太久没有收到消息，或会话时间已到。"), OVER)
        except ServiceError as error:
            await self._end(error, REFUSED)

    async def _begin(self) -> None:
        """What `start` asks for is there, or the conversation is over."""
        message = await self._next(START_S)
        start = read(message) if isinstance(message, str) else None
        if not isinstance(start, Start):
            raise InvalidInput("第一条消息应为 start。", param="type")
        self.name, before = start.conversation_id or new_id(), []
        if start.conversation_id:
            before = await asyncio.to_thread(self.kept.messages, self.name, self.caller.owners)
        self.cast: Cast = await cast_of(self.state, self.caller, start)
        self.utterance = Utterance(start.format)
        ready = {"type": "ready", "conversation_id": self.name, "messages": len(before), "sample_rate": RATE_HZ}
        await self.outbox.put(ready | self.cast.names())

    async def _next(self, within_s: float) -> str | bytes:
        async with asyncio.timeout(within_s):
            message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        return message.get("bytes") or message.get("text") or ""

    async def _take(self, message: str | bytes) -> None:
        """What is wrong with it is told, and the conversation goes on."""
        try:
            if isinstance(message, bytes):
                if self._is_answering():
                    await self._stop()
                return self.utterance.add(message)
            match read(message):
                case End():
                    await self._answer_next()
                case Stop():
                    self.utterance = Utterance(self.utterance.form)
                    await self._stop()
                case Ping():
                    await self.outbox.put({"type": "pong"})
                case Start():
                    raise InvalidInput("会话已经开始。", param="type")
        except ServiceError as error:
            await self.outbox.put(refusal(error))

    def _is_answering(self) -> bool:
        """Until its last message goes out."""
        return self.answering is not None and not (self.answering.done() and self.outbox.is_empty())

    async def _stop(self) -> None:
        """Told at once; the models have been told to stop, too, when this returns."""
        self.outbox.give_up(self.turn)
        stopping, self.answering = self.answering, None
        if stopping:
            stopping.cancel()
        await self.outbox.put({"type": "stopped", "turn": self.turn})
        if stopping:
            await asyncio.wait([stopping])

    async def _answer_next(self) -> None:
        utterance, self.utterance = self.utterance, Utterance(self.utterance.form)
        if utterance.refused:
            return  # as was told
        if utterance.is_empty():
            raise InvalidInput("还没有收到声音。", param="audio")
        if wait_s := await self.state.rates.hit(GENERATION, PATH, self.caller.owner, self.caller.address):
            raise Overloaded("请求过于频繁，请稍后再试。", retry_after_s=wait_s)
        self.turn += 1
        self.answering = self.tasks.create_task(self._answer(Telling(self.turn), utterance))

    async def _answer(self, telling: Telling, utterance: Utterance) -> None:
        """Whatever it is stopped by, what was said until then is remembered."""
        try:
            with self.state.in_flight.one():
                async with asyncio.timeout(ANSWER_S), self._recording(utterance) as recording:
                    await self._say(telling, recording)
            await self.outbox.put(telling.done(), turn=telling.turn)
        except TimeoutError:
            await self.outbox.put(refusal(Deadline("回答超时。"), telling.turn), turn=telling.turn)
        except ServiceError as error:
            await self.outbox.put(refusal(error, telling.turn), turn=telling.turn)

    async def _say(self, telling: Telling, recording: str) -> None:
        before = await asyncio.to_thread(self._before)
        question = Question(recording, self.cast.sample, self.cast.language, before)
        try:
            async with aclosing(answered(question, self.cast.models, self.cast.show)) as pieces:
                async for piece in pieces:
                    await self.outbox.put(*telling.of(piece), turn=telling.turn)
        finally:
            if said := telling.said():
                await asyncio.to_thread(self.kept.keep, self.name, self.caller.owner, said)

    def _before(self) -> list[Message]:
        try:
            return self.kept.messages(self.name, self.caller.owners)
        except NotFound:
            return []  # nothing was said yet, or too long ago

    @asynccontextmanager
    async def _recording(self, utterance: Utterance) -> AsyncIterator[str]:
        """The key of what was said, as long as it is needed."""
        keeping = asyncio.ensure_future(aside(keep, self.state, self.caller, utterance))
        try:
            yield await asyncio.shield(keeping)
        finally:
            await asyncio.wait([keeping])  # a thread cannot be stopped
            if not keeping.exception():
                with suppress(ServiceError):  # it is found later (`jobs.expiry`)
                    await asyncio.to_thread(self.state.artifacts.delete, keeping.result())

    async def _beat(self) -> None:
        """So that proxies keep a connection over which nothing is said."""
        while True:
            await asyncio.sleep(BEAT_S)
            await self.outbox.put({"type": "ping"})

    async def _end(self, error: ServiceError, code: int) -> None:
        await self.outbox.put(refusal(error))
        await self.outbox.close(code)
