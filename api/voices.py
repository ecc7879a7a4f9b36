"""Who says a text: voices by name, the catalogue's and those that the caller has kept."""

from typing import NamedTuple

from api.callers import Caller
from api.state import State
from contracts.catalog import ModelSpec, VoiceSpec, voices
from contracts.errors import InvalidInput, NotFound, Unavailable
from contracts.media import Media
from contracts.prompts import language_of
from contracts.speech import LONGEST_S, PADDING_S, ROUNDING_S, SHORTEST_S
from store.voices import Voices


class Speaking(NamedTuple):
    """The model that has a voice, what it calls it, and the recording that it is to sound like."""

    model: ModelSpec
    voice: str = ""
    sample: str = ""
    stands_in: bool = False  # for one that would have the voice that was named


def speaking(state: State, caller: Caller, name: str, language: str, text: str, model: str = "") -> Speaking:
    """A voice that is named, else a model's own: of the one that is named, else of the default that has the voice."""
    known = voices().get(name)
    if known:
        return _catalogued(state, known, language, text, model)
    sample = _kept(state, caller, name) if name else ""
    spec = state.models.resolve("speech", model, clones=bool(sample))
    check_language(spec, language)
    return Speaking(spec, sample=sample, stands_in=bool(model) and spec.id != model)


def check_language(model: ModelSpec, language: str) -> None:
    if language and model.languages and language not in model.languages:
        raise InvalidInput(f"模型 {model.id} 不支持语言 {language}。", param="language")


def check_length(sample: Media, param: str) -> None:
    """Whether a voice can be told by a recording: neither too short nor too long."""
    duration_s = sample.duration_s or 0.0
    if duration_s < SHORTEST_S - ROUNDING_S:
        raise InvalidInput(f"录音过短，至少要 {SHORTEST_S} 秒。", param=param)
    if duration_s > LONGEST_S + PADDING_S:
        raise InvalidInput(f"录音过长，最多 {LONGEST_S} 秒。", param=param)


def model_of(state: State, voice: VoiceSpec) -> ModelSpec | None:
    """The first that is served of those that have it."""
    served = (spec for spec in state.models.served.values() if spec.capability == "speech")
    return next((spec for spec in served if spec.engine in voice.engines), None)


def _catalogued(state: State, voice: VoiceSpec, language: str, text: str, asked: str) -> Speaking:
    spec = state.models.resolve("speech", asked) if asked else model_of(state, voice)
    stands_in = spec is not None and bool(asked) and spec.id != asked
    if spec and spec.engine not in voice.engines:
        if not stands_in:
            raise InvalidInput(f"模型 {spec.id} 没有音色 {voice.id}。", param="voice")
        spec = None
    if spec is None and state.models.fallback:
        spec = state.models.default("speech")
        check_language(spec, language)
        return Speaking(spec, stands_in=True)
    if spec is None:
        engines = "、".join(voice.engines)
        raise Unavailable(f"音色 {voice.id} 不可用：请在集群配置的 models 中启用 {engines} 之一。", param="voice")
    called, language = voice.engines[spec.engine], language or language_of(text)
    if language not in called:
        raise InvalidInput(f"音色 {voice.id} 没有语言 {language}，可用：{'、'.join(called)}。", param="language")
    return Speaking(spec, voice=called[language], stands_in=stands_in)


def _kept(state: State, caller: Caller, name: str) -> str:
    """The recording of a voice of the caller's own."""
    try:
        return Voices(state.database).find(name, caller.owners).sample
    except NotFound:
        raise NotFound("没有这个音色，可用的见 /api/audio/voices。", param="voice") from None
