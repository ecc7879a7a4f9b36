"""OpenAI's API for chat, as far as its clients need it: https://platform.openai.com/docs/api-reference/chat."""

from api.family import STATUS, Family
from api.openai import completions, models
from api.openai.envelope import failed

FAMILY = Family(
    name="openai",
    prefixes=("",),
    routers=(models.router, completions.router),
    envelope=failed,
    status=STATUS | {"invalid_input": 400, "cancelled": 503},
)
