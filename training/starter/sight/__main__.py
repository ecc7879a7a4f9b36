"""Rebuild the starter classifier and detector.   python -m training.starter.sight [--threads 1] [--to FOLDER]

Draws the scenes, trains both (or goes on where the folder's training stopped), evaluates them, and writes them with
their cards.
"""

import argparse
from pathlib import Path

from training.starter import command
from training.starter.sight import classifier, detector
from training.starter.sight.evaluate import SCENES, of_classifier, of_detector
from training.starter.sight.export import check_size, export_classifier, export_detector


def main() -> None:
    parser = command.arguments("starter-sight", classifier.Config, __doc__)
    parser.set_defaults(minutes=None)
    parser.add_argument("--to", type=Path, default=Path("catalog/starter"))
    parser.add_argument("--scenes", type=int, default=SCENES, help="that they are evaluated with")
    given = parser.parse_args()
    first = classifier.run(_part(given, "classifier", classifier.Config.minutes))
    second = detector.run(_part(given, "detector", detector.Config.minutes))
    for training in (first, second):
        if training.progress.part(training.config) < 1:
            raise SystemExit("stopped before its end; the same command goes on")
    told = [
        *of_classifier(export_classifier(first, given.to / "classifier", given.scenes)),
        "",
        *of_detector(export_detector(second, given.to / "detector", given.scenes)),
    ]
    check_size(given.to / "classifier", given.to / "detector")
    print("\n".join(told))


def _part(given: argparse.Namespace, name: str, minutes: float) -> argparse.Namespace:
    """The arguments of one of the two, with its own time unless one was given for each."""
    return argparse.Namespace(**vars(given) | {"folder": given.folder / name, "minutes": given.minutes or minutes})


if __name__ == "__main__":
    main()
