"""Who is seen: `model_name` and `model_param` of the forms, as an avatar and the model that draws it."""

from api.callers import Caller
from api.human.asked import avatar_model
from api.human.folders import MODELS, SHIPPED, find_folder
from api.human.paths import documented
from api.state import State
from contracts.errors import InvalidInput, NotFound
from contracts.human import Acted, AvatarModel
from contracts.platform import TRAINED

PARAM = "model_param"


def actor(state: State, caller: Caller, model_name: str, path: str) -> tuple[Acted, str]:
    """Who is seen, and what to tell of it. Empty: the one that ships. Any avatar model draws avatars of all types.

    Where no avatar model is served, nobody: a still portrait. A path that is none of an avatar is `NotFound`, or,
    where models may stand in for one another, the one that ships.
    """
    parts = documented(path, PARAM).split("/") if path.strip() else []
    model = _model(model_name, parts)
    if not state.engines.avatars:
        return Acted(model=model), ""
    draws = model if model in state.engines.avatars else next(iter(state.engines.avatars))
    name, note = _name(state, parts)
    folder = find_folder(state, caller, model, name, PARAM)
    return Acted(model=model, avatar=folder.key, avatar_model=draws), note


def _model(name: str, parts: list[str]) -> AvatarModel:
    """The type that a path is of goes with what is named."""
    of_path = parts[1] if parts[:1] == [TRAINED] and len(parts) > 1 else ""
    if of_path and of_path not in MODELS:
        raise InvalidInput(f"应为 {'、'.join(MODELS)} 的模型目录。", param=PARAM)
    model = avatar_model(name or of_path, "model_name")
    if of_path and of_path != model:
        raise InvalidInput(f"这是 {of_path} 的模型目录，与 model_name 不符。", param=PARAM)
    return model


def _name(state: State, parts: list[str]) -> tuple[str, str]:
    """Of the folder that a path names, or that takes its place."""
    if parts[:1] == [TRAINED] and len(parts) > 2:
        return parts[2], ""
    if parts and parts[:1] != [TRAINED]:
        if not state.models.fallback:
            raise NotFound("没有这个数字人模型，应为可用模型列表中的路径。", param=PARAM)
        return SHIPPED, "模型目录不存在，由内置数字人出演"
    return SHIPPED, ""
