"""WAV: the label in a RIFF chunk `AIGC` behind the samples."""

from pathlib import Path

from store.labels import riff
from store.labels.chunks import content
from store.labels.label import KEY, LONGEST
from store.labels.refusal import damaged

FORM, KIND = b"WAVE", KEY.encode()


def embed(source: Path, target: Path, text: str) -> None:
    with source.open("rb") as file:
        chunks = riff.chunks(file, FORM)
        if not {b"fmt ", b"data"} <= {chunk.kind for chunk in chunks}:
            raise damaged()
        kept = [chunk for chunk in chunks if chunk.kind != KIND]
        riff.rewrite(file, target, FORM, [*kept, (KIND, text.encode())])


def extract(path: Path) -> str | None:
    with path.open("rb") as file:
        found = [chunk for chunk in riff.chunks(file, FORM) if chunk.kind == KIND]
        if len(found) != 1 or found[0].size > LONGEST:
            return None
        return content(file, found[0].start, found[0].size).rstrip(b"\0").decode("ascii", "replace")
