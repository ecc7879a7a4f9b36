"""The sound files that answers name: whoever has such a name, which nobody can guess, may hear it."""

from fastapi import APIRouter, Request, Response

from api.files import file_response
from api.state import Here
from contracts.errors import InvalidInput, NotFound
from contracts.tasks import AUDIO
from store.names import key_of

router = APIRouter(prefix=f"/{AUDIO}")


@router.get("/{name}", response_class=Response)
def audio(name: str, state: Here, request: Request) -> Response:
    try:
        key = key_of(f"{AUDIO}/{name}")
    except InvalidInput:
        raise NotFound("文件不存在。") from None
    return file_response(state.artifacts, state.artifacts.find(key), request)
