"""Datasets that callers bring: texts in UTF-8 or GBK, and zips of texts or of pictures. Blocking."""

import codecs
import re
from pathlib import PurePosixPath
from typing import IO

from contracts.errors import InvalidInput, UnsupportedMedia
from store.zips import SUFFIXES, extract

CHUNK = 1 << 20
TEXTS = (".jsonl", ".json", ".csv", ".txt")
ARCHIVE = ".zip"
FORMATS = (*TEXTS, ARCHIVE)
IN_ARCHIVES = (*TEXTS, *(suffix for suffix, content in SUFFIXES.items() if content == "image"))
MOST_FILES, MOST_BYTES = 20_000, 1 << 30  # of what is in a zip
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")  # in no text; neither encoding has them in a longer character


def check(file: IO[bytes], name: str, param: str) -> str:
    """The suffix that a dataset should have, once it has been read whole; `name` is its maker's.

    Neither a zip nor a text of a known kind: `UnsupportedMedia`; empty, broken or in another encoding: `InvalidInput`;
    a zip that unpacks to too much: `TooLarge`. What the rows say is for the training to check.
    """
    file.seek(0)
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix == ARCHIVE or file.read(4) == b"PK\x03\x04":
        extract(file, None, most_files=MOST_FILES, most_bytes=MOST_BYTES, suffixes=IN_ARCHIVES, param=param)
        return ARCHIVE
    if suffix not in TEXTS:
        raise UnsupportedMedia(f"应为 {'、'.join(FORMATS)} 文件。", param=param)
    if not any(_reads(file, encoding) for encoding in ("utf-8", "gbk")):
        raise InvalidInput("应为 UTF-8 或 GBK 编码的文本，且不能为空。", param=param)
    return suffix


def _reads(file: IO[bytes], encoding: str) -> bool:
    """Whether it is text in this encoding, and says something."""
    file.seek(0)
    decoder, says = codecs.getincrementaldecoder(encoding)(), False
    try:
        while chunk := file.read(CHUNK):
            if CONTROLS.search(chunk):
                return False
            says = not decoder.decode(chunk).isspace() or says
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return says
