"""Who calls: the bearer of a token or a key, else of a cookie of ours, else whoever is at an address."""

import asyncio
import hmac
from dataclasses import dataclass
from functools import cached_property

from starlette.requests import HTTPConnection

from api.tokens import Tokens
from contracts.errors import Unauthenticated
from contracts.settings import Settings
from store.keys import PREFIX, Keys, Role
from store.secrets import signing_key

COOKIE = "troupe_caller"


@dataclass(frozen=True)
class Caller:
    """What a caller makes belongs to `owner`.

    Who has a cookie may also see what was made at its address without one: a browser's first call has none yet.
    """

    owner: str
    role: Role = "user"
    address: str = ""  # of who shows neither token nor key
    cookie: str = ""  # to be set, as this caller has none

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose things it may see."""
        return tuple({self.owner: None, self.address or self.owner: None})


@dataclass(frozen=True)
class User(Caller):
    """An account of the story family."""

    user_id: int = 0


def user(user_id: int) -> User:
    return User(f"user:{user_id}", user_id=user_id)


class Callers:
    def __init__(self, settings: Settings, tokens: Tokens, keys: Keys) -> None:
        self.settings, self.tokens, self.keys = settings, tokens, keys

    @cached_property
    def _key(self) -> bytes:
        return signing_key(self.settings).encode()

    async def of(self, connection: HTTPConnection, token: str = "") -> Caller:
        """Whoever shows something that is not valid (any more) is refused, and not taken for somebody else.

        `token`: what it showed elsewhere than in its headers.
        """
        secret = token or secret_of(connection)
        if secret.startswith(PREFIX):
            return await asyncio.to_thread(self._bearer_of_key, secret)
        return user(self.tokens.read(secret)) if secret else self._anonymous(connection)

    def address(self, connection: HTTPConnection) -> str:
        """The owner that stands for an address, which nobody can read back from it."""
        digest = hmac.digest(self._key, self._client(connection).encode(), "sha256")
        return f"address:{digest.hex()[:32]}"

    def _bearer_of_key(self, secret: str) -> Caller:
        key = self.keys.find(secret)
        if key is None:
            raise Unauthenticated("密钥无效。")
        return Caller(f"key:{key.id}", key.role)

    def _anonymous(self, connection: HTTPConnection) -> Caller:
        address = self.address(connection)
        if name := self.tokens.read_cookie(connection.cookies.get(COOKIE, "")):
            return Caller(f"cookie:{name}", address=address)
        return Caller(address, address=address, cookie=self.tokens.issue_cookie())

    def _client(self, connection: HTTPConnection) -> str:
        """The address that the outermost proxy of the operator's saw; without one, the socket's."""
        forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")  # some proxies add a line
        hops = self.settings.forwarded_hops
        if 0 < hops <= len(forwarded):
            return forwarded[-hops].strip()
        return connection.client.host if connection.client else ""


def secret_of(connection: HTTPConnection) -> str:
    """The token or key that is shown; empty: none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else connection.headers.get("x-api-key", "").strip()


def scheme_of(connection: HTTPConnection) -> str:
    """Of the URL that the caller's browser knows; who lies here harms only itself."""
    told = connection.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return told if told in ("http", "https") else connection.url.scheme
