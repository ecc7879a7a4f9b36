"""python -m training.starter.avatar: makes both, or one, about five processor minutes each."""

import argparse
import tempfile
from pathlib import Path

import torch

from contracts.catalog import CATALOG
from training.starter.avatar.build import build
from training.starter.avatar.people import SCENES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(SCENES))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "avatars", help="for what is kept")
    parser.add_argument("--to", type=Path, default=CATALOG / "starter" / "avatars")
    parser.add_argument("--threads", type=int, default=0, help="0: all; 1 when other work shares the cores")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    for model in SCENES:
        if given.only in (None, model):
            print(build(model, given.folder, given.to / model).model_dump_json(indent=1))


if __name__ == "__main__":
    main()
