"""When files or tables cannot be kept: told in a few words that are worth another try, logged in full."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError

from contracts.errors import Unavailable
from contracts.faults import AWAY, FULL, SHUT, of_disk, of_name, refusal

log = logging.getLogger("troupe.store")
BUSY = "数据库繁忙，请稍后再试。"
SQLITE = {  # result codes, https://sqlite.org/rescode.html; the others are faults of the statement
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_READONLY: SHUT,
    sqlite3.SQLITE_CANTOPEN: SHUT,
    sqlite3.SQLITE_IOERR: AWAY,
    sqlite3.SQLITE_IOERR_SHMSIZE: FULL,
    sqlite3.SQLITE_FULL: FULL,
}
POSTGRES = {"53100": FULL, "25006": SHUT}  # SQLSTATE: disk_full, read_only_sql_transaction


@contextmanager
def told(otherwise: str = "") -> Iterator[None]:
    """`Unavailable` in place of an error of a disk, an object store or the database.

    Errors that are none of these pass; within `otherwise`, an `OSError` of any kind is told in these words.
    """
    try:
        yield
    except (OSError, BotoCoreError, ClientError, SQLAlchemyError) as error:
        found = of(error)
        if found is None and otherwise and not isinstance(error, SQLAlchemyError):
            found = of_name(error, otherwise) or refusal(otherwise)
        if found is None:
            raise
        log.warning("what keeps files and tables has failed: %s", error)
        raise found from error


def of(error: BaseException) -> Unavailable | None:
    """What to tell of an error; None when neither a disk nor a database is to blame."""
    if isinstance(error, SQLAlchemyError):
        words = _of_database(error)
        return refusal(words) if words else None
    return of_disk(error)


def _of_database(error: SQLAlchemyError) -> str:
    if isinstance(error, TimeoutError):
        return BUSY  # every connection is in use
    if not isinstance(error, DBAPIError):
        return ""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0)
        return SQLITE.get(code) or SQLITE.get(code & 0xFF, "")
    if words := POSTGRES.get(getattr(error.orig, "sqlstate", None) or ""):
        return words
    return BUSY if error.connection_invalidated or isinstance(error, OperationalError) else ""
