"""Reading a label out of the tags of sound, by libav: linear in hostile files, and not what wrote them."""

from pathlib import Path

import av

from store.labels.label import KEY
from store.labels.refusal import refusing

COMPLAINTS = (av.FFmpegError, ValueError, LookupError, ArithmeticError)


def extract(path: Path, demuxer: str) -> str | None:
    """The `AIGC` tag of the file or, in Ogg, of its stream. The demuxer is forced: no playlist is ever followed."""
    with refusing(*COMPLAINTS), av.open(str(path.absolute()), format=demuxer, metadata_errors="replace") as container:
        tags = [container.metadata, *(stream.metadata for stream in container.streams)]
        return next((found[KEY] for found in tags if KEY in found), None)
