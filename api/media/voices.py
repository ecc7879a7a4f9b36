"""Voices by name: the catalogue's, and those that the caller has kept."""

import re
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from api.auth import Known
from api.callers import Caller
from api.state import Here, State
from contracts.catalog import ModelSpec, VoiceSpec, voices
from contracts.errors import InvalidInput, NotFound, Unavailable
from contracts.prompts import language_of
from store.voices import Voices

router = APIRouter(prefix="/api/audio")
TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")  # BCP 47, as browsers have it


def _language(value: str) -> str:
    if not value:
        return ""
    if not (tag := TAG.fullmatch(value)):
        raise ValueError("应为语言代码，例如 zh、en")
    return tag[1].lower()


Language = Annotated[str, Field(max_length=35, description="ISO 639-1; zh-CN is zh."), AfterValidator(_language)]


class Voice(BaseModel):
    """`language` is empty where it is any."""

    id: str
    name: str
    language: str
    ready: bool


class Speaking(NamedTuple):
    """The model that has a voice, what it calls it, and the recording that it is to sound like."""

    model: ModelSpec
    voice: str = ""
    sample: str = ""
    stands_in: bool = False  # for one that would have the voice that was named


@router.get("/voices")
def list_voices(state: Here, caller: Known) -> list[Voice]:
    """The catalogue's, a line for each language, and those that the caller has kept."""
    listed = []
    for spec in voices().values():
        languages = dict.fromkeys(code for called in spec.engines.values() for code in called)
        ready = _model_of(state, spec) is not None
        listed += [Voice(id=spec.id, name=spec.name, language=code, ready=ready) for code in languages]
    ready = any(spec.capability == "speech" and spec.clones for spec in state.models.served.values())
    own = Voices(state.database).all(caller.owners)
    return listed + [Voice(id=row.name, name=row.name, language="", ready=ready) for row in own]


def speaking(state: State, caller: Caller, name: str, language: str, text: str) -> Speaking:
    """Who says a text: a voice that is named, else the default model's own."""
    known = voices().get(name)
    if known:
        return _catalogued(state, known, language, text)
    sample = _kept(state, caller, name) if name else ""
    model = state.models.default("speech", clones=bool(sample))
    check_language(model, language)
    return Speaking(model, sample=sample)


def check_language(model: ModelSpec, language: str) -> None:
    if language and model.languages and language not in model.languages:
        raise InvalidInput(f"模型 {model.id} 不支持语言 {language}。", param="language")


def _catalogued(state: State, voice: VoiceSpec, language: str, text: str) -> Speaking:
    model = _model_of(state, voice)
    if model is None and state.models.fallback:
        model = state.models.default("speech")
        check_language(model, language)
        return Speaking(model, stands_in=True)
    if model is None:
        engines = "、".join(voice.engines)
        raise Unavailable(f"音色 {voice.id} 不可用：请在集群配置的 models 中启用 {engines} 之一。", param="voice")
    called, language = voice.engines[model.engine], language or language_of(text)
    if language not in called:
        raise InvalidInput(f"音色 {voice.id} 没有语言 {language}，可用：{'、'.join(called)}。", param="language")
    return Speaking(model, voice=called[language])


def _model_of(state: State, voice: VoiceSpec) -> ModelSpec | None:
    """The first that is served of those that have it."""
    served = (spec for spec in state.models.served.values() if spec.capability == "speech")
    return next((spec for spec in served if spec.engine in voice.engines), None)


def _kept(state: State, caller: Caller, name: str) -> str:
    """The recording of a voice of the caller's own."""
    try:
        return Voices(state.database).find(name, caller.owners).sample
    except NotFound:
        raise NotFound("没有这个音色，可用的见 /api/audio/voices。", param="voice") from None
