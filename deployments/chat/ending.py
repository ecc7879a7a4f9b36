"""Where an answer ends that comes in pieces: before the first of some strings."""

from collections.abc import Sequence


class Ending:
    """`met`: one of the strings has come; nothing more follows."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops, self.met, self._kept = stops, False, ""

    def feed(self, piece: str) -> str:
        """What is certain to belong to the answer; the beginning of a string that ends it is kept back."""
        if self.met:
            return ""
        text = self._kept + piece
        found = [place for place in map(text.find, self.stops) if place >= 0]
        if found:
            self.met, self._kept = True, ""
            return text[: min(found)]
        certain = len(text) - self._open(text)
        self._kept = text[certain:]
        return text[:certain]

    def rest(self) -> str:
        """What was kept back, once nothing more comes."""
        kept, self._kept = self._kept, ""
        return kept

    def _open(self, text: str) -> int:
        """How many characters at the end may be the beginning of a string that ends it."""
        longest = max((len(stop) for stop in self.stops), default=1) - 1
        sizes = range(min(longest, len(text)), 0, -1)
        return next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in self.stops)), 0)
