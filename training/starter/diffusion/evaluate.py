"""Let a model draw 200 unseen prompts, and a judge look.   python -m training.starter.diffusion.evaluate --model FOLDER

Through the platform's engine. The prompts name two things that training never named together. The judge is trained
apart (`judge`), on pictures of its own.
"""

import argparse
import io
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from contracts.image import ImageRequest, Picture
from deployments.image.engine import ImageEngine
from deployments.registry import build
from training.starter.diffusion import judge as judges
from training.starter.diffusion.captions import COUNTED, Caption, unseen
from training.starter.diffusion.judge import Judge
from training.starter.diffusion.pictures import SIDE, drawn

PROMPTS, COMPARED, CHANGED = 200, 60, 20  # for the main number; for guidance and negative prompts; for strength
STEPS, GUIDANCE = 15, 7.5  # the second is the platform's own
GUIDANCES, STRENGTHS = (1.0, 3.0), (0.3, 0.6, 0.9)
ROUGH = 32  # pixels a side, to compare two compositions
Draw = Callable[..., Image.Image]


def evaluate(folder: Path, judge: Judge, seed: int = 0, scale: float = 1) -> dict[str, Any]:
    """Shares of 0 to 1 and correlations; `scale`: a part of the prompts."""
    engine = build("image", "diffusers", {"weights": str(folder)})
    engine.load()
    asked = list(islice(unseen(seed), max(2, round(PROMPTS * scale))))
    compared = asked[: max(2, round(COMPARED * scale))]
    try:
        return {
            "pairs": _pairs(engine, judge, asked),
            "guidance": {
                str(guidance): _found(judge, compared, [made(engine, one, guidance=guidance) for one in compared])
                for guidance in (*GUIDANCES, GUIDANCE)
            },
            "negative": _negative(engine, judge, compared),
            "strength": _strength(engine, asked[: max(2, round(CHANGED * scale))]),
        }
    finally:
        engine.close()


def printed(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    pairs, negative = report["pairs"], report["negative"]
    rows = [
        ("both things", pairs["model"]["both"], pairs["painter"]["both"], pairs["chance"]["both"]),
        ("a thing", pairs["model"]["each"], pairs["painter"]["each"], pairs["chance"]["each"]),
    ]
    table = "\n".join(f"| {name} | " + " | ".join(f"{share:.0%}" for share in shares) + " |" for name, *shares in rows)
    guidance = ", ".join(f"{told['each']:.0%} at {number}" for number, told in report["guidance"].items())
    strength = ", ".join(f"{like:.2f} at {number}" for number, like in report["strength"].items())
    return "\n".join(
        [
            "| the judge finds | this model | the painter | another prompt's things in this model's pictures |",
            "|---|---|---|---|",
            table,
            "",
            f"{pairs['asked']} prompts, {STEPS} steps, guidance {GUIDANCE}, {pairs['seconds']:.1f} s a picture.",
            f"By guidance, a thing is found in {guidance} ({negative['asked']} prompts).",
            f"The second thing is found in {negative['without']:.0%}, and in {negative['with']:.0%} when the negative",
            f"prompt names it ({negative['asked']} prompts).",
            f"Correlation of a changed picture with its source: {strength} of strength.",
        ]
    )


def made(engine: ImageEngine, caption: Caption, picture: Path | None = None, **more: Any) -> Image.Image:
    """What the engine draws for a caption, or makes of a picture; `more`: other values of the request."""
    values = {"width": SIDE, "height": SIDE, "steps": STEPS, "guidance": GUIDANCE, "seed": caption.seed, **more}
    *_, last = engine.generate(ImageRequest(prompt=caption.text, **values), picture)
    if not isinstance(last, Picture):
        raise TypeError("the engine's last word is the picture")
    return Image.open(io.BytesIO(last.png)).convert("RGB")


def _pairs(engine: ImageEngine, judge: Judge, asked: list[Caption]) -> dict[str, Any]:
    started = time.process_time()
    drawings = [made(engine, one) for one in asked]
    spent_s = time.process_time() - started
    painted = [Image.fromarray(drawn(one)["pixels"]) for one in asked]
    return {
        "asked": len(asked),
        "model": _found(judge, asked, drawings),
        "painter": _found(judge, asked, painted),
        "chance": _found(judge, asked, drawings[1:] + drawings[:1]),
        "seconds": spent_s / len(asked),
        "things": _by_thing(judge, asked, drawings),
    }


def _found(judge: Judge, asked: Sequence[Caption], pictures: list[Image.Image]) -> dict[str, float]:
    """Shares of pictures with both named things, and of named things."""
    hits = [[name in seen for name in _named(one)] for one, seen in zip(asked, judge.found(pictures), strict=True)]
    return {"both": sum(map(all, hits)) / len(hits), "each": sum(map(sum, hits)) / sum(map(len, hits))}


def _by_thing(judge: Judge, asked: list[Caption], pictures: list[Image.Image]) -> dict[str, str]:
    counts: dict[str, list[bool]] = {}
    for one, seen in zip(asked, judge.found(pictures), strict=True):
        for name in _named(one):
            counts.setdefault(name, []).append(name in seen)
    return {name: f"{sum(hits)}/{len(hits)}" for name, hits in sorted(counts.items())}


def _named(caption: Caption) -> tuple[str, ...]:
    return caption.names[:2]


def _negative(engine: ImageEngine, judge: Judge, asked: list[Caption]) -> dict[str, Any]:
    """How often the second thing is found, and how often when the negative prompt names it."""

    def share(pictures: list[Image.Image]) -> float:
        return sum(_named(one)[1] in seen for one, seen in zip(asked, judge.found(pictures), strict=True)) / len(asked)

    without = [made(engine, one) for one in asked]
    against = [made(engine, one, negative_prompt=COUNTED[_named(one)[1]][2][0]) for one in asked]
    return {"asked": len(asked), "without": share(without), "with": share(against)}


def _strength(engine: ImageEngine, asked: list[Caption]) -> dict[str, float]:
    """Mean correlation of pixels between the painter's pictures and what other prompts make of them."""
    alike: dict[str, list[float]] = {str(strength): [] for strength in STRENGTHS}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "source.png"
        for one, other in zip(asked, asked[1:] + asked[:1], strict=True):
            source = Image.fromarray(drawn(one)["pixels"])
            source.save(path)
            for strength in STRENGTHS:
                changed = made(engine, other, path, strength=strength)
                alike[str(strength)].append(_alike(source, changed))
    return {strength: float(np.mean(values)) for strength, values in alike.items()}


def _alike(one: Image.Image, other: Image.Image) -> float:
    small = [np.asarray(image.resize((ROUGH, ROUGH), Image.Resampling.BOX)).ravel() for image in (one, other)]
    return float(np.corrcoef(*small)[0, 1])


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    folder = Path(tempfile.gettempdir()) / "starter-diffusion-judge"
    parser.add_argument("--judge", type=Path, default=folder, help=f"the judge's folder; trained if need be ({folder})")
    parser.add_argument("--scale", type=float, default=1, help="a part of the prompts")
    return parser


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a folder as `export` writes it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the full report is written")
    given = parser.parse_args()
    report = evaluate(given.model, judges.trained(judges.Config(given.judge)), given.seed, given.scale)
    print(printed(report))
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
