"""Sentences one after another, with pauses between them, and when each was said."""

from dataclasses import dataclass, field

import numpy as np

from training.starter.asr.voices import RATE_HZ


@dataclass
class Said:
    """`most`: samples that there is room for. `times`: where each of `texts` begins and ends, in seconds; a cut one
    is "" and has no end. `phonemes`: of all of them; none where one is cut."""

    most: int
    parts: list[np.ndarray] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    times: list[tuple[float, float | None]] = field(default_factory=list)
    phonemes: list[str] | None = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.parts))

    @property
    def samples(self) -> np.ndarray:
        """(samples,), `most` of them at most."""
        return np.concatenate(self.parts)[: self.most]

    def pause(self, seconds: float) -> None:
        self.parts.append(np.zeros(round(seconds * RATE_HZ), "f4"))

    def fits(self, sound: np.ndarray) -> bool:
        return self.length + len(sound) <= self.most

    def add(self, text: str, sound: np.ndarray, phonemes: list[str]) -> None:
        start = self.length / RATE_HZ
        self.parts.append(sound)
        self.texts.append(text)
        self.times.append((start, self.length / RATE_HZ))
        if self.phonemes is not None:
            self.phonemes += phonemes

    def cut(self, sound: np.ndarray) -> None:
        """The beginning of a sentence whose end would be in the next window; less than half a second is left out."""
        if self.most - self.length > RATE_HZ // 2:
            self.times.append((self.length / RATE_HZ, None))
            self.texts.append("")
            self.parts.append(sound)
            self.phonemes = None
