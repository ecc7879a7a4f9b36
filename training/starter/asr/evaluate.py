"""Let a model hear what it never heard.   python -m training.starter.asr.evaluate --model FOLDER

Through the platform's engine and its settings: faster-whisper, beam of five, voice detection, language found out.
"""

import argparse
import json
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from contracts.transcription import Transcript
from deployments.transcription.whisper import Whisper
from training.starter.asr import rooms
from training.starter.asr.errors import character_error, edits, normal
from training.starter.asr.listen import KINDS, Clip, clips
from training.starter.asr.tokenizer import LANGUAGES
from training.starter.asr.voices import RATE_HZ

CLIPS, NOBODY = 100, 40  # of each kind and language; without speech
WORST = 8  # that the report shows


def evaluate(folder: Path, seed: int = 0, scale: float = 1) -> dict[str, Any]:
    """Character error, languages found and speed for each kind of clips, and what is heard where nobody speaks."""
    engine = Whisper(str(folder), device="cpu", threads=1)
    engine.load()
    try:
        kinds = {
            f"{language}, {kind}": _heard(
                engine, list(islice(clips(seed, language, kind), max(2, round(CLIPS * scale))))
            )
            for language in LANGUAGES
            for kind in KINDS
        }
        return {"kinds": kinds, "nobody": _silent(engine, seed, max(4, round(NOBODY * scale)))}
    finally:
        engine.close()


def printed(report: dict[str, Any]) -> str:
    """The report as a Markdown table."""
    lines = [
        "| | sentences | character error | word for word | language | real-time factor |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in report["kinds"].items():
        shares = (f"{row[key]:.1%}" for key in ("error", "exact", "language"))
        lines.append(f"| {name} | {row['sentences']} | {' | '.join(shares)} | {row['real_time']:.2f} |")
    nobody = report["nobody"]
    heard = f"Silence, noise and music, {nobody['clips']} clips: text in {len(nobody['heard'])}."
    return "\n".join([*lines, "", heard])


def _heard(engine: Whisper, said: list[Clip]) -> dict[str, Any]:
    started = time.process_time()
    told = [transcript(engine, clip.samples) for clip in said]
    spent_s = time.process_time() - started
    pairs = [(clip.text, one.text) for clip, one in zip(said, told, strict=True)]
    language = said[0].language
    wrong = [edits(normal(text, language), normal(heard, language)) for text, heard in pairs]
    worst = sorted(range(len(said)), key=lambda index: -wrong[index])[:WORST]
    return {
        "sentences": len(said),
        "error": character_error(pairs, language),
        "exact": sum(not number for number in wrong) / len(said),
        "language": sum(one.language == language for one in told) / len(said),
        "real_time": spent_s / (sum(len(clip.samples) for clip in said) / RATE_HZ),  # processor time on one thread
        "worst": [{"said": pairs[at][0], "heard": pairs[at][1], "voice": said[at].voice} for at in worst],
    }


def _silent(engine: Whisper, seed: int, number: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sounds = [rooms.nobody(round(rng.uniform(1, 15) * RATE_HZ), rng) for _ in range(number)]
    heard = [one.text for sound in sounds if (one := transcript(engine, sound)).text]
    return {"clips": number, "heard": heard}


def transcript(engine: Whisper, samples: np.ndarray) -> Transcript:
    """What the engine makes of (samples,) at 16 kHz."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        soundfile.write(path, samples, RATE_HZ)
        *_, last = engine.transcribe(path)
    if not isinstance(last, Transcript):
        raise TypeError("the engine's last word is the transcript")
    return last


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a folder as `export` writes it")
    parser.add_argument("--scale", type=float, default=1, help="a part of the 800 sentences")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the full report is written")
    given = parser.parse_args()
    report = evaluate(given.model, given.seed, given.scale)
    print(printed(report))
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
