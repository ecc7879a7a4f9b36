"""Half a minute of speech, cut into phrases that can be read as subtitles."""

from collections.abc import Iterator, Sequence

from contracts.transcription import Word

ENDS = tuple("。！？!?…")
PAUSE_S, LONGEST_S = 0.7, 8.0  # a silence that parts phrases; how long one may be


def phrases(words: Sequence[Word]) -> Iterator[list[Word]]:
    """All of the words, in order, as Whisper writes them: a blank before one belongs to it."""
    phrase: list[Word] = []
    for word in words:
        if phrase and _is_over(phrase, word):
            yield phrase
            phrase = []
        phrase.append(word)
    if phrase:
        yield phrase


def _is_over(phrase: Sequence[Word], following: Word) -> bool:
    last = phrase[-1]
    ended = last.text.endswith(ENDS) or (last.text.endswith(".") and following.text.startswith(" "))  # but not in 3.14
    paused = following.start_s - last.end_s >= PAUSE_S
    return ended or paused or following.end_s - phrase[0].start_s > LONGEST_S
