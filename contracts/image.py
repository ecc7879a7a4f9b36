"""Pictures: what is asked and what comes back."""

from typing import Literal

from pydantic import Field

from contracts.model import Contract

SEEDS = 2**32
SIDE, LONGEST = 8, 2048  # pixels: sides are multiples of the one, up to the other unless a model's options say less
Scheduler = Literal["", "ddim", "pndm", "lms", "euler", "euler_a", "heun", "dpm++", "dpm++_sde", "unipc"]


class ImageRequest(Contract):
    prompt: str = Field(min_length=1, max_length=8_000)
    negative_prompt: str = ""
    width: int = Field(512, ge=64, le=2048)
    height: int = Field(512, ge=64, le=2048)
    steps: int = Field(25, ge=1, le=200)
    guidance: float = Field(7.5, ge=0, le=50)
    seed: int = Field(0, ge=0, lt=SEEDS)
    picture: str = Field("", description="Artifact key of a picture to change; empty: a new one is drawn.")
    strength: float = Field(0.8, ge=0, le=1, description="How far from that picture: 0 keeps it, 1 ignores it.")
    scheduler: Scheduler = Field("", description="How the steps are taken; empty: as the model comes.")
    lora: str = Field("", description="Id of one of the model's LoRA weights; empty: none.")
    lora_scale: float = Field(1.0, ge=0, le=2)
    fit: bool = Field(False, description="A size that the model cannot draw: one of about its proportions that it can.")


class Thing(Contract):
    """Something a picture is known to show."""

    label: str = Field(description="English noun, lower case.")
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2 in pixels.")


class Picture(Contract):
    png: bytes = Field(repr=False)
    width: int
    height: int
    things: list[Thing] = Field(default=[], description="Only engines that know what they drew fill this.")
