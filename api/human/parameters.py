"""`custom_params` of a training: `k=v,k=v` or a JSON object; the names that are known, and their ranges."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.chinese import message_of
from contracts.avatar import EarName
from contracts.errors import InvalidInput
from contracts.human import AvatarModel

PARAM = "custom_params"
PREFIXES: dict[AvatarModel, str] = {"ER-NeRF": "er_nerf", "SyncTalk": "synctalk"}  # of presets
SAME = (("lr", "learning_rate"), ("steps", "iters"), ("rays", "num_rays"), ("ear", "asr_model"))
Value = float | int | str | bool


class Parameters(BaseModel):
    """What of a training may be set (`training.avatar.config`). Unset: the recipe decides."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    preset: Literal["er_nerf", "er_nerf_small", "synctalk", "synctalk_small"] | None = None
    lr: float | None = Field(None, gt=0, le=1, description="Learning rate of the planes.")
    learning_rate: float | None = Field(None, gt=0, le=1, description="The same.")
    net_rate: float | None = Field(None, gt=0, le=1, description="That of the networks.")
    batch_size: int | None = Field(None, ge=1, le=16, description="Frames of a step.")
    steps: int | None = Field(None, ge=1, le=1_000_000, description="In place of `epoch`.")
    iters: int | None = Field(None, ge=1, le=1_000_000, description="The same.")
    rays: int | None = Field(None, ge=64, le=262_144, description="Of a step.")
    num_rays: int | None = Field(None, ge=64, le=262_144, description="The same.")
    mouth: float | None = Field(None, ge=0, le=1, description="Part of the rays that looks at the mouth.")
    ear: EarName | None = Field(None, description="What tells of the sound: mel, or a network's features.")
    asr_model: EarName | None = Field(None, description="The same.")
    size: int | None = Field(None, ge=64, le=1_024, multiple_of=2, description="Pixels a side.")
    longest_s: float | None = Field(None, ge=4, le=300, description="Seconds: of a longer film, its best part.")
    seed: int | None = Field(None, ge=0, lt=2**32)
    preview_steps: int | None = Field(None, ge=10, le=1_000_000)
    save_steps: int | None = Field(None, ge=10, le=1_000_000)
    licence: str | None = Field(None, min_length=1, max_length=200, description="Of the film.")


def parse(text: str, model: AvatarModel) -> dict[str, Value]:
    """Only what is known and in its range; else `InvalidInput`."""
    if not text.strip():
        return {}
    given = _object(text) if text.lstrip().startswith("{") else _pairs(text)
    try:
        parameters = Parameters.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(message_of(first), param=f"{PARAM}.{name}") from None
    if parameters.preset and not parameters.preset.startswith(PREFIXES[model]):
        raise InvalidInput(f"不是 {model} 的预设。", param=f"{PARAM}.preset")
    wanted: dict[str, Value] = parameters.model_dump(exclude_none=True)
    for name, other in SAME:
        if name in wanted and other in wanted:
            raise InvalidInput(f"与 {name} 是同一个参数，请只填一个。", param=f"{PARAM}.{other}")
    return wanted


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
