"""Scripts: list, save, change."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from api.auth import Known
from api.door import rated
from api.live.envelope import Envelope, ok
from api.state import Here
from store.scripts import Scripts
from store.tables import ScriptRow

router = APIRouter(prefix="/api/scripts")


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("不能为空")
    return value


class NewScript(BaseModel):
    """With an `id` that script is changed, without one a new one is made."""

    id: Annotated[str, Field(max_length=32)] | int | None = None  # clients send back what they were given, or a number
    name: Annotated[str, AfterValidator(_named)] = Field(max_length=200)
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
@rated("status")
def save_script(body: NewScript, state: Here, caller: Known) -> Envelope[Script]:
    scripts, told = Scripts(state.database), (body.name, body.fragmentName, body.content)
    if body.id:
        return ok("脚本保存成功", _told(scripts.update(str(body.id), caller.owners, *told)))
    return ok("脚本保存成功", _told(scripts.create(caller.owner, *told)))


def _told(row: ScriptRow) -> Script:
    return Script(id=str(row.id), name=row.name, fragmentName=row.fragment_name, content=row.content)
