"""MP3, FLAC and Ogg: the label in the tags, by mutagen; other tags stay."""

import io
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mutagen import File, MutagenError, flac, id3, mp3
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis

from store.labels.label import KEY
from store.labels.refusal import damaged, refusing

FLAC: Any = flac.FLAC  # mutagen's classes have no types
MP3: Any = mp3.MP3
TXXX: Any = id3.TXXX
COMPLAINTS = (
    MutagenError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    struct.error,
    AssertionError,
)
OGG = [OggVorbis, OggOpus, OggFLAC, OggSpeex]
LARGEST_ID3_BYTES = 1 << 20  # mutagen's time grows with the square of it


def embed_mp3(source: Path, target: Path, text: str) -> None:
    """A user text frame; the ID3 version stays, ID3v2.2 becomes 2.4. No tag: a new one."""
    _edit(source, target, lambda file: _tag_mp3(file, text))


def embed_flac(source: Path, target: Path, text: str) -> None:
    _edit(source, target, lambda file: _comment(FLAC(file), file, text))


def embed_ogg(source: Path, target: Path, text: str) -> None:
    """Vorbis, Opus, Speex or FLAC in Ogg."""
    _edit(source, target, lambda file: _comment(File(file, options=OGG), file, text))


class _Bounded(io.BufferedRandom):
    """A file whose reads never reserve more than is left, whatever a header claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        here = self.tell()
        left = max(self.seek(0, io.SEEK_END) - here, 0)
        self.seek(here)
        return super().read(left if size is None or size < 0 else min(size, left))


def _edit(source: Path, target: Path, change: Callable[[_Bounded], None]) -> None:
    shutil.copyfile(source, target)
    with refusing(*COMPLAINTS), _Bounded(io.FileIO(target, "r+")) as file:
        change(file)


def _tag_mp3(file: _Bounded, text: str) -> None:
    head = file.read(10)
    if head[:3] == b"ID3" and int.from_bytes(head[6:8]) << 6 > LARGEST_ID3_BYTES:  # seven bits a byte: never too low
        raise damaged()
    file.seek(0)
    version = 3 if head[:4] == b"ID3\x03" else 4
    sound = MP3(file, translate=head[:4] not in (b"ID3\x03", b"ID3\x04"))
    if sound.tags is None:
        sound.add_tags()
    sound.tags.delall(f"TXXX:{KEY}")
    sound.tags.add(TXXX(encoding=0, desc=KEY, text=[text]))
    file.seek(0)
    sound.tags.save(file, v2_version=version)


def _comment(sound: Any, file: _Bounded, text: str) -> None:
    if sound is None:
        raise damaged()
    if sound.tags is None:
        sound.add_tags()
    sound.tags[KEY] = [text]
    file.seek(0)
    sound.save(file)
