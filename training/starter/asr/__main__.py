"""Rebuild the starter recogniser.   python -m training.starter.asr [--minutes 150] [--to FOLDER]

Makes the tokenizer and the speech, trains (or goes on where the folder's training stopped), converts the model,
evaluates it, and writes it with its card.
"""

from pathlib import Path

from training.starter.asr.evaluate import printed
from training.starter.asr.export import export
from training.starter.asr.train import arguments, run
from training.starter.command import rebuild

if __name__ == "__main__":
    rebuild(arguments(__doc__), Path("catalog/starter/asr"), run, lambda training, to: printed(export(training, to)))
