"""The results that answers name: whoever has such a name, which nobody can guess, may have the file."""

from fastapi import APIRouter, Request, Response

from api.files import named_response
from api.state import Here
from contracts.platform import OUTPUTS

router = APIRouter(prefix=f"/{OUTPUTS}")


@router.get("/{path:path}", response_class=Response)
def output(path: str, state: Here, request: Request) -> Response:
    return named_response(state.artifacts, f"{OUTPUTS}/{path}", request)
