"""Scripts: list, save, change."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Known
from api.live.envelope import Envelope, ok
from api.live.text import Said
from api.state import Here
from store.disk import check_room
from store.scripts import Scripts
from store.tables import ScriptRow

router = APIRouter(prefix="/api/scripts")


class NewScript(BaseModel):
    """With an `id` that script is changed, without one a new one is made."""

    id: Annotated[str, Field(max_length=32, coerce_numbers_to_str=True)] | None = None  # some clients make it a number
    name: Annotated[str, Field(max_length=200), Said]
    fragmentName: str = Field("", max_length=200)
    content: str = Field("", max_length=50_000)


class Script(BaseModel):
    id: str
    name: str
    fragmentName: str
    content: str


@router.get("")
def list_scripts(state: Here, caller: Known) -> Envelope[list[Script]]:
    """Oldest first."""
    return ok("获取脚本列表成功", [_told(row) for row in Scripts(state.database).all(caller.owners)])


@router.post("")
def save_script(body: NewScript, state: Here, caller: Known) -> Envelope[Script]:
    scripts, told = Scripts(state.database), (body.name, body.fragmentName, body.content)
    if body.id:
        return ok("脚本保存成功", _told(scripts.update(body.id, caller.owners, *told)))
    check_room(state.settings)
    return ok("脚本保存成功", _told(scripts.create(caller.owner, *told)))


def _told(row: ScriptRow) -> Script:
    return Script(id=str(row.id), name=row.name, fragmentName=row.fragment_name, content=row.content)
