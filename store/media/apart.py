"""Sounds and films are decoded in a process of their own: what crashes, hangs or swells there ends there."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Any

from contracts.errors import InvalidInput, Overloaded, error_of
from contracts.media import Media

log = logging.getLogger("troupe.store")
ROOT = Path(__file__).parents[2]
MOST_S = 30.0  # then the process is killed
AT_ONCE, PATIENCE_S = 4, 60.0
_turns = BoundedSemaphore(AT_ONCE)


def check_streams(file: IO[bytes], param: str) -> Media:
    """A sound or a film that decodes; `file` has a descriptor, whose position is left alone."""
    if not _turns.acquire(timeout=PATIENCE_S):
        raise Overloaded("正在检查的文件过多，请稍后再试。", retry_after_s=5)
    try:
        answer = _asked(file)
    finally:
        _turns.release()
    if "code" in answer:
        raise error_of(answer["code"], answer["message"], param)
    if not answer:
        raise InvalidInput("文件无法解码。", param=param)
    return Media(**answer)


def _asked(file: IO[bytes]) -> dict[str, Any]:
    """What the process says; nothing when it came to grief."""
    file.flush()
    number = file.fileno()
    command = [sys.executable, "-m", "store.media.streams", str(number)]
    try:
        run = subprocess.run(  # noqa: S603
            command, pass_fds=[number], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=MOST_S
        )
    except subprocess.TimeoutExpired:
        log.warning("a file was not decoded within %d s", MOST_S)
        return {}
    if run.returncode:
        log.warning("decoding a file ended with status %d", run.returncode)
        return {}
    return json.loads(run.stdout)
