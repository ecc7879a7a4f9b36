"""The one way in which films are encoded: H.264 as every player takes it, BT.709."""

from fractions import Fraction

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

THREADS = 3  # of the encoder: one a core, and one that waits
PRESET, CRF = "veryfast", 21  # x264's: how hard it tries, and how much it may lose


def add_video(
    container: av.container.OutputContainer,
    size: tuple[int, int],
    fps: int,
    preset: str = PRESET,
    crf: int = CRF,
    more: str = "",
) -> av.VideoStream:
    """`size`: width and height, even. Frames are yuv420p, their `pts` their numbers. `more`: x264-params."""
    options = {"preset": preset, "crf": str(crf)} | ({"x264-params": more} if more else {})
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, fps)
    context.profile = "High"
    context.thread_count = THREADS
    context.gop_size = 4 * fps
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    return stream
