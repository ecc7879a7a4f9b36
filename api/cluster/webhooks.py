"""The secret by which the caller knows that a callback comes from here."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Named
from api.state import Here
from jobs.webhooks import secret_of
from store.secrets import signing_key

router = APIRouter(prefix="/v1/webhooks")


class Secret(BaseModel):
    secret: str


@router.get("/secret")
def get_secret(state: Here, caller: Named) -> Secret:
    """As Standard Webhooks' libraries take it; it stays the same as long as this installation's signing key does."""
    return Secret(secret=secret_of(signing_key(state.settings), caller.owner))
