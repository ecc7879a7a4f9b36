"""The painter: an image engine that draws picture-book scenes as vectors, for machines without a GPU."""

from deployments.image.painter.painter import Painter

__all__ = ["Painter"]
