"""Accounts: users, and the refresh tokens of their log-ins."""

import hashlib
import secrets
import threading
import uuid

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from contracts.errors import Conflict, Unauthenticated
from store.database import Database, now_ms
from store.tables import RefreshToken, User

_hasher = PasswordHasher()  # argon2id
_turns = threading.BoundedSemaphore(2)  # a hash takes 64 MiB: forty at once would take 2.5 GiB
_nobody = _hasher.hash(secrets.token_hex())  # verified when there is no such user, so that both take as long


class Accounts:
    """Blocking: hashing a password takes tens of milliseconds by design."""

    def __init__(self, database: Database, refresh_days: int) -> None:
        self.database, self.lifetime_ms = database, refresh_days * 86_400_000

    def register(self, name: str, password: str) -> int:
        """The new user's id. A name that is taken: `Conflict`."""
        with _turns:
            user = User(name=name, password_hash=_hasher.hash(password), created_ms=now_ms())
        try:
            with self.database.session() as session:
                session.add(user)
        except IntegrityError:
            raise Conflict("用户名已被注册。", param="username") from None
        return user.id

    def check(self, name: str, password: str) -> int:
        """The user's id. An unknown name and a wrong password fail alike."""
        with self.database.session() as session:
            user = session.scalar(select(User).where(User.name == name))
        try:
            with _turns:
                _hasher.verify(user.password_hash if user else _nobody, password)
        except VerificationError:
            user = None
        if user is None:
            raise Unauthenticated("用户名或密码错误。")
        return user.id

    def exists(self, user_id: int) -> bool:
        with self.database.session() as session:
            return session.get(User, user_id) is not None

    def open_session(self, user_id: int) -> str:
        """A refresh token that starts a new family."""
        with self.database.session() as session:
            return self._issue(session, user_id, uuid.uuid4().hex)

    def rotate(self, token: str) -> tuple[int, str]:
        """The user and the next token. A token is good for once: a second use ends its whole family."""
        spent = update(RefreshToken).where(RefreshToken.digest == _digest(token), RefreshToken.spent_ms.is_(None))
        with self.database.session() as session:
            fresh = session.execute(spent.values(spent_ms=now_ms())).rowcount == 1  # type: ignore[attr-defined]
            row = session.get(RefreshToken, _digest(token))
            if row is not None and fresh and row.expires_ms > now_ms():
                return row.user_id, self._issue(session, row.user_id, row.family)
            if row is not None:
                session.execute(delete(RefreshToken).where(RefreshToken.family == row.family))
        raise Unauthenticated("登录已失效，请重新登录。")

    def _issue(self, session: Session, user_id: int, family: str) -> str:
        token = secrets.token_urlsafe(32)
        expires_ms = now_ms() + self.lifetime_ms
        session.add(RefreshToken(digest=_digest(token), family=family, user_id=user_id, expires_ms=expires_ms))
        return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
