"""Whether a film's sound is what its mouth says, and at the same time."""

from dataclasses import replace

import numpy as np

from contracts.errors import InvalidInput
from deployments.avatar.sound import FPS, SAMPLES, Sound
from training.avatar.footage import Footage
from training.avatar.mouth import Curve, cut, lag_of, loudness, openings

MOST_LAG, UNSEEN = 12, 1  # frames; so many nobody sees
LEAST_MATCH, LEAST_MOVED = 0.15, 0.004  # correlation of mouth and voice; how much of the mouth's place changes
SURE = 0.3  # a correlation at which a lag is believed
SHIFTS = 32  # of the sound against itself: the match has to beat them all


def matched(footage: Footage, sound: Sound) -> tuple[Footage, int]:
    """With the sound moved to where the mouth says it, and by how many frames the mouth was late. `sound`: of the
    footage's frames and MOST_LAG more on both sides. `InvalidInput` where mouth and sound do not go together."""
    opening = openings(cut(footage.frames, footage.mouth))
    if opening.std() < LEAST_MOVED:
        raise InvalidInput("视频不适合训练：嘴部几乎没有动作，请使用正在讲话、嘴部没有遮挡的视频。", param="ref_video")
    loud = loudness(footage.windows)
    lag, match = lag_of(opening, loud, MOST_LAG)
    chances = by_chance(opening, loud)
    if match < max(LEAST_MATCH, float(chances.max())):
        raise InvalidInput(
            "视频不适合训练：声音与口型对不上，可能是音乐、配音或旁白，请使用画面中的人自己讲话的视频。",
            param="ref_video",
        )
    if abs(lag) <= UNSEEN or match < SURE:
        return footage, 0
    start = (MOST_LAG - lag) * SAMPLES
    return replace(footage, sound=sound[start : start + len(footage.frames) * SAMPLES]), lag


def by_chance(opening: Curve, loud: Curve) -> Curve:
    """How well the mouth matches the same sound at other times: the shorter a film, the better anything fits it."""
    apart = 2 * MOST_LAG + 1  # so far that what belongs together is not found again
    shifts = np.linspace(apart, max(apart, len(loud) - apart), SHIFTS).astype(int)
    return np.array([lag_of(opening, np.roll(loud, shift), MOST_LAG)[1] for shift in shifts])


def around(sound: Sound, start_s: float, frames: int) -> Sound:
    """The sound of so many frames, and of MOST_LAG more on both sides; silence beyond the film's."""
    padded = np.pad(sound, MOST_LAG * SAMPLES)
    first = round(start_s * FPS) * SAMPLES
    found = padded[first : first + (frames + 2 * MOST_LAG) * SAMPLES]
    return np.pad(found, (0, (frames + 2 * MOST_LAG) * SAMPLES - len(found)))
