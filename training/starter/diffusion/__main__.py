"""Rebuild the starter diffusion model.   python -m training.starter.diffusion [--minutes 40] [--to FOLDER]

Draws the pictures, trains the autoencoder, the diffusion model (or goes on where the folder's training stopped) and the
judge, evaluates, and writes the model with its card.
"""

from pathlib import Path

from training.starter.command import rebuild
from training.starter.diffusion import judge
from training.starter.diffusion.evaluate import printed
from training.starter.diffusion.export import export
from training.starter.diffusion.run import Run
from training.starter.diffusion.train import arguments, run


def _exported(training: Run, to: Path) -> str:
    return printed(export(training, to, judge.trained(judge.Config(training.config.folder / "judge"))))


if __name__ == "__main__":
    rebuild(arguments(__doc__), Path("catalog/starter/diffusion"), run, _exported)
