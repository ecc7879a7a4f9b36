"""What an error of a disk means to those who wait for a result."""

import errno

from contracts.errors import Unavailable

FULL = "存储空间不足，请清理磁盘后再试。"
SHUT = "存储目录不可写，请检查权限与挂载。"
AWAY = "存储暂不可用，请稍后再试。"
MENDED_S, BACK_S = 60.0, 5.0  # when to try again: once somebody has mended it; once it is back by itself
DISK = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: SHUT,
    errno.EACCES: SHUT,
    errno.EPERM: SHUT,
    errno.EIO: AWAY,
}
NAMES = {errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}


class Away(Unavailable):
    """What keeps files does not answer, and will by itself."""


def of_disk(error: BaseException) -> Unavailable | None:
    """What to tell of an `OSError`; None when it says nothing of a disk."""
    words = DISK.get(error.errno or 0) if isinstance(error, OSError) else None
    return refusal(words) if words else None


def of_name(error: BaseException, words: str) -> Unavailable | None:
    """What to tell when something stands where a file should be, which does not go away by itself; None otherwise."""
    is_one = isinstance(error, OSError) and error.errno in NAMES
    return Unavailable(words, retry_after_s=BACK_S) if is_one else None


def refusal(words: str) -> Unavailable:
    if words == AWAY:
        return Away(words, retry_after_s=BACK_S)
    return Unavailable(words, retry_after_s=MENDED_S if words in (FULL, SHUT) else BACK_S)
