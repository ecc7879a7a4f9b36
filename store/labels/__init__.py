"""Labels of generated content: the implicit one in a file's metadata, and the visible mark on a picture."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from contracts.errors import InvalidInput, UnsupportedMedia
from store.labels import boxes, film, jpeg, png, sound, tags, text, wav, webp
from store.labels.label import KEY, Label
from store.labels.mark import mark_picture, stamp
from store.labels.refusal import damaged
from store.labels.sniff import sniff

__all__ = ["BY_HEADER", "KEY", "MEDIA", "Label", "mark_picture", "read", "sniff", "stamp", "write"]


class Format(NamedTuple):
    """How one kind of file carries a label."""

    embed: Callable[[Path, Path, str], None]  # from, to, label
    extract: Callable[[Path], str | None]


MP3 = Format(sound.embed_mp3, partial(tags.extract, demuxer="mp3"))
FLAC = Format(sound.embed_flac, partial(tags.extract, demuxer="flac"))
OGG = Format(sound.embed_ogg, partial(tags.extract, demuxer="ogg"))
WAV = Format(wav.embed, wav.extract)

MEDIA: dict[str, Format] = {
    "image/png": Format(png.embed, png.extract),
    "image/jpeg": Format(jpeg.embed, jpeg.extract),
    "image/webp": Format(webp.embed, webp.extract),
    "video/mp4": Format(partial(film.embed, muxer="mp4"), boxes.extract),
    "video/quicktime": Format(partial(film.embed, muxer="mov"), boxes.extract),
    "audio/mpeg": MP3,
    "audio/wav": WAV,
    "audio/x-wav": WAV,
    "audio/flac": FLAC,
    "audio/x-flac": FLAC,
    "audio/ogg": OGG,
    "audio/opus": OGG,
    "application/json": Format(text.embed_json, text.extract_json),
    "text/markdown": Format(text.embed_markdown, text.extract_markdown),
}

BY_HEADER = frozenset({"text/plain", "text/vtt", "application/x-subrip"})
"""No room for metadata: a cue or a line of ours would be shown. The response header `X-AIGC-Label: 1` labels these."""


def write(path: Path, media_type: str, label: Label) -> None:
    """Label a file in place, in one step; a label that it had is replaced.

    The file is replaced only after the label was read back. What is in `BY_HEADER` stays as it is. Damaged:
    `InvalidInput`; a type that cannot be labelled: `UnsupportedMedia`.
    """
    form = _format(media_type)
    if form is None:
        return
    with _beside(path) as labelled:
        form.embed(path, labelled, label.as_json())
        if form.extract(labelled) != label.as_json():
            raise damaged()
        shutil.copymode(path, labelled)
        os.replace(labelled, path)


def read(path: Path, media_type: str) -> Label | None:
    """The label of a file, whatever its name ends with; none, several or a malformed one: `None`."""
    form = _format(media_type)
    try:
        found = form.extract(path) if form else None
    except InvalidInput:
        return None
    return Label.from_json(found) if found else None


def _format(media_type: str) -> Format | None:
    """How this type is labelled; `None`: by the response header."""
    essence = media_type.partition(";")[0].strip().lower()
    if essence in BY_HEADER:
        return None
    if essence not in MEDIA:
        raise UnsupportedMedia(f"不支持标识 {essence} 文件。")
    return MEDIA[essence]


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """An empty file in the same folder, gone afterwards unless it was moved."""
    handle, name = tempfile.mkstemp(prefix=".label-", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
