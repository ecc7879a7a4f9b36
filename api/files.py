"""Artifacts as answers: one file, whole or a range of it; several as a zip that is made while it is sent."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO, cast
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.background import BackgroundTask

from contracts.artifacts import Artifact
from contracts.errors import InvalidInput, NotFound
from store.artifacts import Artifacts
from store.names import key_of

CHUNK = 256 * 1024
GENERATED = {"X-AIGC-Label": "1"}
ABSENT = "文件不存在。"


def file_response(files: Artifacts, artifact: Artifact, request: Request) -> Response:
    """A download; `Range` with one range is honoured (RFC 9110 §14), several are answered with the whole."""
    file, name = files.open(artifact.key), PurePosixPath(artifact.key).name
    size_bytes = file.seek(0, io.SEEK_END)  # of what was opened: it may have been replaced since it was found
    headers = GENERATED | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": attachment(name),
        "ETag": f'"{artifact.sha256[:32]}"',
    }
    wanted = request.headers.get("range") if fresh(request, headers["ETag"]) else None
    span = range_of(wanted, size_bytes)
    if span is None:
        span, status = range(size_bytes), 200
    elif not span:
        file.close()
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size_bytes}"})
    else:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size_bytes}"
        status = 206
    headers["Content-Length"] = str(len(span))
    return StreamingResponse(
        portion(file, span), status, headers, artifact.media_type, background=BackgroundTask(file.close)
    )


def named_response(files: Artifacts, path: str, request: Request, absent: str = ABSENT) -> Response:
    """The file of that path, for whoever has its name, which nobody can guess. No such path, or file: `NotFound`."""
    try:
        found = files.find(key_of(path))
    except (InvalidInput, NotFound):
        raise NotFound(absent) from None
    return file_response(files, found, request)


def fresh(request: Request, etag: str) -> bool:
    """False when the caller holds a range of another content."""
    return request.headers.get("if-range", etag) == etag


def range_of(header: str | None, size_bytes: int) -> range | None:
    """The bytes that are asked for; None: all of them; an empty range: none that there are."""
    unit, _, spec = (header or "").partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or "," in spec or not (first or last):
        return None
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (first, last) if part):
        return None
    if not first:
        return range(max(0, size_bytes - int(last)), size_bytes)
    stop = min(int(last) + 1, size_bytes) if last else size_bytes
    return None if last and int(last) < int(first) else range(int(first), stop)


def portion(file: IO[bytes], span: range) -> Iterator[bytes]:
    with file:
        file.seek(span.start)
        left = len(span)
        while left and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def zip_response(files: Artifacts, keys: Sequence[str], name: str) -> Response:
    """What is in it is compressed already, so it is stored as it is. A file that is missing is `NotFound`."""
    for key in keys:
        files.find(key)
    headers = GENERATED | {"Content-Disposition": attachment(name)}
    return StreamingResponse(zipped(files, keys), headers=headers, media_type="application/zip")


def zipped(files: Artifacts, keys: Sequence[str]) -> Iterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_STORED) as archive:  # it need not seek
        for key in keys:
            with archive.open(PurePosixPath(key).name, "w") as entry, files.open(key) as file:
                while chunk := file.read(CHUNK):
                    entry.write(chunk)
                    yield sink.taken()
    yield sink.taken()


class Sink:
    """What `zipfile` writes to: it holds the bytes until they are taken away."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()

    def write(self, data: bytes) -> int:
        return self._buffer.write(data)

    def flush(self) -> None:
        return None

    def taken(self) -> bytes:
        data, self._buffer = self._buffer.getvalue(), io.BytesIO()
        return data


def attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name)}" if not name.isascii() else f'attachment; filename="{name}"'
