"""Rebuild the starter language model.   python -m training.starter.lm [--minutes 75] [--to FOLDER]

Makes the tokenizer and the corpus, trains (or goes on where the folder's training stopped), evaluates, and writes the
model with its card.
"""

from pathlib import Path

from training.starter.command import rebuild
from training.starter.lm.evaluate import printed
from training.starter.lm.export import export
from training.starter.lm.train import arguments, run

if __name__ == "__main__":
    rebuild(arguments(__doc__), Path("catalog/starter/lm"), run, lambda training, to: printed(export(training, to)))
