"""eSpeak NG: formant synthesis on the CPU, Mandarin and English, for machines with no neural voice."""

from collections.abc import Iterator
from pathlib import Path

from contracts.errors import InvalidInput, NotFound
from contracts.speech import AudioChunk, SpeechRequest
from deployments.speech import espeak_library as library
from deployments.speech.chunks import streamed
from deployments.speech.loudness import shaped
from deployments.speech.resynthesis import shifted
from deployments.speech.scripts import check_script
from deployments.speech.spoken import language_of, phrases, runs, symbols
from deployments.speech.stretch import stretched

SLOWEST_WPM = 80  # eSpeak goes no slower; stretching does
MANDARIN_PACE = 1.15  # 165 words a minute are then four syllables a second

# Of eSpeak's female variants f2 keeps its pitch steadiest and has the least energy above 4 kHz.
VARIANT = "+f2"
TAGS = {"zh": "cmn", "en": "en-us"}  # where eSpeak's is not ISO 639-1
RANGES = {"cmn": 70, "en-us": 60}  # wider than eSpeak's 50, so that tones and phrases are heard


class Espeak:
    """Voices are eSpeak's language tags, plain ("en") or with a variant ("en+f3"). The same text gives the same
    audio. `wpm`: words a minute at speed 1.0."""

    def __init__(self, wpm: int = 165) -> None:
        self.wpm = wpm

    def load(self) -> None:
        self.languages, self.variants = library.languages(), library.variants()

    def voices(self) -> list[str]:
        """eSpeak's languages, in alphabetical order."""
        return list(self.languages)

    def synthesize(self, request: SpeechRequest, sample: Path | None = None) -> Iterator[AudioChunk]:
        """Phrase by phrase, so closing it stops within one. Text with nothing to pronounce is a short silence."""
        if sample:
            raise InvalidInput("这个模型只能用自带的音色。", param="sample")
        yield from streamed(self.spoken(request), library.RATE_HZ)

    def spoken(self, request: SpeechRequest) -> Iterator[bytes]:
        """PCM of every phrase that sounds, at one loudness, without the pauses between them."""
        voice = self._voice(request)
        check_script(request.text, {voice.partition("+")[0].partition("-")[0]})
        for phrase in phrases(request.text):
            if pcm := b"".join(self._say(run, run_voice, request.speed) for run, run_voice in runs(phrase, voice)):
                yield shifted(pcm, request.pitch) if request.pitch else pcm

    def close(self) -> None:
        """Nothing is held: the library is loaded anew for every phrase."""

    def language(self, request: SpeechRequest) -> str:
        """eSpeak's tag of the language that is asked for, or that the text looks like."""
        if not request.language:
            looks = language_of(request.text)
            return looks if looks in self.languages else "en-us"
        tag = TAGS.get(request.language, request.language)
        if tag not in self.languages:
            raise InvalidInput(f"语音合成模型不支持语言 {request.language!r}。", param="language")
        return tag

    def _voice(self, request: SpeechRequest) -> str:
        if not request.voice:
            return self.language(request) + VARIANT
        language, plus, variant = request.voice.partition("+")
        if language not in self.languages or (plus and variant not in self.variants):
            raise NotFound(f"No voice {request.voice!r}.", param="voice")
        return request.voice

    def _say(self, text: str, voice: str, speed: float) -> bytes:
        language = voice.partition("+")[0]
        wpm = self.wpm * speed * (MANDARIN_PACE if language == "cmn" else 1)
        prosody = library.Prosody(wpm=round(max(wpm, SLOWEST_WPM)), pitch=50, pitch_range=RANGES.get(language, 50))
        pcm = shaped(library.synthesize(symbols(text, language), voice, prosody))
        return stretched(pcm, SLOWEST_WPM / wpm) if pcm and wpm < SLOWEST_WPM else pcm
