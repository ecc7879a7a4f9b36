"""Access tokens: short-lived JWTs, signed by a key of this installation's own."""

import time
from functools import cached_property

import jwt

from contracts.errors import Unauthenticated
from contracts.settings import Settings
from store.secrets import kept_secret

ALGORITHM = "HS256"
ISSUER = "troupe"


class Tokens:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _key(self) -> str:
        return self.settings.signing_key or kept_secret(self.settings.var / "keys" / "signing.key")

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
