"""What of pictures is taken, wherever one is decoded."""

import struct
import zlib

from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000
BROKEN = (  # what Pillow raises at files that are
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
