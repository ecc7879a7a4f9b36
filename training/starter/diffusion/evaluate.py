"""Let a model draw 200 unseen prompts, and a judge look.   python -m training.starter.diffusion.evaluate --model FOLDER

Through the platform's engine. The prompts name two things that training never named together. The judge is trained
apart (`judge`), on pictures of its own.
"""

import argparse
import io
import json
import tempfile
import time
from collections.abc import Sequence
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


def evaluate(folder: Path, judge: Judge, seed: int = 0, scale: float = 1) -> dict[str, Any]:
    """Shares of 0 to 1 and correlations; `scale`: a part of the prompts."""
    asked = list(islice(unseen(seed), max(2, round(PROMPTS * scale))))
    compared = asked[: max(2, round(COMPARED * scale))]
    engine = build("image", "diffusers", {"weights": str(folder)})
    engine.load()
    try:
        started = time.process_time()
        drawings = [made(engine, one) for one in asked]
        spent_s = time.process_time() - started
        weaker = {number: [made(engine, one, guidance=number) for one in compared] for number in GUIDANCES}
        against = [made(engine, one, negative_prompt=COUNTED[named(one)[1]][2][0]) for one in compared]
        strength = _strength(engine, asked[: max(2, round(CHANGED * scale))])
    finally:
        engine.close()
    guided = {**weaker, GUIDANCE: drawings[: len(compared)]}
    return {
        "asked": len(asked),
        "compared": len(compared),
        "seconds": spent_s / len(asked),
        "model": _found(judge, asked, drawings),
        "painter": _found(judge, asked, [Image.fromarray(drawn(one)["pixels"]) for one in asked]),
        "chance": _found(judge, asked, drawings[1:] + drawings[:1]),
        "things": _by_thing(judge, asked, drawings),
        "guidance": {str(number): _found(judge, compared, pictures)["each"] for number, pictures in guided.items()},
        "negative": {
            "without": _found(judge, compared, drawings[: len(compared)])["second"],
            "with": _found(judge, compared, against)["second"],
        },
        "strength": strength,
    }


def printed(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    columns = [report[name] for name in ("model", "painter", "chance")]
    rows = [("both things", "both"), ("a thing", "each")]
    table = [f"| {name} | {' | '.join(f'{column[key]:.0%}' for column in columns)} |" for name, key in rows]
    guidance = ", ".join(f"{share:.0%} at {number}" for number, share in report["guidance"].items())
    strength = ", ".join(f"{like:.2f} at {number}" for number, like in report["strength"].items())
    negative, compared = report["negative"], report["compared"]
    lines = [
        "| the judge finds | this model | the painter | another prompt's things in this model's pictures |",
        "|---|---|---|---|",
        *table,
        "",
        f"{report['asked']} prompts, {STEPS} steps, guidance {GUIDANCE}, {report['seconds']:.1f} s of a core each.",
        f"By guidance, a thing is found in {guidance} ({compared} prompts). The second thing is found in",
        f"{negative['without']:.0%}, and in {negative['with']:.0%} when the negative prompt names it. Correlation of a",
        f"changed picture with its source: {strength} of strength.",
    ]
    return "\n".join(lines)


def made(engine: ImageEngine, caption: Caption, picture: Path | None = None, **more: Any) -> Image.Image:
    """What the engine draws for a caption, or makes of a picture; `more`: other values of the request."""
    values = {"width": SIDE, "height": SIDE, "steps": STEPS, "guidance": GUIDANCE, "seed": caption.seed, **more}
    *_, last = engine.generate(ImageRequest(prompt=caption.text, **values), picture)
    if not isinstance(last, Picture):
        raise TypeError("the engine's last word is the picture")
    return Image.open(io.BytesIO(last.png)).convert("RGB")


def named(caption: Caption) -> tuple[str, str]:
    """The two things of an unseen caption."""
    return caption.names[0], caption.names[1]


def _found(judge: Judge, asked: Sequence[Caption], pictures: list[Image.Image]) -> dict[str, float]:
    """Shares: pictures with both named things, named things, pictures with the second."""
    seen = judge.found(pictures)
    hits = np.array([[name in those for name in named(one)] for one, those in zip(asked, seen, strict=True)])
    return {"both": float(hits.all(1).mean()), "each": float(hits.mean()), "second": float(hits[:, 1].mean())}


def _by_thing(judge: Judge, asked: list[Caption], pictures: list[Image.Image]) -> dict[str, str]:
    counts: dict[str, list[bool]] = {}
    for one, seen in zip(asked, judge.found(pictures), strict=True):
        for name in named(one):
            counts.setdefault(name, []).append(name in seen)
    return {name: f"{sum(hits)}/{len(hits)}" for name, hits in sorted(counts.items())}


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
    return float(np.corrcoef(np.stack(small))[0, 1])


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
