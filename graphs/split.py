"""Text into speakable pieces, Chinese and English mixed; joined, they give the text back."""

from collections.abc import AsyncIterator

from graphs.boundaries import LOOKBACK, Gap, Strength, cut, strength, wide

COLUMNS = 80  # 40 ideographs or 80 letters
LEAST = 16  # a comma nearer to the start than this gives way to a later space
UNBROKEN = {Strength.HARD: 120, Strength.NONE: 400}  # columns after which a run is cut with no boundary in it
GAP_COLUMNS = 8  # characters of a gap that count


def pieces(text: str) -> list[str]:
    """Cut at sentence ends, and long sentences at commas, then spaces; linear in the length of the text.

    `"".join(pieces(text)) == text`, always. Every piece has a letter, digit or ideograph, unless the text has none.
    Pieces take at most about 80 columns (an ideograph takes two), longer only where no boundary is to be had.
    """
    splitter = Splitter()
    return splitter.feed(text) + splitter.finish()


async def sentences(deltas: AsyncIterator[str], soon: bool = False) -> AsyncIterator[str]:
    """The pieces of a text that is still being written, each as soon as it is settled. Same pieces as `pieces`.

    `soon`: somebody waits for the first one, so it may end at a comma.
    """
    splitter = Splitter(soon)
    async for delta in deltas:
        for piece in splitter.feed(delta):
            yield piece
    for piece in splitter.finish():
        yield piece


def readable(text: str) -> bool:
    """Whether there is anything to say: a letter, a digit or an ideograph."""
    return any(map(str.isalnum, text))


class Splitter:
    """The state between two characters. A piece is settled once a character of the next is known."""

    def __init__(self, soon: bool = False) -> None:
        self.soon = soon  # the first piece is yet to come, and may end at a comma
        self.held: list[str] = []  # of the piece under way
        self.gap = 0  # where in `held` the gap begins: after the last spoken character; 0: nothing spoken yet
        self.width = 0  # columns of held[:gap]
        self.quoted = False
        self.places: dict[Strength, list[tuple[int, int]]] = {place: [] for place in Strength}  # (index, width)

    def feed(self, text: str) -> list[str]:
        """The pieces that the next characters settle."""
        settled: list[str] = []
        for character in text:
            if character.isalnum():
                settled += self._spoken(character)
            else:
                self.held.append(character)
        return settled

    def finish(self) -> list[str]:
        """The last piece, if there is any text in it."""
        last, self.held = "".join(self.held), []
        return [last] if last else []

    def _spoken(self, character: str) -> list[str]:
        settled: list[str] = []
        if self.gap:
            settled = self._bounded(character)
        self.width += 2 if wide(character) else 1
        self.held.append(character)
        self.gap = len(self.held)
        while at := self._overflow():
            settled.append(self._take(at))
        return settled

    def _bounded(self, after: str) -> list[str]:
        """Weigh the gap before a spoken character; a sentence's end settles its piece."""
        text = "".join(self.held[self.gap :])
        before = "".join(self.held[max(0, self.gap - LOOKBACK) : self.gap])
        place = strength(Gap(before, text, after, first=self._first()))
        offset, self.quoted = cut(text, self.quoted)
        self.width += sum(2 if wide(character) else 1 for character in text[:GAP_COLUMNS])
        index = self.gap + offset
        if place is Strength.END or (self.soon and place is Strength.CLAUSE and self.width >= LEAST):
            return [self._take((index, self.width))]
        self.places[place].append((index, self.width))
        return []

    def _first(self) -> bool:
        return self.gap <= 6 and "".join(self.held[: self.gap]).strip().isdigit()

    def _overflow(self) -> tuple[int, int] | None:
        """Where to cut a piece that has grown too long, if it has."""
        if self.width <= COLUMNS:
            return None
        clauses, spaces = self.places[Strength.CLAUSE], self.places[Strength.SPACE]
        if clauses and (clauses[-1][1] >= LEAST or not spaces):
            return clauses[-1]
        if spaces:
            return spaces[-1]
        for place, limit in UNBROKEN.items():
            if self.width > limit and self.places[place]:
                return self.places[place][-1]
        return None

    def _take(self, at: tuple[int, int]) -> str:
        index, width = at
        self.soon = False
        taken = "".join(self.held[:index])
        del self.held[:index]
        self.gap, self.width = max(0, self.gap - index), self.width - width
        for place, found in self.places.items():
            self.places[place] = [(i - index, w - width) for i, w in found if i > index]
        return taken
