"""Where a parser's complaint about a file becomes ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import InvalidInput

DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE})


def damaged() -> InvalidInput:
    """The error for a file that is not what its media type says."""
    return InvalidInput("文件已损坏，或与其类型不符。")


@contextmanager
def refusing(*complaints: type[Exception]) -> Iterator[None]:
    """Turn `complaints` into `InvalidInput`; what the disk did wrong stays an `OSError`."""
    try:
        yield
    except complaints as error:
        cause = next((part for part in error.args if isinstance(part, OSError)), error)  # mutagen wraps OSErrors
        code = getattr(cause, "errno", None)
        if code in DISK:
            raise OSError(code, os.strerror(code)) from error
        raise damaged() from error
