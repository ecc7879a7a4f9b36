"""What an engine measures of a recording, kept beside it, so that another replica need not measure it again."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.speech.recording import Recording

Arrays = Mapping[str, NDArray[Any]]


def measured(recording: Recording, measure: Callable[[], Arrays]) -> Arrays:
    """What lies beside the recording if it is of this content, else what is measured now, which lies there then."""
    place = recording.path.with_name(f"{recording.path.name}.npz")
    if place.exists() and (found := read(place.read_bytes(), recording.sha256)):
        return found
    arrays = measure()
    place.write_bytes(written(arrays, recording.sha256))
    return arrays


def read(content: bytes, sha256: str) -> Arrays | None:
    """None when it is damaged or another recording's."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError):
        return None
    return arrays if str(arrays.pop("sha256", "")) == sha256 else None


def written(arrays: Arrays, sha256: str) -> bytes:
    file = io.BytesIO()
    kept: dict[str, Any] = {"sha256": np.array(sha256), **arrays}
    np.savez(file, **kept)
    return file.getvalue()
