"""Files by their documented paths: results to whoever has their name, the caller's own to the caller."""

from fastapi import APIRouter, Request, Response

from api.auth import Known
from api.files import file_response
from api.human.paths import find
from api.state import Here, State
from contracts.errors import InvalidInput, NotFound
from contracts.human import RES_VIDEOS, RES_VOICES
from store.names import key_of

router = APIRouter()
ABSENT, ABSENT_FILM = "文件不存在。", "视频文件不存在"


@router.get(f"/{RES_VIDEOS}/{{name:path}}", response_class=Response)
def film(name: str, state: Here, request: Request) -> Response:
    return _result(state, f"{RES_VIDEOS}/{name}", request, ABSENT_FILM)


@router.get("/video/{name:path}", response_class=Response)
def video(name: str, state: Here, request: Request) -> Response:
    return _result(state, f"{RES_VIDEOS}/{name}", request, ABSENT_FILM)


@router.get(f"/{RES_VOICES}/{{name:path}}", response_class=Response)
def voice(name: str, state: Here, request: Request) -> Response:
    return _result(state, f"{RES_VOICES}/{name}", request, ABSENT)


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


def _result(state: State, path: str, request: Request, absent: str) -> Response:
    try:
        found = state.artifacts.find(key_of(path))
    except (InvalidInput, NotFound):
        raise NotFound(absent) from None
    return file_response(state.artifacts, found, request)
