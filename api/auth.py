"""Who calls: the user of the bearer token. Everything a user makes belongs to `owner`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

from api.state import Here, State
from contracts.errors import Unauthenticated


@dataclass(frozen=True)
class Caller:
    user_id: int

    @property
    def owner(self) -> str:
        return f"user:{self.user_id}"


def caller_of(state: State, token: str) -> Caller:
    """The caller whose access token this is; an account that is gone has none."""
    user_id = state.tokens.read(token)
    if not state.accounts.exists(user_id):
        raise Unauthenticated("登录已失效，请重新登录。")
    return Caller(user_id)


def _signed_in(state: Here, authorization: Annotated[str, Header()] = "") -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("请先登录。")
    return caller_of(state, token.strip())


def _perhaps(state: Here, authorization: Annotated[str, Header()] = "") -> Caller | None:
    return _signed_in(state, authorization) if authorization else None


SignedIn = Annotated[Caller, Depends(_signed_in)]
Anyone = Annotated[Caller | None, Depends(_perhaps)]
