"""Rebuild the starter language model.   python -m training.starter.lm [--minutes 75] [--to FOLDER]

Makes the tokenizer and the corpus, trains (or goes on where the folder's training stopped), evaluates, and writes the
model with its card.
"""

from pathlib import Path

from training.starter.lm.evaluate import printed
from training.starter.lm.export import export
from training.starter.lm.train import arguments, config_of, run

parser = arguments()
parser.description = __doc__
parser.add_argument("--to", type=Path, default=Path("catalog/starter/lm"))
given = parser.parse_args()
training = run(config_of(given))
if training.progress.part(training.config) < 1:
    raise SystemExit("stopped before its end; the same command goes on")
print(printed(export(training, given.to)))
