"""Write a trained recogniser as it is shipped.   python -m training.starter.asr.export --folder /tmp/asr --to FOLDER

CTranslate2's files with int8 weights, the tokenizer, and a model card with data, seed, losses, errors and SHA-256.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from ctranslate2.converters import TransformersConverter  # type: ignore[import-untyped, unused-ignore]
from transformers import WhisperFeatureExtractor

from training.starter import cards
from training.starter.asr.evaluate import evaluate, printed
from training.starter.asr.listen import HELD_OUT
from training.starter.asr.model import size
from training.starter.asr.run import Config, Run
from training.starter.asr.tokenizer import LANGUAGES, number
from training.starter.asr.train import started

LARGEST_BYTES = 10_000_000  # of the whole folder
SOURCES = ("deployments/chat/scripted", "training/starter/lm", "training/starter/asr", "contracts/prompts.py")


def export(training: Run, to: Path, scale: float = 1) -> dict[str, Any]:
    """Writes everything, and gives the evaluation; a folder of more than 10 MB is a `ValueError`."""
    converted(training, to)
    report = evaluate(to, scale=scale)
    (to / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (to / "README.md").write_text(card(training, report, to), encoding="utf-8")
    if (written := weight(to)) > LARGEST_BYTES:
        raise ValueError(f"{written} bytes, {LARGEST_BYTES} are allowed")
    return report


def converted(training: Run, to: Path) -> None:
    """What `ct2-transformers-converter --quantization int8_float16` makes of the model."""
    whisper, tokenizer = training.model.whisper, training.tokenizer
    generation = whisper.generation_config
    generation._from_model_config = False  # else `save_pretrained` refuses what follows
    known = [f"<|{code}|>" for code in LANGUAGES]
    generation.lang_to_id = {token: number(tokenizer, token) for token in known}  # type: ignore[attr-defined]
    generation.suppress_tokens, generation.begin_suppress_tokens = [], []
    with TemporaryDirectory() as source:
        tokenizer.save_pretrained(source)
        WhisperFeatureExtractor(feature_size=80).save_pretrained(source)
        whisper.save_pretrained(source)
        files = ["tokenizer.json", "preprocessor_config.json"]
        TransformersConverter(source, copy_files=files).convert(str(to), quantization="int8_float16", force=True)


def card(training: Run, report: dict[str, Any], folder: Path) -> str:
    """The model card."""
    at, config = training.progress, training.config
    parts = {
        "size": f"{size(training.model) / 1e6:.1f}",
        "bytes": f"{weight(folder) / 1e6:.1f}",
        "layers": " and ".join(map(str, config.layers)),
        "width": str(config.width),
        "vocabulary": str(len(training.tokenizer)),
        "seed": str(config.seed),
        "steps": str(at.step),
        "windows": str(at.windows),
        "hours": f"{at.sound_s / 3600:.1f}",
        "minutes": f"{at.elapsed_s / 60:.0f}",
        "threads": str(torch.get_num_threads()),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "ctranslate2": version("ctranslate2"),
        "losses": ", ".join(f"{loss} and {named} ({step})" for step, loss, named in cards.spread(at.losses)),
        "source": cards.digest_of_sources(SOURCES),
        "evaluation": printed(report),
        "worst": "\n".join(f"- {one['said']} → {one['heard']} ({one['voice']})" for one in _worst(report)),
        "hashes": cards.hashes(folder),
    }
    return cards.filled(Path(__file__).parent / "card.md", parts)


def weight(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _worst(report: dict[str, Any]) -> list[dict[str, str]]:
    return [one for language in LANGUAGES for one in report["kinds"][f"{language}, {HELD_OUT}"]["worst"][:3]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the training")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1, help="a part of the evaluation's sentences")
    given = parser.parse_args()
    print(printed(export(started(Config(given.folder)), given.to, given.scale)))
