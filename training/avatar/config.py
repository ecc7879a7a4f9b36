"""How an avatar is trained: presets of the two methods, full and small, that differ by these numbers alone."""

from typing import Any, Literal

from pydantic import Field, FiniteFloat, ValidationError

from contracts.errors import InvalidInput
from contracts.human import AvatarModel
from contracts.model import Contract
from deployments.avatar.shape import FieldShape

MOST_STEPS = 1_000_000  # of a stage
MOST_PIXELS_S = 512**2 * 120  # of a film, times seconds
WHOLE_COURSE = 100  # epochs, as the documents give where a caller does not: all of a preset's steps
Region = Literal["face", "lower"]


class Stage(Contract):
    """`patch`: side of the square of neighbouring rays that is compared with its edges; 0: rays that are scattered."""

    steps: int = Field(ge=1, le=MOST_STEPS)
    patch: int = Field(0, ge=0, le=128)


class AvatarConfig(Contract):
    """The same one gives the same weights of the same footage on one kind of machine."""

    preset: str
    model: AvatarModel
    shape: FieldShape
    size: int = Field(512, ge=48, le=1024, description="Pixels a side that the film is brought to.")
    longest_s: float = Field(60.0, ge=4, le=300, description="Of a longer film, its best part of so many seconds.")
    stages: tuple[Stage, ...]
    frames: int = Field(1, ge=1, le=16, description="Of each step.")
    rays: int = Field(16_384, ge=64, le=262_144, description="Of each step.")
    mouth: float = Field(0.5, ge=0, le=1, description="Part of the rays that looks at the mouth.")
    pixel_loss: Literal["mse", "l1"] = "mse"
    edges: float = Field(0.1, ge=0, description="Weight of edges beside colours where rays are neighbours.")
    lpips: float = Field(0.1, ge=0, description="Weight of LPIPS in their place, where there is one and room for it.")
    heard: Region = Field("face", description="Where the sound may move something without a price.")
    quiet: float = Field(
        1e-4, ge=0, description="That price: on how far sound reaches elsewhere, and expression the lower face."
    )
    clear: float = Field(1e-4, ge=0, description="Price of a ray that sees neither the head nor what is behind.")
    drawn: Region = Field("face", description="What of a frame is learnt, and drawn anew when the avatar speaks.")
    plane_rate: FiniteFloat = Field(1e-2, gt=0, le=1)
    net_rate: FiniteFloat = Field(1e-3, gt=0, le=1)
    last_rate: FiniteFloat = Field(0.1, gt=0, le=1, description="Of the rates, at the end.")
    average: FiniteFloat = Field(0.94, ge=0, lt=1, description="Of the weights' mean, what each hundredth step keeps.")
    louder_db: float = Field(3.0, ge=0, le=12, description="The sound is made so much louder or softer at random.")
    seed: int = Field(0, ge=0, lt=2**32)
    preview_steps: int = Field(5000, ge=1)
    save_steps: int = Field(5000, ge=1)

    @property
    def part_s(self) -> float:
        """Seconds of a film that are learnt: `longest_s`, or as many as are held in memory."""
        return min(self.longest_s, MOST_PIXELS_S / self.size**2)

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


SMALL_SHAPE = FieldShape(
    levels=5,
    coarsest=16,
    finest=96,
    hidden=32,
    geometry=16,
    audio=16,
    view_degree=2,
    grid=32,
    candidates=32,
    samples=10,
)
SMALL: dict[str, Any] = {
    "size": 256,
    "longest_s": 20.0,
    "frames": 4,
    "rays": 1024,
    "plane_rate": 3e-2,
    "net_rate": 1e-2,
    "mouth": 0.6,
    "average": 0.8,
    "drawn": "lower",
    "preview_steps": 500,
    "save_steps": 500,
}
SYNCTALK: dict[str, Any] = {"pixel_loss": "l1", "heard": "lower", "drawn": "lower"}
FEELING: dict[str, Any] = {"expression": 7, "gate": "linear"}
PRESETS = {
    config.preset: config
    for config in (
        AvatarConfig(
            preset="er_nerf",
            model="ER-NeRF",
            shape=FieldShape(),
            stages=(Stage(steps=100_000), Stage(steps=25_000, patch=32)),
        ),
        AvatarConfig(
            preset="synctalk",
            model="SyncTalk",
            shape=FieldShape(**FEELING),
            stages=(Stage(steps=60_000), Stage(steps=40_000, patch=64)),
            **SYNCTALK,
        ),
        AvatarConfig(
            preset="er_nerf_small",
            model="ER-NeRF",
            shape=SMALL_SHAPE,
            stages=(Stage(steps=2400), Stage(steps=600, patch=16)),
            **SMALL,
        ),
        AvatarConfig(
            preset="synctalk_small",
            model="SyncTalk",
            shape=SMALL_SHAPE.model_copy(update=FEELING),
            stages=(Stage(steps=1800), Stage(steps=1200, patch=16)),
            **SMALL | SYNCTALK,
        ),
    )
}
NAMES = {"ER-NeRF": "er_nerf", "SyncTalk": "synctalk"}
ALIASES = {  # upstreams' words
    "lr": "plane_rate",
    "learning_rate": "plane_rate",
    "batch_size": "frames",
    "iters": "steps",
    "num_rays": "rays",
    "asr_model": "ear",
}
SETTABLE = (
    *("plane_rate", "net_rate", "frames", "rays", "mouth", "seed"),
    *("size", "longest_s", "preview_steps", "save_steps", "ear"),
)
NOT_OURS = ("licence", "consent", "landmarks")  # of the footage: `training.avatar.footage`


def config_of(
    model: AvatarModel, epochs: int = WHOLE_COURSE, parameters: dict[str, Any] | None = None, small: bool = False
) -> AvatarConfig:
    """Of a task. `epochs`: hundredths of the preset's course, as far as `MOST_STEPS` go; `parameters`: `custom_params`,
    of which `preset` names another preset of the model and `steps` its length; `small`: where there is no GPU.
    `InvalidInput` names what is not known or not within its bounds."""
    given = {ALIASES.get(name, name): value for name, value in (parameters or {}).items() if name not in NOT_OURS}
    chosen = str(given.pop("preset", NAMES[model] + "_small" * small))
    config = PRESETS.get(chosen)
    if config is None or config.model != model:
        ours = "、".join(name for name, each in PRESETS.items() if each.model == model)
        raise InvalidInput(f"没有预设 {chosen!r}，可选：{ours}。", param="custom_params")
    longest = config.steps * MOST_STEPS / max(stage.steps for stage in config.stages)
    steps = given.pop("steps", min(config.steps * epochs / WHOLE_COURSE, longest))
    if unknown := sorted(given.keys() - set(SETTABLE)):
        known = "、".join((*ALIASES, *SETTABLE, "preset", "steps", *NOT_OURS))
        raise InvalidInput(f"不认识的训练参数 {unknown[0]!r}，可用：{known}。", param="custom_params")
    shape = config.shape.model_dump() | {"ear": given.pop("ear", config.shape.ear)}
    try:
        changed = given | {"shape": shape, "stages": _stages(config, float(steps))}
        return AvatarConfig.model_validate(config.model_dump() | changed)
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else "steps"
        raise InvalidInput(f"训练参数 {wrong} 的值不在允许的范围内。", param="custom_params") from error


def _stages(config: AvatarConfig, steps: float) -> list[dict[str, int]]:
    """The preset's, in the same proportion."""
    scale = steps / config.steps
    return [each.model_dump() | {"steps": max(1, round(each.steps * scale))} for each in config.stages]
