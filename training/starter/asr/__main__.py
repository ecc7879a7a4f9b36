"""Rebuild the starter recogniser.   python -m training.starter.asr [--minutes 150] [--to FOLDER]

Makes the tokenizer and the speech, trains (or goes on where the folder's training stopped), converts the model,
evaluates it, and writes it with its card.
"""

from pathlib import Path

from training.starter.asr.evaluate import printed
from training.starter.asr.export import export
from training.starter.asr.train import arguments, config_of, run

if __name__ == "__main__":
    parser = arguments()
    parser.description = __doc__
    parser.add_argument("--to", type=Path, default=Path("catalog/starter/asr"))
    given = parser.parse_args()
    training = run(config_of(given))
    if training.progress.part(training.config) < 1:
        raise SystemExit("stopped before its end; the same command goes on")
    print(printed(export(training, given.to)))
