"""Write a trained model as it is shipped.   python -m training.starter.lm.export --folder /tmp/lm --to FOLDER

Weights, configurations, tokenizer and a model card with data, seed, losses, limits, evaluation and SHA-256.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from training.starter import cards
from training.starter.lm.answers import by_engine
from training.starter.lm.evaluate import evaluate, printed
from training.starter.lm.model import halved
from training.starter.lm.run import Config, Run
from training.starter.lm.tokenizer import CONTEXT
from training.starter.lm.train import kept_tokenizer

SOURCES = ("deployments/chat/scripted", "training/starter/lm", "contracts/prompts.py")  # what the corpus is made by


def export(training: Run, to: Path, scale: float = 1) -> dict[str, Any]:
    """Writes everything, and gives the evaluation; more than 16 MB of weights is a `ValueError`."""
    tokenizer = training.tokenizer
    to.mkdir(parents=True, exist_ok=True)
    halved(training.model, to)
    tokenizer.save_pretrained(to)
    GenerationConfig(
        do_sample=True,
        temperature=0.7,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    ).save_pretrained(to)
    with by_engine(to) as asked:  # what is shipped is what is judged
        report = evaluate(asked, scale=scale)
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
        "losses": ", ".join(f"{loss} ({step})" for step, loss in cards.spread(at.losses)),
        "source": cards.digest_of_sources(SOURCES),
        "evaluation": printed(report),
        "story": report["tasks"]["story"]["sample"],
        "copy": report["tasks"]["product"]["sample"],
        "hashes": cards.hashes(folder),
    }
    return cards.filled(Path(__file__).parent / "card.md", parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the training")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    print(printed(export(Run(Config(given.folder), kept_tokenizer(given.folder, Config.seed)), given.to)))
