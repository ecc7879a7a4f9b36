"""API keys, for administrators."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Admin
from api.state import Here
from store.keys import Role
from store.tables import ApiKey

router = APIRouter(prefix="/v1/keys")


class NewKey(BaseModel):
    name: str = Field(min_length=1, max_length=64)
    role: Role = "user"


class KeyAnswer(BaseModel):
    """Times are milliseconds since 1970, UTC."""

    id: str
    name: str
    role: Role
    created_ms: int


class CreatedKey(KeyAnswer):
    key: str = Field(description="Shown this once.")


class KeyList(BaseModel):
    data: list[KeyAnswer]


class Revoked(BaseModel):
    deleted: bool = True


@router.get("")
def list_keys(state: Here, caller: Admin) -> KeyList:
    """Oldest first."""
    return KeyList(data=[KeyAnswer(**_told(row)) for row in state.keys.all()])


@router.post("", status_code=201)
def create_key(body: NewKey, state: Here, caller: Admin) -> CreatedKey:
    row, key = state.keys.create(body.name, body.role)
    return CreatedKey(**_told(row), key=key)


@router.delete("/{key_id}")
def revoke_key(key_id: str, state: Here, caller: Admin) -> Revoked:
    """From now on nobody calls with it; what was made with it stays."""
    state.keys.revoke(key_id)
    return Revoked()


def _told(row: ApiKey) -> dict[str, object]:
    return {name: getattr(row, name) for name in KeyAnswer.model_fields}
