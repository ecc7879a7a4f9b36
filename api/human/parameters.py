"""`custom_params` of a training: `k=v,k=v` or a JSON object; the names that are known, and their ranges."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.chinese import message_of
from contracts.errors import InvalidInput

PARAM = "custom_params"
Value = float | int | str | bool


class Parameters(BaseModel):
    """What of a training may be set. Unset: the recipe decides."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    lr: float | None = Field(None, gt=0, le=1, description="Learning rate.")
    batch_size: int | None = Field(None, ge=1, le=1_024)
    seed: int | None = Field(None, ge=0, lt=2**32)
    size: int | None = Field(None, ge=64, le=1_024, multiple_of=32, description="Width and height, pixels.")
    fp16: bool | None = None


def parse(text: str) -> dict[str, Value]:
    """Only what is known and in its range; else `InvalidInput`."""
    if not text.strip():
        return {}
    given = _object(text) if text.lstrip().startswith("{") else _pairs(text)
    try:
        return Parameters.model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(message_of(first), param=f"{PARAM}.{name}") from None


def _pairs(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in text.replace("，", ",").split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not (name and sign and value):
            raise InvalidInput("应为 k=v,k=v 或 JSON 对象。", param=PARAM)
        _add(given, name, value)
    return given


def _object(text: str) -> Mapping[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, value in pairs:
            _add(given, name, value)
        return given

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise InvalidInput("不是有效的 JSON 对象。", param=PARAM) from None


def _add(given: dict[str, Any], name: str, value: Any) -> None:
    if name in given:
        shown = name.encode("utf-8", "replace").decode()  # JSON may escape half a character, which no answer can hold
        raise InvalidInput("重复出现。", param=f"{PARAM}.{shown}")
    given[name] = value
