"""Downloads: what a segment made, by segment or by relative path."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.auth import SignedIn
from api.files import file_response, zip_response
from api.state import Here
from api.story.work import check_own, look
from contracts.errors import InvalidInput, NotFound
from store.names import key_of

router = APIRouter(prefix="/api")


@router.get("/task/{task_id}/resource", response_class=Response)
def segment_resource(
    task_id: int,
    state: Here,
    caller: SignedIn,
    request: Request,
    segment: Annotated[int, Query(alias="segmentId")],
    name: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """One file as it is, several as a zip; with `name` that one."""
    result = look(state, caller, task_id).so_far.result_of(segment).result
    keys = [*result["resources"], *([result["subtitles"]] if "subtitles" in result else [])]
    if name is not None:
        keys = [key for key in keys if key.rpartition("/")[2] == name]
        if not keys:
            raise NotFound("文件不存在。", param="name")
    else:
        keys = result["resources"]
    if len(keys) == 1:
        return file_response(state.artifacts, state.artifacts.find(keys[0]), request)
    return zip_response(state.artifacts, keys, f"task_{task_id}_segment_{segment}.zip")


@router.get("/resource", response_class=Response)
def resource(url: Annotated[str, Query(max_length=512)], state: Here, caller: SignedIn, request: Request) -> Response:
    """A file of the caller's own tasks, by the path that notifications and lists give."""
    try:
        key = key_of(url)
    except InvalidInput:
        raise NotFound("文件不存在。") from None  # a path that leaves the store is like any other that is not there
    check_own(state, caller, key)
    return file_response(state.artifacts, state.artifacts.find(key), request)
