"""Which model answers: the one that was named, the default, or, where that is allowed, the default in its place."""

from collections.abc import Mapping, Sequence

from contracts.catalog import Capability, ModelSpec
from contracts.errors import InvalidInput, Unavailable

WORDS: dict[Capability, str] = {
    "chat": "语言",
    "image": "绘图",
    "speech": "语音",
    "video": "视频",
    "transcription": "语音识别",
    "classification": "图像分类",
    "detection": "目标检测",
    "face": "人脸识别",
}


class Models:
    """`served` runs on this cluster, the first of each capability is its default; `known` is the whole catalogue."""

    def __init__(self, served: Sequence[ModelSpec], known: Mapping[str, ModelSpec], fallback: bool) -> None:
        self.served, self.known, self.fallback = {spec.id: spec for spec in served}, known, fallback

    def resolve(
        self, capability: Capability, name: str | None, param: str = "model", *, clones: bool = False
    ) -> ModelSpec:
        """The model for a request. Unknown: invalid input; known but absent: unavailable.

        `clones`: it must speak in the voice of a recording. With fallback, the default that can do as much takes the
        place of an absent one.
        """
        if not name:
            return self.default(capability, clones=clones)
        known = self.known.get(name)
        if known is None or known.capability != capability:
            raise InvalidInput("没有这个模型。", param=param)
        if clones and not known.clones:
            raise InvalidInput("这个模型只能用自带的音色。", param=param)
        if name in self.served:
            return known
        if self.fallback:
            return self.default(capability, clones=known.clones)
        raise Unavailable(f"模型 {name} 不可用：{_remedy(known)}。", param=param)

    def default(self, capability: Capability, *, clones: bool = False) -> ModelSpec:
        """The first that is served; with `clones`, the first of those that speak in the voice of a recording."""
        for spec in self.served.values():
            if spec.capability == capability and spec.clones >= clones:
                return spec
        kind = ("可用给定音色的" if clones else "") + WORDS[capability]
        raise Unavailable(f"本集群没有启用{kind}模型。")


def _remedy(spec: ModelSpec) -> str:
    enable = "请在集群配置的 models 中启用它"
    return f"需要 {spec.needs}，并{enable}" if spec.needs else enable
