"""OpenAI's API, as far as its clients need it: https://platform.openai.com/docs/api-reference."""

from api.family import STATUS, Family
from api.openai import completions, images, models, speech, transcriptions
from api.openai.envelope import failed

FAMILY = Family(
    name="openai",
    prefixes=("",),
    routers=(models.router, completions.router, speech.router, transcriptions.router, images.router),
    envelope=failed,
    status=STATUS | {"invalid_input": 400, "cancelled": 503},
    claims="/v1/",  # its clients know more calls than we answer
)
