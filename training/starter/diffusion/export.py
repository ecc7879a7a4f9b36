"""Write a trained model as it is shipped.   python -m training.starter.diffusion.export --folder FOLDER --to FOLDER

A pipeline of diffusers in half precision, ten pictures, and a card with data, seed, losses, evaluation and SHA-256.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from deployments.registry import build
from training.starter import cards
from training.starter.diffusion import autoencoder, judge
from training.starter.diffusion.captions import JUDGED, Caption
from training.starter.diffusion.evaluate import arguments, evaluate, made, printed
from training.starter.diffusion.judge import Judge
from training.starter.diffusion.pictures import SIDE
from training.starter.diffusion.run import Config, Run
from training.starter.diffusion.train import AUTOENCODER, started

LARGEST_BYTES = 16_000_000  # of the whole folder
SOURCES = ("deployments/image/painter", "training/starter/diffusion")
PREVIEWS = (
    "一只小狐狸和一座城堡",
    "草地上有一只兔子和一顶帐篷",
    "雪地上，一只企鹅和一个雪人",
    "夜晚，女孩和火箭",
    "海边有一头大象和红色的小船",
    "a cat and a red car in the city",
    "a panda with an umbrella in the rain",
    "a lion next to a windmill at sunset",
    "a robot and a birthday cake",
    "an owl and a campfire in the forest at night",
)


def export(training: Run, to: Path, judge: Judge, scale: float = 1) -> dict[str, Any]:
    """Writes everything, and gives the evaluation; a folder of more than 16 MB is a `ValueError`."""
    to.mkdir(parents=True, exist_ok=True)
    pipeline(training).save_pretrained(to)
    previews(to).save(to / "previews.jpg", quality=88)
    report = evaluate(to, judge, scale=scale)
    (to / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (to / "README.md").write_text(card(training, report, to), encoding="utf-8")
    if (written := weight(to)) > LARGEST_BYTES:
        raise ValueError(f"{written} bytes, {LARGEST_BYTES} are allowed")
    return report


def pipeline(training: Run) -> Any:
    """A `StableDiffusionPipeline`: the averaged networks with the autoencoder, in half precision."""
    averaged: Any = training.model.average.module
    vae = training.coding.model
    vae.register_to_config(scaling_factor=training.scale)
    whole: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=averaged["text_encoder"],
        tokenizer=training.tokenizer,
        unet=averaged["unet"],
        scheduler=training.model.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return whole.to(dtype=torch.float16)


def previews(folder: Path) -> Image.Image:
    """Ten pictures of what is shipped, the first seed of each, in two rows."""
    engine = build("image", "diffusers", {"weights": str(folder)})
    engine.load()
    sheet = Image.new("RGB", (SIDE * len(PREVIEWS) // 2, SIDE * 2))
    for place, text in enumerate(PREVIEWS):
        row, column = divmod(place, len(PREVIEWS) // 2)
        sheet.paste(made(engine, Caption(text, (), 0), steps=25), (column * SIDE, row * SIDE))
    engine.close()
    return sheet


def card(training: Run, report: dict[str, Any], folder: Path) -> str:
    """The model card."""
    at, config, coding = training.progress, training.config, training.coding
    vae, networks = coding.model, dict(training.model.networks.items())
    parts = {
        "size": _millions(vae, *networks.values()),
        "vae": _millions(vae),
        "text": _millions(networks["text_encoder"]),
        "unet": _millions(networks["unet"]),
        "bytes": f"{weight(folder) / 1e6:.1f}",
        "channels": str(coding.config.latents),
        "width": str(coding.config.width),
        "widths": " and ".join(map(str, config.widths)),
        "vocabulary": str(len(training.tokenizer)),
        "drawn": str(len(training.latents)),
        "things": ", ".join(JUDGED),
        "seed": str(config.seed),
        "coded": f"{coding.progress.step} steps, {coding.progress.elapsed_s / 60:.1f}",
        "error": f"{coding.progress.loss:.4f}",
        "steps": str(at.step),
        "pictures": str(at.pictures),
        "minutes": f"{at.elapsed_s / 60:.1f}",
        "threads": str(torch.get_num_threads()),
        "torch": version("torch"),
        "diffusers": version("diffusers"),
        "transformers": version("transformers"),
        "losses": ", ".join(f"{loss} and {named} ({step})" for step, loss, named in cards.spread(at.losses)),
        "source": cards.digest_of_sources(SOURCES),
        "prompts": "\n".join(f"{place}. {text}" for place, text in enumerate(PREVIEWS, 1)),
        "evaluation": printed(report),
        "by_thing": ", ".join(f"{name} {hits}" for name, hits in report["things"].items()),
        "hashes": cards.hashes(folder),
    }
    return cards.filled(Path(__file__).parent / "card.md", parts)


def _millions(*networks: torch.nn.Module) -> str:
    return f"{sum(weights.numel() for network in networks for weights in network.parameters()) / 1e6:.1f}"


def weight(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the training")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=Config.pictures)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    config = Config(given.folder, pictures=given.pictures)
    training = started(config, autoencoder.Run(autoencoder.Config(config.folder / AUTOENCODER)))
    print(printed(export(training, given.to, judge.trained(judge.Config(given.judge)), given.scale)))
