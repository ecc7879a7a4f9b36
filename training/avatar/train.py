"""Train an avatar from a film.   python -m training.avatar.train --film me.mp4 --model SyncTalk --to avatar/

The same as `/model_training` does on the cluster: pre-flight, preparation, the stages, the gate, the bundle.
"""

import argparse
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from safetensors.torch import save as save_tensors

from contracts.avatar import EARS
from contracts.errors import Cancelled, EngineFailed
from contracts.platform import Figures
from deployments.avatar.bundle import WEIGHTS, Manifest
from deployments.avatar.ears import opened
from deployments.avatar.reel import Pictures
from training.avatar import likeness
from training.avatar.config import WHOLE_COURSE, AvatarConfig, config_of
from training.avatar.exporting import save
from training.avatar.fitting import AvatarTraining, Kept, Report, ShouldStop
from training.avatar.judging import check, judged
from training.avatar.preparation.landmarks import Face, finder
from training.avatar.preparation.prepare import prepared
from training.avatar.preparation.remarks import remarks

PREVIEW = "preview.jpg"  # the newest: the film beside what is drawn, on a frame that is not learnt
LEARNT = f"checkpoint-{WEIGHTS}"  # of one whose mouth does not follow: no avatar, but kept
LICENCE = "未声明"  # where its caller says nothing

Keep = Callable[[str, bytes], object]


class Asked(NamedTuple):
    """`cache`: folder for films that are made ready; `folder`: of the bundle."""

    config: AvatarConfig
    film: Path
    folder: Path
    cache: Path
    licence: str = ""
    consent: str = ""
    landmarks: bytes = b""
    expression: bytes = b""
    masks: Path | None = None
    device: str = "cpu"


def trained_avatar(
    asked: Asked, kept: Callable[[str], Kept], report: Report, should_stop: ShouldStop, keep: Keep
) -> Manifest:
    """The bundle is in its folder. `keep` gets previews, and the weights of one that did not learn to speak, which is
    `EngineFailed`; a film that will not do is `InvalidInput`."""
    ear, lpips = opened(asked.config.shape.ear, asked.device), likeness.opened(asked.device)
    find = _stoppable(finder(asked.device), should_stop)
    given = (asked.landmarks, asked.expression, asked.masks)
    footage, seen = prepared(asked.film, asked.config, find, asked.cache, *given)
    show = lambda step, picture: keep(PREVIEW, _jpeg(picture))  # noqa: E731
    training = AvatarTraining(asked.config, footage, kept, report, should_stop, show, asked.device, ear, lpips)
    training.metrics |= seen.figures()
    training.notes = remarks(seen)
    training.run()
    verdict = judged(training)
    training.metrics |= verdict._asdict()
    report(training.figures())
    try:
        check(verdict)
    except EngineFailed:
        keep(LEARNT, save_tensors({name: each.cpu() for name, each in training.field.state_dict().items()}))
        raise
    return save(training, verdict, asked.folder, asked.licence or LICENCE, asked.consent)


def _stoppable(find: Callable[[Pictures], list[Face]], should_stop: ShouldStop) -> Callable[[Pictures], list[Face]]:
    """Looking for faces takes most of the time before learning."""

    def found(picture: Pictures) -> list[Face]:
        if should_stop():
            raise Cancelled("已取消")
        return find(picture)

    return found


def _jpeg(picture: Pictures) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


class Folder:
    """Checkpoints of a command line: the newest, in a file."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path, self.fingerprint = folder / "checkpoint.pt", fingerprint

    def save(self, step: int, state: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save({"fingerprint": self.fingerprint, "step": step, **state}, part)
        part.replace(self.path)

    def newest(self) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        return dict(state) if state["fingerprint"] == self.fingerprint else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--model", choices=("SyncTalk", "ER-NeRF"), default="SyncTalk")
    parser.add_argument("--preset", help="another of the model's")
    parser.add_argument("--epochs", type=int, default=WHOLE_COURSE, help="hundredths of the preset's course")
    parser.add_argument("--steps", type=int, help="in place of epochs")
    parser.add_argument("--landmarks", type=Path, help="a .npy file of points, of every frame at 25 a second")
    parser.add_argument("--expression", type=Path, help="a .npy file of MediaPipe's 52 blendshapes, likewise")
    parser.add_argument("--masks", type=Path, help="a folder of a face parser's pictures: 0.png, 1.png …, likewise")
    parser.add_argument("--ear", choices=EARS, help="what tells of the sound; see `deployments.avatar.ears`")
    parser.add_argument("--licence", default=LICENCE)
    parser.add_argument("--consent", default="")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "avatar", help="checkpoints")
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parameters = {name: value for name in ("preset", "steps", "ear") if (value := getattr(given, name))}
    asked = Asked(
        config=config_of(given.model, given.epochs, parameters, small=device == "cpu"),
        film=given.film,
        folder=given.to,
        cache=given.work,
        licence=given.licence,
        consent=given.consent,
        landmarks=given.landmarks.read_bytes() if given.landmarks else b"",
        expression=given.expression.read_bytes() if given.expression else b"",
        masks=given.masks,
        device=device,
    )
    keep = lambda name, content: (given.work / name).write_bytes(content)  # noqa: E731
    manifest = trained_avatar(asked, lambda mark: Folder(given.work, mark), _print, lambda: False, keep)
    print(manifest.model_dump_json(indent=1))


def _print(figures: Figures) -> None:
    if figures.current_step == 1:
        print(*figures.notes, sep="\n", flush=True)
    if figures.current_step % 50 == 0:
        print(
            f"step {figures.current_step}/{figures.total_steps} loss {figures.loss:.5f} {figures.metrics}", flush=True
        )


if __name__ == "__main__":
    main()
