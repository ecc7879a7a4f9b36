"""What a route asks of who calls: anybody, who shows a token or a key, an account, or an administrator."""

import asyncio
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.callers import Caller, User, user
from api.state import Here, State
from contracts.errors import Forbidden, Unauthenticated


def caller_of(state: State, token: str) -> User:
    """The user whose access token this is; an account that is gone has none."""
    return _existing(state, user(state.tokens.read(token)))


async def _known(state: Here, connection: HTTPConnection) -> Caller:
    """Whoever the door let in (`api.door`)."""
    connection.state.asked = True
    caller: Caller | Unauthenticated = connection.state.caller
    if isinstance(caller, Unauthenticated):
        raise caller
    return await admitted(state, caller)


async def admitted(state: State, caller: Caller) -> Caller:
    """Whoever was recognised, if it may call at all; else `Unauthenticated`."""
    if isinstance(caller, User):
        return await asyncio.to_thread(_existing, state, caller)
    if caller.address and state.settings.require_key:
        raise Unauthenticated("请提供 API 密钥。")
    return caller


async def check_key(state: Here, connection: HTTPConnection) -> None:
    """For what is open to everybody unless keys are required."""
    if state.settings.require_key:
        await _known(state, connection)


Known = Annotated[Caller, Depends(_known)]


async def _signed_in(caller: Known) -> User:
    if not isinstance(caller, User):
        raise Unauthenticated("请先登录。")
    return caller


async def _named(caller: Known) -> Caller:
    if caller.address:
        raise Unauthenticated("请先登录，或提供 API 密钥。")
    return caller


Named = Annotated[Caller, Depends(_named)]


async def _admin(caller: Named) -> Caller:
    if caller.role != "admin":
        raise Forbidden("需要管理员权限。")
    return caller


SignedIn = Annotated[User, Depends(_signed_in)]
Admin = Annotated[Caller, Depends(_admin)]


def _existing(state: State, caller: User) -> User:
    if not state.accounts.exists(caller.user_id):
        raise Unauthenticated("登录已失效，请重新登录。")
    return caller
