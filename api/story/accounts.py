"""Register, log in, and trade a refresh token for the next access token."""

import unicodedata
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from api.auth import check_key
from api.callers import scheme_of
from api.state import Here, State
from contracts.errors import Overloaded

router = APIRouter(prefix="/api")
COOKIE = "refresh_token"
LONGEST = 64


def _name(value: str) -> str:
    name = unicodedata.normalize("NFKC", value).strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise ValueError("用户名无效")
    return name


Name = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_name)]  # NFKC can make it longer


class Register(BaseModel):
    username: Name
    password: str = Field(min_length=6, max_length=256)


class Login(BaseModel):
    username: Name
    password: str = Field(min_length=1, max_length=256)


class User(BaseModel):
    id: int
    username: str


class Access(BaseModel):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105


@router.post("/register", dependencies=[Depends(check_key)])
def register(body: Register, state: Here) -> User:
    return User(id=state.accounts.register(body.username, body.password), username=body.username)


@router.post("/login")
def login(body: Login, state: Here, request: Request, response: Response) -> Access:
    guesses = ("login", body.username.casefold())  # no address: what a proxy is told of it can be made up
    if not state.rates.login.hit(*guesses):  # uncounted guesses are none: without the counter nobody logs in
        raise Overloaded("登录尝试过于频繁，请稍后再试。", retry_after_s=state.rates.login.wait_s(*guesses))
    user_id = state.accounts.check(body.username, body.password)
    state.rates.login.clear(*guesses)
    _remember(request, response, state, state.accounts.open_session(user_id))
    return Access(access_token=state.tokens.issue(user_id))


@router.post("/refresh")
def refresh(
    state: Here, request: Request, response: Response, refresh_token: Annotated[str, Cookie(max_length=256)] = ""
) -> Access:
    user_id, following = state.accounts.rotate(refresh_token)
    _remember(request, response, state, following)
    return Access(access_token=state.tokens.issue(user_id))


def _remember(request: Request, response: Response, state: State, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=state.settings.refresh_days * 86_400,
        path="/",
        secure=scheme_of(request) == "https",
        httponly=True,
        samesite="lax",
    )
