"""A loss for every place of a picture: each thing teaches the few places that tell it best, not one alone.

The detector proposes its boxes from these places. Matched one to one, as its decoder is (DETR), they learn too slowly
for a training of minutes; which places learn which thing follows TOOD (Feng et al. 2021, arXiv:2108.07755, §3.2).
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

TEACHES = 5  # places a thing
IOU_POWER = 4  # how much more the box counts than the class
REACH = 0.04  # of the picture: smaller things reach as far
FOCUS, ALPHA = 2.0, 0.75  # of the loss of places that show nothing (varifocal loss, arXiv:2008.13367)
WEIGHTS = (1.0, 5.0, 2.0)  # of class, box and overlap, as RT-DETR has them


def dense_loss(logits: Tensor, boxes: Tensor, labels: list[dict[str, Tensor]]) -> Tensor:
    """`logits` (batch, places, kinds), `boxes` (batch, places, 4): centre and size, 0–1, as those of `labels`."""
    total, count = logits.new_zeros(()), max(1, sum(len(each["boxes"]) for each in labels))
    for told, box, known in zip(logits, boxes, labels, strict=True):
        target = torch.zeros_like(told)
        if len(known["boxes"]):
            place, thing, worth = assigned(told.detach(), box.detach(), known)
            target[place, known["class_labels"][thing]] = worth
            wanted = known["boxes"][thing]
            total = total + WEIGHTS[1] * (l1_loss(box[place], wanted, reduction="none").sum(-1) * worth).sum()
            total = total + WEIGHTS[2] * ((1 - overlap(box[place], wanted)[1]) * worth).sum()
        weight = torch.where(target > 0, target, ALPHA * told.detach().sigmoid() ** FOCUS)
        told_loss = binary_cross_entropy_with_logits(told, target, weight=weight, reduction="sum")
        total = total + WEIGHTS[0] * told_loss
    return total / count / TEACHES


def assigned(logits: Tensor, boxes: Tensor, known: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Places, the thing that each learns, and how much it counts (0–1): (matches,) each."""
    wanted, centres = known["boxes"], boxes[:, :2]
    reach = (wanted[:, 2:] / 2).clamp(min=REACH)
    inside = ((centres[None] - wanted[:, None, :2]).abs() <= reach[:, None]).all(-1)  # (things, places)
    iou = overlap(wanted[:, None].expand(-1, len(boxes), -1), boxes[None].expand(len(wanted), -1, -1))[0]
    score = logits.sigmoid()[:, known["class_labels"]].T.sqrt() * (iou + 1e-3) ** IOU_POWER * inside + 1e-9 * iou
    best, places = score.topk(min(TEACHES, score.shape[1]), dim=1)
    chosen = torch.zeros_like(score).scatter_(1, places, best)
    thing = chosen.argmax(0)  # a place that several things want learns the one that it tells best
    place = chosen.amax(0).nonzero().flatten()
    thing = thing[place]
    worth = chosen[thing, place] / chosen.amax(1)[thing] * iou.amax(1)[thing].clamp(min=0.2)
    return place, thing, worth


def overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union, and the generalised one (arXiv:1902.09630), of boxes as centre and size: (…,) each."""
    low, high = one[..., :2] - one[..., 2:] / 2, one[..., :2] + one[..., 2:] / 2
    low2, high2 = other[..., :2] - other[..., 2:] / 2, other[..., :2] + other[..., 2:] / 2
    common = (torch.minimum(high, high2) - torch.maximum(low, low2)).clamp(min=0).prod(-1)
    union = one[..., 2:].prod(-1) + other[..., 2:].prod(-1) - common
    around = (torch.maximum(high, high2) - torch.minimum(low, low2)).prod(-1)
    iou = common / union.clamp(min=1e-9)
    return iou, iou - (around - union) / around.clamp(min=1e-9)
