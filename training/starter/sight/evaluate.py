"""Let the two models look at scenes that they never saw, through the platform's engines.

python -m training.starter.sight.evaluate --classifier FOLDER --detector FOLDER
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from contracts.image import Thing
from contracts.sight import Box, Detected
from deployments.boxes import area
from deployments.classification.transformers_engine import Transformers as Classifier
from deployments.detection.transformers_engine import Transformers as Detector
from training.starter.sight.crops import is_landscape, is_plain, subject
from training.starter.sight.labels import CLASSES, LANDSCAPE, kind_of
from training.starter.sight.scenes import FIGURES, Scene, scene

SEED = "held-out"
SCENES = 400
IOU = 0.5  # from which a box is the thing's
SMALL = 0.004  # of a scene: what is below it is told of apart


def classified(folder: Path, count: int = SCENES) -> dict[str, Any]:
    """How often the first answer is right, and one of five, for scenes of which all would say what they are about."""
    engine = Classifier(str(folder), device="cpu")
    engine.load()
    asked = [(each, label) for each in _scenes(count) if (label := about(each))]
    started = time.process_time()
    answers = [engine.classify([Image.fromarray(each.picture)])[0] for each, _ in asked]
    spent_s = time.process_time() - started
    rows = [(label, [told.label for told in answer]) for (_, label), answer in zip(asked, answers, strict=True)]
    wrong = Counter((label, told[0]) for label, told in rows if label != told[0])
    figures = [(label, told) for label, told in rows if label in FIGURES]
    return {
        "scenes": len(rows),
        "classes": len(CLASSES),
        "accuracy": _share(label == told[0] for label, told in rows),
        "figures": _share(label == told[0] for label, told in figures),
        "things": _share(label == told[0] for label, told in rows if label not in FIGURES),
        "of five": _share(label in told for label, told in rows),
        "f1_score": _macro_f1([(label, told[0]) for label, told in rows]),
        "picture_s": spent_s / len(rows),  # processor time, one picture after the other
        "mistaken": [[*pair, number] for pair, number in wrong.most_common(8)],
    }


def detected(folder: Path, count: int = SCENES, threshold: float = 0.5) -> dict[str, Any]:
    """Precision and recall of boxes, of each kind and of all."""
    engine = Detector(str(folder), threshold=threshold, device="cpu")
    engine.load()
    found, missed, wrong, small = Counter[str](), Counter[str](), Counter[str](), Counter[bool]()
    spent_s = 0.0
    for each in _scenes(count):
        started = time.process_time()
        [told] = engine.detect([Image.fromarray(each.picture)])
        spent_s += time.process_time() - started
        things = [(kind, thing) for thing in each.things if (kind := kind_of(thing.label))]
        seen = matched(told, things)
        for place, (kind, thing) in enumerate(things):
            (found if place in seen else missed)[kind] += 1
            if area(thing.box) < SMALL * each.picture.shape[0] ** 2:
                small[place in seen] += 1
        wrong.update(answer.label for answer in told)
        wrong.subtract(kind for place, (kind, _) in enumerate(things) if place in seen)
    kinds = {kind: _scores(found[kind], missed[kind], wrong[kind]) for kind in sorted(found | missed)}
    return {
        "scenes": count,
        "threshold": threshold,
        **_scores(found.total(), missed.total(), wrong.total()),
        "recall of small things": small[True] / max(1, small.total()),
        "picture_s": spent_s / count,
        "kinds": kinds,
    }


def about(scene: Scene) -> str:
    """What all would say that it is about; empty: they would not agree."""
    if is_landscape(scene):
        return LANDSCAPE
    thing = subject(scene)
    return thing.label if thing and is_plain(scene) else ""


def matched(told: Sequence[Detected], things: Sequence[tuple[str, Thing]]) -> set[int]:
    """Which things are found, each by one answer, the surest first."""
    seen: set[int] = set()
    for answer in told:
        near = {
            place: overlap(answer.bbox, thing.box)
            for place, (kind, thing) in enumerate(things)
            if kind == answer.label and place not in seen
        }
        if near and near[best := max(near, key=lambda place: near[place])] >= IOU:
            seen.add(best)
    return seen


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    x1, y1, x2, y2 = max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
    common = max(0.0, x2 - x1) * max(0.0, y2 - y1)
    return common / (area(one) + area(other) - common)


def of_classifier(report: dict[str, Any]) -> list[str]:
    """As lines of Markdown."""
    right = {name: f"{report[name]:.1%}" for name in ("accuracy", "figures", "things", "of five")}
    mistaken = ", ".join(f"{told} for {label} ({number})" for label, told, number in report["mistaken"])
    return [
        f"{report['scenes']} scenes of other seeds, each about one thing: the first answer is right in "
        f"**{right['accuracy']}** (animals and people {right['figures']}, things, landscapes {right['things']}), one "
        f"of five in {right['of five']}; macro F1 {report['f1_score']:.3f}. {report['picture_s'] * 1000:.0f} ms of one "
        "processor for a picture.",
        "",
        f"Taken wrongly most often: {mistaken}.",
    ]


def of_detector(report: dict[str, Any]) -> list[str]:
    """As lines of Markdown."""
    told = {name: f"{report[name]:.1%}" for name in ("precision", "recall", "recall of small things")}
    rows = sorted(report["kinds"].items(), key=lambda each: -each[1]["things"])
    return [
        f"{report['scenes']} scenes of other seeds with {report['things']} things; an answer counts from a confidence "
        f"of {report['threshold']}, and right when kind and box (IoU ≥ {IOU}) agree. **Precision {told['precision']}, "
        f"recall {told['recall']}** (of things below 0.4 % of the picture {told['recall of small things']}). "
        f"{report['picture_s'] * 1000:.0f} ms of one processor for a picture.",
        "",
        "| kind | things | precision | recall |",
        "|---|---|---|---|",
        *(f"| {name} | {row['things']} | {row['precision']:.1%} | {row['recall']:.1%} |" for name, row in rows),
    ]


def _scenes(count: int) -> Iterator[Scene]:
    return (scene(SEED, number) for number in range(count))


def _share(right: Iterator[bool]) -> float:
    told = list(right)
    return sum(told) / max(1, len(told))


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    right = Counter(label for label, told in pairs if label == told)
    there, said = Counter(label for label, _ in pairs), Counter(told for _, told in pairs)
    return sum(2 * right[label] / (there[label] + said[label]) for label in there) / len(there)


def _scores(found: int, missed: int, wrong: int) -> dict[str, Any]:
    return {
        "things": found + missed,
        "precision": found / max(1, found + wrong),
        "recall": found / max(1, found + missed),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--classifier", type=Path, default=Path("catalog/starter/classifier"))
    parser.add_argument("--detector", type=Path, default=Path("catalog/starter/detector"))
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--json", type=Path, help="where the full report is written")
    given = parser.parse_args()
    whole = {
        "classifier": classified(given.classifier, given.scenes),
        "detector": detected(given.detector, given.scenes),
    }
    print("\n".join([*of_classifier(whole["classifier"]), "", *of_detector(whole["detector"])]))
    if given.json:
        given.json.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
