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
    "avatar": "数字人",
}


class Models:
    """`served` runs on this cluster, the first of each capability is its default; `known` is the whole catalogue.

    `commercial`: models whose licence forbids commercial use are refused, and are not recommended.
    """

    def __init__(
        self, served: Sequence[ModelSpec], known: Mapping[str, ModelSpec], fallback: bool, commercial: bool = False
    ) -> None:
        self.served, self.known = {spec.id: spec for spec in served}, known
        self.fallback, self.commercial = fallback, commercial

    def resolve(
        self,
        capability: Capability,
        name: str | None,
        param: str = "model",
        *,
        clones: bool = False,
        edits: bool = False,
    ) -> ModelSpec:
        """The model for a request. Unknown: invalid input; known but absent: unavailable.

        `clones`: it must speak in the voice of a recording; `edits`: draw from a picture. With fallback, the default
        that speaks as the absent one would, or draws what is asked, takes its place.
        """
        if not name:
            return self.default(capability, clones=clones, edits=edits)
        known = self.known.get(name)
        if known is None or known.capability != capability:
            raise InvalidInput("没有这个模型。", param=param)
        if clones and not known.clones:
            raise InvalidInput("这个模型只能用自带的音色。", param=param)
        if edits and not known.edits:
            raise InvalidInput("这个模型不能按图片绘图。", param=param)
        if name in self.served:
            return self.served[name]  # with the options that it runs with
        if self.fallback:
            return self.default(capability, clones=known.clones, edits=edits)
        raise Unavailable(f"模型 {name} 不可用：{self._remedy(known)}。", param=param)

    def default(self, capability: Capability, *, clones: bool = False, edits: bool = False) -> ModelSpec:
        """The first that is served of those that can do this; when there is none, the refusal names one that could."""

        def can(spec: ModelSpec) -> bool:
            return spec.capability == capability and spec.clones >= clones and spec.edits >= edits

        if served := next(filter(can, self.served.values()), None):
            return served
        kind = ("可用给定音色的" if clones else "可按图片绘图的" if edits else "") + WORDS[capability]
        could = next((spec for spec in self.known.values() if can(spec) and self.allowed(spec)), None)
        remedy = f"可用 {could.id}：{self._remedy(could)}。" if could else ""
        raise Unavailable(f"本集群没有启用{kind}模型。{remedy}")

    def allowed(self, spec: ModelSpec) -> bool:
        """Whether its licence lets it run here."""
        return spec.commercial or not self.commercial

    def _remedy(self, spec: ModelSpec) -> str:
        if not self.allowed(spec):
            return f"许可证 {spec.licence} 禁止商业使用，而本集群用于商业用途（TROUPE_COMMERCIAL）"
        enable = "请在集群配置的 models 中启用它"
        return f"需要 {spec.needs}，并{enable}" if spec.needs else enable
