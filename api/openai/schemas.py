"""JSON schemas that an answer is held to. Engines compile one before the first word, and some take hours of it."""

import json
from collections.abc import Iterable
from typing import Any

LARGEST = 65_536  # characters
DEEPEST, MOST = 64, 500  # objects and lists: in each other, and together
COUNTED = ("minProperties", "maxProperties")  # xgrammar 0.2.8: half a minute with 200 properties, hours with 1,000


def check(schema: dict[str, Any]) -> None:
    """`ValueError` for one that is too large, or that takes too long."""
    level: list[Any] = [schema]
    seen = 0
    for _ in range(DEEPEST):
        seen += len(level)
        if any(isinstance(node.get(word), int | float) for node in level if isinstance(node, dict) for word in COUNTED):
            raise ValueError("不支持 minProperties 与 maxProperties")
        level = [child for node in level for child in _parts(node) if isinstance(child, dict | list)]
    if level or seen > MOST or len(json.dumps(schema)) > LARGEST:
        raise ValueError("JSON Schema 过大")


def _parts(node: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node
