"""Text by a language model: sales copy, polishing, the wizard. `?stream=true` sends it while it is written."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.adapters import chat_of
from api.auth import Known
from api.callers import Caller
from api.live.envelope import Envelope, ok
from api.live.stream import answered
from api.live.text import Said
from api.state import Here, State
from contracts.advertising import Flag
from contracts.engines import Chat
from contracts.livestream import Copy, Product, Refined
from graphs.livestream import polish, write_copy
from graphs.wizard import refine

router = APIRouter(prefix="/api")
Stream = Annotated[bool, Query(description="Server-sent events: drafts while they are written, last the result.")]
Words = Annotated[str, Field(max_length=200)]
LONGEST = 5_000  # characters
Text = Annotated[str, Field(max_length=LONGEST), Said]
Fact = Annotated[str, Field(min_length=1, max_length=100), Said]
ModelId = Annotated[str, Field(max_length=300, description="Who writes, as in `/v1/models`; empty: the default.")]


class NewCopy(BaseModel):
    productName: Fact
    features: list[Fact] = Field([], max_length=20)
    targetAudience: Words = ""
    price: Words = ""
    promotion: Words = ""
    modelId: ModelId = ""


class Content(BaseModel):
    content: Text
    modelId: ModelId = ""


class Step(BaseModel):
    currentText: Text
    action: str = Field(min_length=1, max_length=64)
    step: int = 1
    modelId: ModelId = ""


class Flagged(BaseModel):
    flags: list[Flag] = Field(description="What advertising law has against the text; most of it is rewritten.")


class SalesCopy(Flagged):
    scriptContent: str


class Polished(Flagged):
    content: str


class RefinedText(Flagged):
    refinedText: str
    nextStep: int
    availableActions: list[str]


@router.post("/product/generate-script", response_model=Envelope[SalesCopy])
async def generate_script(body: NewCopy, state: Here, caller: Known, stream: Stream = False) -> Response:
    product = Product(
        name=body.productName,
        features=body.features,
        audience=body.targetAudience,
        price=body.price,
        promotion=body.promotion,
    )

    def told(copy: Copy) -> Envelope[SalesCopy]:
        return ok("口播稿生成成功", SalesCopy(scriptContent=copy.text, flags=copy.flags))

    chat = await _writer(state, caller, body.modelId)
    return await answered(state, write_copy(product, chat), told, stream, body.modelId, chat.model)


@router.post("/script/polish", response_model=Envelope[Polished])
async def polish_script(body: Content, state: Here, caller: Known, stream: Stream = False) -> Response:
    def told(copy: Copy) -> Envelope[Polished]:
        return ok("润色成功", Polished(content=copy.text, flags=copy.flags))

    chat = await _writer(state, caller, body.modelId)
    return await answered(state, polish(body.content, chat), told, stream, body.modelId, chat.model)


@router.post("/script/refine", response_model=Envelope[RefinedText])
async def refine_script(body: Step, state: Here, caller: Known, stream: Stream = False) -> Response:
    """One step of the wizard; the answer says which actions the next one allows."""

    def told(copy: Refined) -> Envelope[RefinedText]:
        refined = RefinedText(
            refinedText=copy.text, nextStep=copy.next_step, availableActions=copy.actions, flags=copy.flags
        )
        return ok("处理成功", refined)

    chat = await _writer(state, caller, body.modelId)
    return await answered(
        state, refine(body.currentText, body.action, body.step, chat), told, stream, body.modelId, chat.model
    )


async def _writer(state: State, caller: Caller, name: str) -> Chat:
    """An adapter of the caller's, or a model of the cluster's."""
    return await asyncio.to_thread(chat_of, state, caller, name, "modelId") if name else state.chat()
