"""The sound files that answers name: whoever has such a name, which nobody can guess, may hear it."""

from fastapi import APIRouter, Request, Response

from api.files import named_response
from api.state import Here
from contracts.tasks import AUDIO

router = APIRouter(prefix=f"/{AUDIO}")


@router.get("/{name}", response_class=Response)
def audio(name: str, state: Here, request: Request) -> Response:
    return named_response(state.artifacts, f"{AUDIO}/{name}", request)
