"""Whether a recording is good enough for its voice to be taken: somebody speaks, loud enough, without clipping."""

import numpy as np
import soxr
from numpy.typing import NDArray

from contracts.errors import InvalidInput

VAD_HZ = 16_000
PAUSE_MS, EDGE_MS = 300, 100  # shorter pauses, and so much around each phrase, count as speech
LEAST_SHARE, LEAST_SPEECH_S = 0.4, 1.5  # people who read aloud fill 0.65–0.9 of a recording
QUIET_DB = -55.0  # RMS, of full scale; eSpeak and studio recordings have -18 to -29
NEAR_PEAK, MOST_CLIPPED = 0.95, 0.01  # speech is so near to its peak for 0.0002 of the time, cut by 10 dB for 0.015


def check_quality(samples: NDArray[np.float64], rate_hz: int) -> None:
    """`samples`: (samples,), mono, as loud as they were recorded. What is not good enough: `InvalidInput`, with why."""
    duration_s, speech_s = len(samples) / rate_hz, _speech_s(samples, rate_hz)
    if speech_s == 0:
        raise _refused("里没有听到人声。")
    level_db = 10 * np.log10(np.mean(samples**2))
    if level_db < QUIET_DB:
        raise _refused(f"音量太低（{level_db:.0f} dBFS，至少要 {QUIET_DB:.0f}），请靠近麦克风重录。")
    clipped = float(np.mean(np.abs(samples) > NEAR_PEAK * np.abs(samples).max()))
    if clipped > MOST_CLIPPED:
        raise _refused(f"削波失真（{clipped:.0%} 的采样到顶），请降低录音音量重录。")
    if speech_s < LEAST_SPEECH_S or speech_s < LEAST_SHARE * duration_s:
        raise _refused(
            f"里人声太少（{duration_s:.1f} 秒里有 {speech_s:.1f} 秒），"
            f"至少要 {LEAST_SPEECH_S:g} 秒，并占 {LEAST_SHARE:.0%}。"
        )


def _speech_s(samples: NDArray[np.float64], rate_hz: int) -> float:
    """Seconds in which somebody speaks, by Silero VAD as faster-whisper ships it."""
    from faster_whisper.vad import get_speech_timestamps

    heard = soxr.resample(samples.astype(np.float32), rate_hz, VAD_HZ)
    heard = heard / max(float(np.abs(heard).max()), 1e-9)  # it hears what is quiet less well
    found = get_speech_timestamps(heard, min_silence_duration_ms=PAUSE_MS, speech_pad_ms=EDGE_MS)
    return sum(each["end"] - each["start"] for each in found) / VAD_HZ


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"音色样本{why}", param="sample")
