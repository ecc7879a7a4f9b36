"""Make the starter avatars: shot, taught, judged, written with their cards."""

import pickle
from pathlib import Path

from contracts.human import AvatarModel
from contracts.platform import Figures
from deployments.avatar.bundle import Manifest
from deployments.avatar.shape import FieldShape
from training.avatar.config import AvatarConfig, Stage, config_of
from training.avatar.exporting import save
from training.avatar.fitting import AvatarTraining
from training.avatar.judging import check, judged
from training.avatar.known import of_take
from training.avatar.synthetic import Take, shoot
from training.avatar.train import Folder
from training.starter.avatar.people import SCENES
from training.starter.cards import filled, hashes

CARD = Path(__file__).with_name("card.md")
LARGEST_BYTES = 3_000_000  # of each folder
FINER = {"finest": 192, "features": 2}  # than the small presets: this face is seen by everybody
COURSE = (Stage(steps=1800), Stage(steps=300, patch=16))


def config_for(model: AvatarModel) -> AvatarConfig:
    config = config_of(model, small=True)
    shape = FieldShape(**config.shape.model_dump() | FINER)
    return config.model_copy(update={"shape": shape, "stages": COURSE, "preview_steps": 250, "save_steps": 100})


def build(model: AvatarModel, work: Path, to: Path) -> Manifest:
    """Goes on where `work` has the take or a checkpoint. A folder that is too large is a `ValueError`."""
    footage = of_take(_take(model, work))
    training = AvatarTraining(config_for(model), footage, lambda mark: Folder(work / model, mark), _print)
    training.run()
    verdict = judged(training)
    print(verdict, flush=True)
    check(verdict)
    manifest = save(training, verdict, to, "Apache-2.0", "合成人物，不涉及真人。")
    (to / "README.md").write_text(_card(manifest, to), encoding="utf-8")
    if (written := sum(path.stat().st_size for path in to.iterdir())) > LARGEST_BYTES:
        raise ValueError(f"{written} bytes, {LARGEST_BYTES} are allowed")
    return manifest


def _take(model: AvatarModel, work: Path) -> Take:
    kept = work / model / "take.pickle"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(shoot(SCENES[model])))
    take: Take = pickle.loads(kept.read_bytes())  # noqa: S301 - written above
    return take


def _card(manifest: Manifest, folder: Path) -> str:
    parts = {name: f"{value:.2f}" for name, value in manifest.metrics.items()}
    parts |= {"model": manifest.model, "frames": str(manifest.frames), "steps": str(int(manifest.metrics["steps"]))}
    parts |= {"side": str(manifest.width), "preset": manifest.preset, "hashes": hashes(folder)}
    return filled(CARD, parts)


def _print(figures: Figures) -> None:
    if figures.current_step % 20 == 0:
        print(f"step {figures.current_step} loss {figures.loss:.5f} {figures.metrics}", flush=True)
