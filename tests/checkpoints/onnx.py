"""YuNet's and SFace's files as OpenCV takes them, small and with made-up weights: ONNX, written field by field.

The format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 (numbers of fields), protobuf's wire types 0 and 2.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64, INTS = 1, 7, 7  # a tensor's types; the type of an attribute
OPSET = 11
STRIDES = (8, 16, 32)
FOUND: dict[str, Sequence[float]] = {  # what YuNet tells of every place, here of a bright one
    "cls": [1],
    "obj": [1],
    "bbox": [0, 0, 1.4, 1.4],  # where its middle is, in strides; the logarithms of its sides in strides
    "kps": [-0.8, -0.6, 0.8, -0.6, 0, 0, -0.7, 0.9, 0.7, 0.9],  # eyes, nose, corners of the mouth
}


def build_yunet(folder: Path) -> None:
    """It sees faces, four strides wide, wherever a picture is bright."""
    nodes: list[bytes] = []
    weights: dict[str, NDArray[np.generic]] = {}
    for stride in STRIDES:
        for name, told in FOUND.items():
            size, bright = len(told), np.full((1, 3, stride, stride), 1 / (255 * 3 * stride**2), np.float32)
            kernel = np.array(told, np.float32).reshape(-1, 1, 1, 1) * bright
            weights |= {f"w_{name}_{stride}": kernel, f"shape_{size}": np.array([1, -1, size], np.int64)}
            grid, turned = f"grid_{name}_{stride}", f"turned_{name}_{stride}"
            conv = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
            nodes += [
                _node("Conv", ["input", f"w_{name}_{stride}"], grid, conv),
                _node("Transpose", [grid], turned, {"perm": [0, 2, 3, 1]}),
                _node("Reshape", [turned, f"shape_{size}"], f"{name}_{stride}", {}),
            ]
    outputs = [f"{name}_{stride}" for name in FOUND for stride in STRIDES]
    _write(folder / "face_detection_yunet_2023mar.onnx", nodes, weights, ("input", (1, 3, 32, 32)), outputs)


def build_sface(folder: Path) -> None:
    """A vector of 128 numbers that depend on every pixel, and say nothing."""
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((128, 3, 112, 112)).astype(np.float32) / 112
    nodes = [
        _node("Conv", ["data", "w"], "seen", {"kernel_shape": [112, 112], "strides": [112, 112]}),
        _node("Reshape", ["seen", "shape"], "fc1", {}),
    ]
    weights = {"w": kernel, "shape": np.array([1, 128], np.int64)}
    _write(folder / "face_recognition_sface_2021dec.onnx", nodes, weights, ("data", (1, 3, 112, 112)), ["fc1"])


def _write(
    path: Path,
    nodes: Sequence[bytes],
    weights: dict[str, NDArray[np.generic]],
    given: tuple[str, Sequence[int]],
    told: Sequence[str],
) -> None:
    graph = b"".join(_part(1, node) for node in nodes) + _part(2, b"made up")
    graph += b"".join(_part(5, _tensor(name, each)) for name, each in weights.items())
    graph += _part(11, _value(*given)) + b"".join(_part(12, _value(name, ())) for name in told)
    version = _part(8, _part(1, b"") + _number(2, OPSET))
    path.write_bytes(_number(1, 7) + _part(7, graph) + version)


def _node(kind: str, given: Sequence[str], told: str, attributes: dict[str, Sequence[int]]) -> bytes:
    node = b"".join(_part(1, name.encode()) for name in given) + _part(2, told.encode()) + _part(3, told.encode())
    node += _part(4, kind.encode())
    for name, numbers in attributes.items():
        listed = b"".join(_number(8, number) for number in numbers)
        node += _part(5, _part(1, name.encode()) + listed + _number(20, INTS))
    return node


def _tensor(name: str, values: NDArray[np.generic]) -> bytes:
    shape = b"".join(_number(1, size) for size in values.shape)
    kind = INT64 if values.dtype == np.int64 else FLOAT
    return shape + _number(2, kind) + _part(8, name.encode()) + _part(9, values.tobytes())


def _value(name: str, shape: Sequence[int]) -> bytes:
    sizes = b"".join(_part(1, _number(1, size)) for size in shape)
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, FLOAT) + _part(2, sizes)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value, out = value & 2**64 - 1, b""
    while value > 127:
        value, out = value >> 7, out + bytes([value & 127 | 128])
    return out + bytes([value])
