"""What the story routes take and give, field by field as documented."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

TOPIC, PROMPT = 2_000, 20_000  # characters


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("含有无效字符")
    return value.strip()


def _topic(value: str) -> str:
    if not value:
        raise ValueError("不能为空")
    return value


Text = Annotated[str, AfterValidator(_text)]
Topic = Annotated[Text, AfterValidator(_topic)]


class Segment(BaseModel):
    id: int
    name: str


class NewVideo(BaseModel):
    topic: Topic = Field(max_length=PROMPT)
    main_role: Text | None = Field(None, max_length=500)
    scene: Text | None = Field(None, max_length=500)


class NewTask(NewVideo):
    workflow_version: Literal["default", "story", "videogen"] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "NewTask":
        if self.workflow_version != "videogen" and len(self.topic) > TOPIC:
            raise ValueError(f"topic 最多 {TOPIC} 个字符")
        return self


class TaskId(BaseModel):
    task_id: int


class TaskIds(BaseModel):
    task_ids: list[int]


class Progress(BaseModel):
    current_segment: int
    status: Literal["pending", "running", "completed", "failed"]


class Accepted(BaseModel):
    accepted: bool = True
    celery_task_id: str | None
    message: str = "Execution queued"


class Deleted(BaseModel):
    deleted: bool = True


class Overrides(BaseModel):
    """What a videogen execution may change; all of it is optional."""

    prompt: Text | None = Field(None, max_length=PROMPT)
    model: str | None = Field(None, max_length=128)
    ratio: str | None = Field(None, pattern=r"^[0-9]{1,5}:[0-9]{1,5}$")
    prompt_image_path: str | None = Field(None, max_length=512)
    prompt_image_data_uri: str | None = None
    width: int | None = Field(None, ge=128, le=1920, multiple_of=2)
    height: int | None = Field(None, ge=128, le=1920, multiple_of=2)
    fps: int = Field(24, ge=1, le=60)
    duration: float = Field(5, ge=1, le=60, allow_inf_nan=False)
    use_mock: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height: as given, the other side by the ratio, else 1280 × 720."""
        across, up = (int(part) for part in (self.ratio or "1280:720").split(":"))
        width = self.width or (round(self.height * across / up / 2) * 2 if self.height else across)
        return width, self.height or round(width * up / across / 2) * 2

    @model_validator(mode="after")
    def _agree(self) -> "Overrides":
        if self.ratio and "0" in [part.strip("0") or "0" for part in self.ratio.split(":")]:
            raise ValueError("ratio 无效")
        width, height = self.size
        if not (128 <= width <= 1920 and 128 <= height <= 1920 and width % 2 == height % 2 == 0):
            raise ValueError("宽和高应为 128 到 1920 之间的偶数")
        across, up = (int(part) for part in (self.ratio or f"{width}:{height}").split(":"))
        if abs(width / height - across / up) > 0.02 * across / up:
            raise ValueError("ratio 与 width、height 不一致")
        return self
