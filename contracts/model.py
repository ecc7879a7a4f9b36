"""The base of everything that crosses a boundary: immutable, and closed to unknown fields."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Progress(Contract):
    """How far a long call has come: `fraction` is 0–1."""

    fraction: float
