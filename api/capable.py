"""Whether a model can make what is asked, told before there is a job; its engine has the same options."""

from contracts.catalog import ModelSpec
from contracts.errors import InvalidInput
from contracts.image import LONGEST, SIDE


def longest_side(model: ModelSpec) -> int:
    """Pixels; of pictures and films."""
    return int(model.options.get("longest", LONGEST)) // SIDE * SIDE


def check_picture(model: ModelSpec, width: int, height: int, lora: str) -> None:
    _check_size(model, width, height)
    if lora and lora not in model.options.get("loras", {}):
        raise InvalidInput("这个模型没有这个 LoRA。", param="lora")


def check_film(model: ModelSpec, width: int, height: int, duration_s: float, param: str) -> None:
    """`param`: what its length was asked with."""
    _check_size(model, width, height)
    longest_s = float(model.options.get("longest_s", duration_s))
    if duration_s > longest_s:
        raise InvalidInput(f"模型 {model.id} 生成的视频最长 {longest_s:g} 秒。", param=param)


def check_starts(model: ModelSpec, param: str) -> None:
    """Refuse to begin a film with a picture that the model cannot take."""
    if model.footage and "picture" not in model.footage:
        raise InvalidInput(f"模型 {model.id} 不能按图片生成视频。", param=param)


def _check_size(model: ModelSpec, width: int, height: int) -> None:
    for name, side in (("width", width), ("height", height)):
        if side > longest_side(model):
            raise InvalidInput(f"模型 {model.id} 的宽和高最大 {longest_side(model)}。", param=name)
