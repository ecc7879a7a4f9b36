"""What callers bring, by its content: a name may say anything."""

from store.media.pictures import check_picture
from store.media.probe import probe

__all__ = ["check_picture", "probe"]
