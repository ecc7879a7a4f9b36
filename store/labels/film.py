"""MP4 and MOV: the label among the movie's tags (`moov.udta.meta`), by copying the packets into a new file."""

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from store.labels import boxes
from store.labels.label import KEY
from store.labels.refusal import damaged, refusing
from store.labels.tags import COMPLAINTS

# `faststart` alone drops a tag that the format does not know, without a word.
MUXING = {"movflags": "faststart+use_metadata_tags"}
BRANDS = frozenset({"major_brand", "minor_version", "compatible_brands"})  # of the file itself, not tags
KEPT = "surrogateescape"  # tags in other encodings keep their bytes
LONGEST, FINEST = 0x7FFF_FFFF, 20_000  # ticks; ticks a second
APPLE_HEVC = "hvc1"  # Apple's players refuse the muxer's own choice, hev1
COPIED = frozenset({"video", "audio", "subtitle"})


def embed(source: Path, target: Path, text: str, muxer: str) -> None:
    """Nothing is encoded again: packets, time stamps, languages and other tags stay.

    Data tracks and cover art are left out; a time code is made again from its tag.
    """
    boxes.extract(source)  # libav trusts a count in there
    with (
        refusing(*COMPLAINTS),
        av.open(str(source.absolute()), format="mov", metadata_errors=KEPT) as film,
        av.open(str(target.absolute()), "w", format=muxer, container_options=MUXING, metadata_errors=KEPT) as labelled,
    ):
        tags = {name: value for name, value in film.metadata.items() if name not in BRANDS}
        labelled.metadata.update(tags | {KEY: text})
        labelled.set_chapters(film.chapters())
        if not _copy(film, labelled):
            raise damaged()


def _copy(film: InputContainer, labelled: OutputContainer) -> int:
    """How many packets were copied."""
    streams = {stream.index: _twin(stream, labelled) for stream in film.streams if stream.type in COPIED}
    timed = any("timecode" in part.metadata for part in (film, *film.streams))
    since: dict[int, int] = {}
    count = 0
    for packet in film.demux([stream for stream in film.streams if stream.index in streams]):
        if packet.dts is None:  # the last of each stream is empty
            continue
        _check(packet, since.setdefault(packet.stream.index, packet.dts))
        if not timed:  # a time code is one step, as long as the film
            since[packet.stream.index] = packet.dts
        packet.stream = streams[packet.stream.index]
        labelled.mux(packet)
        count += 1
    return count


def _check(packet: "Packet[Any]", since: int) -> None:
    """Refuse time stamps that the muxer ends the process over: those that do not fit its tables."""
    pts, dts, duration = packet.pts, packet.dts, packet.duration
    if pts is None or dts is None or packet.time_base is None:
        raise damaged()
    longest = dts - since + abs(pts - dts) + (duration or 0)
    finest = max(1.0, float(FINEST * packet.time_base))  # the muxer refines a coarse time base
    if dts < since or (duration or 0) < 0 or longest * finest > LONGEST:
        raise damaged()


def _twin(stream: Stream, labelled: OutputContainer) -> Stream:
    """A stream for the packets of this one."""
    twin = labelled.add_stream_from_template(stream, opaque=True)
    twin.metadata.update(stream.metadata)
    twin.disposition = stream.disposition
    if stream.codec_context.codec_tag == APPLE_HEVC:
        twin.codec_context.codec_tag = APPLE_HEVC
    return twin
