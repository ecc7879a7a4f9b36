"""The results that answers name: whoever has such a name, which nobody can guess, may have the file."""

from fastapi import APIRouter, Request, Response

from api.files import file_response
from api.state import Here
from contracts.errors import InvalidInput, NotFound
from contracts.platform import OUTPUTS
from store.names import key_of

router = APIRouter(prefix=f"/{OUTPUTS}")


@router.get("/{path:path}", response_class=Response)
def output(path: str, state: Here, request: Request) -> Response:
    try:
        key = key_of(f"{OUTPUTS}/{path}")
    except InvalidInput:
        raise NotFound("文件不存在。") from None
    return file_response(state.artifacts, state.artifacts.find(key), request)
