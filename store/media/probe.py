"""What a file is: sniffed, then decoded."""

from collections.abc import Collection
from typing import IO

import filetype  # type: ignore[import-untyped, unused-ignore]

from contracts.errors import InvalidInput, UnsupportedMedia
from contracts.media import WORDS, Kind, Media
from store.media.apart import check_streams
from store.media.pictures import check_picture

HEAD_BYTES = 8192
TS_PACKET = 188  # bytes, each packet opens with 0x47


def probe(file: IO[bytes], kinds: Collection[Kind], param: str = "file") -> Media:
    """Say what a file is, and refuse what is not of these kinds or does not decode.

    `file` lies on a disk (it has a descriptor) unless it is a picture; it is left at its start. Another kind:
    `UnsupportedMedia`; of a kind, but broken or empty: `InvalidInput`; too many pixels: `TooLarge`. `param` is the
    field that they name. It blocks, for a minute and a half at most: call it in a thread of
    a pool that nothing quick shares.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise InvalidInput("文件为空。", param=param)
    major = sniffed(head).partition("/")[0]
    if major == "image" and "image" in kinds:
        media = check_picture(file, param)
    elif major in ("audio", "video") and {"audio", "video"} & set(kinds):
        media = check_streams(file, param)
    else:
        raise _unwanted(kinds, param)
    if media.kind not in kinds:
        raise _unwanted(kinds, param, media.kind)
    file.seek(0)
    return media


def sniffed(head: bytes) -> str:
    """The media type that a file's first bytes speak of; empty when they do of none."""
    if guess := filetype.guess_mime(head):
        return str(guess)
    if head[4:8] == b"ftyp":  # brands that filetype does not list
        return "video/mp4"
    if head.startswith(b"caff"):
        return "audio/x-caf"
    if len(head) > TS_PACKET and all(byte == 0x47 for byte in head[: 4 * TS_PACKET : TS_PACKET]):
        return "video/mp2t"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG audio layer III, every version
        return "audio/mpeg"
    return ""


def _unwanted(kinds: Collection[Kind], param: str, found: Kind | None = None) -> UnsupportedMedia:
    wanted = "或".join(word for kind, word in WORDS.items() if kind in kinds)
    return UnsupportedMedia(
        f"应为{wanted}，收到的是{WORDS[found]}。" if found else f"不是可读的{wanted}文件。", param=param
    )
