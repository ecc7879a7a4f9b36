"""Train the starter diffusion model.   python -m training.starter.diffusion.train --minutes 40 --threads 1

Draws the pictures, trains the autoencoder on them, makes their latents, trains the diffusion model on these. Running it
again on the same folder goes on where it stopped. SIGTERM and SIGINT write a checkpoint and end it. A longer
`--minutes` extends the run; one a little above what is done finishes it soon, with the low rates of the cosine's end.
"""

import argparse
from dataclasses import replace

from training.starter import command
from training.starter.diffusion import autoencoder
from training.starter.diffusion.latents import latents
from training.starter.diffusion.pictures import draw
from training.starter.diffusion.run import Config, Progress, Run
from training.starter.diffusion.tokenizer import kept

AUTOENCODER = "autoencoder"  # its folder, within that of the training


def arguments(description: str | None = __doc__) -> argparse.ArgumentParser:
    parser = command.arguments("starter-diffusion", Config, description)
    parser.add_argument("--pictures", type=int, default=Config.pictures, help=f"that are drawn ({Config.pictures})")
    minutes = autoencoder.Config.minutes
    parser.add_argument("--autoencoder-minutes", type=float, default=minutes, help=f"before the others ({minutes})")
    return parser


def run(given: argparse.Namespace) -> Run:
    """What the arguments ask for, as far as it came."""
    config = replace(command.config_of(given, Config), pictures=given.pictures)
    draw(config.folder, config.seed, config.pictures)
    first = autoencoder.Config(
        config.folder / AUTOENCODER, config.seed, given.autoencoder_minutes, config.steps, bf16=config.bf16
    )
    training = started(config, coded(first))
    command.see_through(training, command.printer(config, "pictures", _pictures, lambda at: f"named {at.named:.3f}"))
    return training


def coded(config: autoencoder.Config) -> autoencoder.Run:
    """The autoencoder, trained to its end."""
    training = autoencoder.Run(config)
    command.see_through(training, command.printer(config, "crops", lambda at: at.step * config.batch, lambda _: ""))
    if training.progress.part(config) < 1:
        raise SystemExit("stopped before its end; the same command goes on")
    return training


def started(config: Config, coding: autoencoder.Run) -> Run:
    """A run with all that it needs, as far as it came."""
    made = latents(config.folder, coding.model, config.pictures)
    return Run(config, kept(config.folder / "tokenizer"), coding, made)


def _pictures(at: Progress) -> int:
    return at.pictures


if __name__ == "__main__":
    run(arguments().parse_args())
