"""Whether an avatar's mouth follows the voice: on frames that it has not learnt, against sound that is not theirs."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from contracts.errors import Cancelled, EngineFailed
from deployments.avatar.reel import Pictures
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Boxes
from training.avatar.mouth import Curve, correlation, cut, loudness, openings

SHUFFLES = 4
LEAST_AMPLITUDE = 0.35  # lips that barely move are what people complain of most
LEAST, MARGIN = 0.25, 0.15  # of the correlation: with the voice, and above that with another sound


class Verdict(NamedTuple):
    """`psnr`: dB, of the part that is drawn. Correlations of the mouth's opening, over the frames that were held out:
    `voice` with the loudness of what is heard, `recorded` with the opening in the film, `shuffled` with the loudness
    when frames hear one another's sound, `truth` of the film itself with its loudness. `amplitude`: of the mouth's
    movement, against the film's."""

    psnr: float
    voice: float
    recorded: float
    shuffled: float
    truth: float
    amplitude: float

    @property
    def responds(self) -> bool:
        follows = self.voice >= LEAST and self.voice >= abs(self.shuffled) + MARGIN
        return follows and self.amplitude >= LEAST_AMPLITUDE


def judged(training: AvatarTraining) -> Verdict:
    footage, rows = training.footage, training.footage.held
    if len(rows) < 4:
        raise EngineFailed("留出的画面太少，无法检验口型是否跟随声音，请使用更长的视频。")
    loud = loudness(footage.windows)[rows]
    mouth = footage.mouth[rows]
    filmed = openings(cut(footage.frames[rows], mouth))
    own = openings([_drawn(training, int(row), box)[0] for row, box in zip(rows, _boxes(mouth), strict=True)])
    near = [_drawn(training, int(row), training.chooser.drawn[row])[1] for row in rows]
    others = [correlation(_shuffled(training, rows, mouth, number), loud) for number in range(SHUFFLES)]
    return Verdict(
        float(np.mean(near)),
        correlation(own, loud),
        correlation(own, filmed),
        float(np.mean(others)),
        correlation(filmed, loud),
        float(own.std() / max(filmed.std(), 1e-6)),
    )


def check(verdict: Verdict) -> None:
    """`EngineFailed` for an avatar that does not speak."""
    if not verdict.responds:
        raise EngineFailed(
            f"口型没有跟随声音：留出画面上的相关系数为 {verdict.voice:.2f}，换成无关声音时为 {verdict.shuffled:.2f}，"
            f"嘴部动作幅度为原片的 {verdict.amplitude:.0%}，"
            "模型未发布，检查点已保留。请使用正面、口型清晰、声音干净的视频，或增加训练轮数后重试。"
        )


def _shuffled(training: AvatarTraining, rows: NDArray[np.int64], mouth: Boxes, number: int) -> Curve:
    order = np.random.default_rng(number).permutation(rows)
    asked = zip(rows, _boxes(mouth), order, strict=True)
    return openings([_drawn(training, int(row), box, training.heard[other])[0] for row, box, other in asked])


def _drawn(training: AvatarTraining, row: int, box: torch.Tensor, *heard: torch.Tensor) -> tuple[Pictures, float]:
    """A training that is to stop does so while it is judged, too."""
    if training.should_stop():
        raise Cancelled("已取消")
    return training.drawn(row, box, *heard)


def _boxes(boxes: Boxes) -> list[torch.Tensor]:
    return [torch.from_numpy(each) for each in boxes]
