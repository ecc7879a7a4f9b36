"""Write a trained model as it is shipped.   python -m training.starter.lm.export --folder /tmp/lm --to FOLDER

Weights, configurations, tokenizer and a model card with data, seed, losses, limits, evaluation and SHA-256.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from contracts.settings import ROOT
from training.starter.lm.evaluate import by_model, evaluate, printed
from training.starter.lm.model import halved
from training.starter.lm.run import Config, Run
from training.starter.lm.tokenizer import CONTEXT
from training.starter.lm.train import kept_tokenizer

SOURCES = ("deployments/chat/scripted", "training/starter/lm", "contracts/prompts.py")  # what the corpus is made by


def export(training: Run, to: Path, scale: float = 1) -> dict[str, Any]:
    """Writes everything, and gives the evaluation; more than 16 MB of weights is a `ValueError`."""
    tokenizer = training.tokenizer
    rounded = training.model.bfloat16().float()  # what is shipped is what is judged
    report = evaluate(by_model(rounded, tokenizer), scale=scale)
    to.mkdir(parents=True, exist_ok=True)
    halved(training.model, to)
    tokenizer.save_pretrained(to)
    GenerationConfig(
        do_sample=True,
        temperature=0.7,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    ).save_pretrained(to)
    (to / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (to / "README.md").write_text(card(training, report, to), encoding="utf-8")
    return report


def card(training: Run, report: dict[str, Any], folder: Path) -> str:
    """The model card."""
    at, config = training.progress, training.config
    parts = {
        "size": f"{training.model.num_parameters() / 1e6:.1f}",
        "bytes": f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f}",
        "context": str(CONTEXT),
        "vocabulary": str(len(training.tokenizer)),
        "seed": str(config.seed),
        "steps": str(at.step),
        "tokens": f"{at.tokens / 1e6:.1f}",
        "minutes": f"{at.elapsed_s / 60:.0f}",
        "threads": str(torch.get_num_threads()),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "losses": ", ".join(f"{loss} ({step})" for step, loss in _spread(at.losses)),
        "source": digest_of_sources(),
        "evaluation": printed(report),
        "story": report["tasks"]["story"]["sample"],
        "copy": report["tasks"]["product"]["sample"],
        "hashes": "\n".join(f"| {name} | `{digest}` |" for name, digest in hashes(folder)),
    }
    text = (Path(__file__).parent / "card.md").read_text(encoding="utf-8")
    for name, value in parts.items():
        text = text.replace("{" + name + "}", value)
    return text


def digest_of_sources(sources: Sequence[str] = SOURCES) -> str:
    """SHA-256 over every file that the corpus is made by: the data set's identity."""
    whole = hashlib.sha256()
    for source in sources:
        path = ROOT / source
        files = [path] if path.is_file() else sorted([*path.rglob("*.py"), *path.rglob("*.txt"), *path.rglob("*.yaml")])
        for file in files:
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _spread(losses: tuple[tuple[int, float], ...], number: int = 12) -> list[tuple[int, float]]:
    """Some of the losses, the last among them."""
    return list(losses[:: -max(1, len(losses) // number)])[::-1]


def hashes(folder: Path) -> list[tuple[str, str]]:
    """Each file but the card, and its SHA-256."""
    kept = sorted(path for path in folder.iterdir() if path.name != "README.md" and path.is_file())
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in kept]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the training")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    print(printed(export(Run(Config(given.folder), kept_tokenizer(given.folder, Config.seed)), given.to)))
