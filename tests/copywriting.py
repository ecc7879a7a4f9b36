"""Chat models for tests of copy: the scripted engine beside the test, and one that says what it is told."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from contracts.chat import ChatDelta, ChatRequest
from contracts.errors import ContextLength
from contracts.livestream import Copy, Draft
from deployments.chat.scripted import Scripted
from deployments.streams import threaded

# ruff: noqa: E501, SIM905 (tables)

ZH_COPY = """欢迎大家，今天卖耳机。|家人们晚上好，今天给大家带来一款面霜|这个书包很轻，孩子背着不累，颜色也好看|我们的大米是今年的新米,蒸出来很香
|这款台灯光线柔和。看书不累。晚上用也可以|感谢大家来到直播间，先点个关注吧！！|这口锅不粘，洗起来方便，价格也不贵|今天天气冷，大家注意保暖，我们来看围巾
|新来的朋友可以先听一听,不着急下单|欢迎进入直播间。|大家好，我是主播小林，今天聊聊怎么挑水果|电风扇声音小，晚上开着也能睡好""".replace(
    "\n", ""
).split("|")
EN_COPY = (
    "Welcome everybody, today we sell earphones.|this bag is light and it has a lot of room|hello friends ,today i want to "
    "show you a lamp|The rice is new this year. It smells good. It cooks fast|thank you for coming to the the stream!!|"
    "this pan is easy to clean and the price is fair|We welcome all new friends today|it is cold outside, so let us look at "
    "scarves|The fan is quiet. You can sleep with it on|Welcome to the stream."
).split("|")


class Near:
    """The scripted engine as a replica runs it: in threads, closed when the caller leaves."""

    model = "scripted"

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        async with aclosing(threaded(Scripted().generate(request))) as deltas:
            async for delta in deltas:
                yield delta


class Says:
    """Gives these answers one after another, four characters at a time, and remembers what it was asked."""

    model = "says"

    def __init__(self, *answers: str, finish: str = "stop") -> None:
        self.answers, self.finish = list(answers), finish
        self.asked: list[ChatRequest] = []
        self.running = False

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        self.asked.append(request)
        self.running, answer = True, self.answers.pop(0)
        try:
            for start in range(0, len(answer), 4):
                yield ChatDelta(text=answer[start : start + 4])
            yield ChatDelta.model_validate({"text": "", "finish": self.finish if self.answers else "stop"})
        finally:
            self.running = False


class Short(Says):
    """Its context holds the request, and no answer beside it."""

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        if len(request.messages) > 2:
            raise ContextLength("对话太长")
        async for delta in super().generate(request):
            yield delta


async def drafts(items: AsyncGenerator[Draft | Copy]) -> tuple[list[str], Copy]:
    """What was read out, one text for each beginning, and the checked text."""
    texts = [""]
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Copy):
                return texts, item
            texts = [*texts, ""] if item.restarted else [*texts[:-1], texts[-1] + item.text]
    raise AssertionError("no checked text")
