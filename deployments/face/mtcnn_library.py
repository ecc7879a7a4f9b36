"""facenet-pytorch's MTCNN, whose weights are in its wheel, where torchvision is and where it is not."""

import sys
import warnings
from types import ModuleType
from typing import Any

import cv2
import torch


def open_mtcnn(min_face: int, device: str) -> Any:
    """Zhang et al. 2016, arXiv:1604.02878; `detect(picture, landmarks=True)`. Smaller faces are left out."""
    try:
        import torchvision  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ImportError:
        added = _torchvision()
    else:
        added = {}
    sys.modules.update(added)
    try:
        with warnings.catch_warnings():  # it changes the filters of whoever imports it
            from facenet_pytorch.models.mtcnn import MTCNN
    finally:
        for name in added:  # others ask whether there is a torchvision
            del sys.modules[name]
    return MTCNN(min_face_size=min_face, keep_all=True, device=torch.device(device)).eval()


def _torchvision() -> dict[str, ModuleType]:
    """The one function of torchvision that detection calls, and the names that it imports besides."""
    modules = {
        name: ModuleType(name)
        for name in (
            "torchvision",
            "torchvision.transforms",
            "torchvision.transforms.functional",
            "torchvision.ops",
            "torchvision.ops.boxes",
        )
    }
    modules["torchvision"].transforms = modules["torchvision.transforms"]  # type: ignore[attr-defined]
    modules["torchvision.transforms"].functional = modules["torchvision.transforms.functional"]  # type: ignore[attr-defined]
    modules["torchvision.ops.boxes"].batched_nms = _batched_nms  # type: ignore[attr-defined]
    return modules


def _batched_nms(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float) -> torch.Tensor:
    """Of boxes that overlap by more than `threshold` the surest of each group, as indices, the surest first.

    `boxes`: (n, 4) as x1, y1, x2, y2; `scores`, `groups`: (n,).
    """
    sized = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1).double()
    kept = cv2.dnn.NMSBoxesBatched(sized.tolist(), scores.tolist(), groups.int().tolist(), 0.0, threshold)
    order = torch.as_tensor(kept, dtype=torch.long).flatten()
    return order[scores.cpu()[order].argsort(descending=True, stable=True)].to(boxes.device)
