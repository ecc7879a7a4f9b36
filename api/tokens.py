"""Access tokens, and the cookies of those who have none: JWTs, signed by a key of this installation's own."""

import time
import uuid
from functools import cached_property

import jwt

from contracts.errors import Unauthenticated
from contracts.settings import Settings
from store.secrets import signing_key

ALGORITHM = "HS256"
ISSUER, ANONYMOUS = "troupe", "troupe-anonymous"


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _key(self) -> str:
        return signing_key(self.settings)

    def issue(self, user_id: int) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": str(user_id), "iat": now, "exp": now + self.settings.access_minutes * 60}
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> int:
        """The user's id. Expired, forged or another server's: `Unauthenticated`."""
        try:
            claims = jwt.decode(
                token, self._key, [ALGORITHM], issuer=ISSUER, options={"require": ["sub", "exp", "iss"]}
            )
            return int(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            raise Unauthenticated("登录已失效，请重新登录。") from None

    def issue_cookie(self) -> str:
        """A name for somebody who has no other, for as long as the cookie is kept."""
        return jwt.encode({"iss": ANONYMOUS, "sub": uuid.uuid4().hex}, self._key, ALGORITHM)

    def read_cookie(self, cookie: str) -> str:
        """The name in it; empty when it is not one of ours."""
        try:
            return str(
                jwt.decode(cookie, self._key, [ALGORITHM], issuer=ANONYMOUS, options={"require": ["sub"]})["sub"]
            )
        except jwt.InvalidTokenError:
            return ""
