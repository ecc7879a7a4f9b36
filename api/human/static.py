"""Files by their documented paths: results to whoever has their name, the caller's own to the caller."""

from fastapi import APIRouter, Request, Response

from api.auth import Known
from api.files import ABSENT, file_response, named_response
from api.human.paths import find
from api.state import Here
from contracts.errors import InvalidInput, NotFound
from contracts.human import RES_VIDEOS, RES_VOICES

router = APIRouter()
ABSENT_FILM = "视频文件不存在"


@router.get(f"/{RES_VIDEOS}/{{name:path}}", response_class=Response)
def film(name: str, state: Here, request: Request) -> Response:
    return named_response(state.artifacts, f"{RES_VIDEOS}/{name}", request, ABSENT_FILM)


@router.get("/video/{name:path}", response_class=Response)
def video(name: str, state: Here, request: Request) -> Response:
    return named_response(state.artifacts, f"{RES_VIDEOS}/{name}", request, ABSENT_FILM)


@router.get(f"/{RES_VOICES}/{{name:path}}", response_class=Response)
def voice(name: str, state: Here, request: Request) -> Response:
    return named_response(state.artifacts, f"{RES_VOICES}/{name}", request)


@router.get("/static/{path:path}", response_class=Response)
def static(path: str, state: Here, caller: Known, request: Request) -> Response:
    """What was brought is as it was, without a label of ours."""
    try:
        found = find(state, caller, f"static/{path}")
    except InvalidInput:
        raise NotFound(ABSENT) from None
    answer = file_response(state.artifacts, found, request)
    if not found.key.startswith((RES_VIDEOS, RES_VOICES)):
        del answer.headers["X-AIGC-Label"]
    return answer
