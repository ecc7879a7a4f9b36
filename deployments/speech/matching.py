"""Voice matching: eSpeak NG's speech brought to the pitch and timbre of a recording. Its articulation stays eSpeak's.

Pitch is mapped by median and quartiles, the spectral envelope is equalised to the recording's long-term spectrum;
formants are not moved. It starts from a male or a female voice, by the pitch of the recording: frame by frame the
spectra of male voices were mostly a third to a half nearer so.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from contracts.speech import AudioChunk, SpeechRequest
from deployments.speech.chunks import streamed
from deployments.speech.espeak import Espeak
from deployments.speech.measured import measured
from deployments.speech.recording import Recording
from deployments.speech.resynthesis import resynthesised, samples_of
from deployments.speech.spoken import READS_IDEOGRAPHS
from deployments.speech.voice_profile import Profile, gain, profile_of
from deployments.speech.world import HIGHEST_HZ, LOWEST_HZ, RATE_HZ, Parts

HIGH, LOW = "+f2", "+m3"
HIGH_HZ = 150  # between what men's and women's voices usually are
SPREADS = (0.6, 1.7)  # of the source's own: tones stay tones
MOST_DB = 20  # human recordings ask for up to 19

REFERENCES = {  # what a voice of eSpeak is measured by
    "cmn": "很久很久以前，山上住着一只小兔子，它非常喜欢唱歌。每天早晨，它都站在最高的石头上，对着太阳唱一支新歌。",
    "en-us": "Once upon a time, a little rabbit lived on a hill. Every morning he sang a new song for the rising sun.",
}


class Matching:
    """With a sample, any text in its voice; without one, as `espeak`. The same text and sample give the same audio."""

    def __init__(self, wpm: int = 165) -> None:
        self.espeak = Espeak(wpm)

    def load(self) -> None:
        self.espeak.load()
        self.profile = lru_cache(64)(_profile)
        self.reference = lru_cache(64)(self._reference)

    def voices(self) -> list[str]:
        """Languages to speak, in alphabetical order."""
        return self.espeak.voices()

    def synthesize(self, request: SpeechRequest, sample: Path | None = None) -> Iterator[AudioChunk]:
        """Phrase by phrase, so closing it stops within one. A sample without a voice, or not 3–30 s: invalid input."""
        if sample is None:
            yield from self.espeak.synthesize(request)
            return
        target = self.profile(Recording.at(sample))
        voice = self._nearest(request, target)
        spoken = self.espeak.spoken(request.model_copy(update={"voice": voice, "pitch": 0.0}))
        made = (matched(pcm, self.reference(voice), target, request.pitch) for pcm in spoken)
        yield from streamed(made, RATE_HZ)

    def close(self) -> None:
        self.espeak.close()

    def _nearest(self, request: SpeechRequest, target: Profile) -> str:
        """The voice to start from: as asked, with the variant that is nearer where none is."""
        voice = request.voice or self.espeak.language(request)
        return voice if "+" in voice else voice + (HIGH if target.pitch > np.log2(HIGH_HZ) else LOW)

    def _reference(self, voice: str) -> Profile:
        text = REFERENCES["cmn" if voice.partition("+")[0] in READS_IDEOGRAPHS else "en-us"]
        spoken = b"".join(self.espeak.spoken(SpeechRequest(text=text, voice=voice)))
        return profile_of(samples_of(spoken))


def matched(pcm: bytes, source: Profile, target: Profile, semitones: float = 0.0) -> bytes:
    """The source's speech as the target's, equally long and loud; `semitones` above the target's own pitch."""
    return resynthesised(pcm, partial(_changed, source=source, target=target, semitones=semitones))


def _changed(parts: Parts, source: Profile, target: Profile, semitones: float) -> Parts:
    widened = np.clip(target.spread / source.spread, *SPREADS)
    pitch = target.pitch + widened * (np.log2(np.maximum(parts.pitch_hz, 1)) - source.pitch)
    pitch_hz = np.where(parts.pitch_hz > 0, np.clip(2**pitch, LOWEST_HZ, HIGHEST_HZ) * 2 ** (semitones / 12), 0)
    return parts._replace(pitch_hz=pitch_hz, envelope=parts.envelope * gain(source, target, MOST_DB))


def _profile(sample: Recording) -> Profile:
    kept = measured(sample, lambda: profile_of(*sample.heard())._asdict())
    return Profile(float(kept["pitch"]), float(kept["spread"]), kept["spectrum"])
