"""How small models are guided: words of which they are to change none, as vLLM's logits are masked for them."""

import pytest
import torch

from deployments.chat.guiding import DOUBT, LONG, Guide, told

A, B, C, D, E = range(5)
SENTENCE = [2, *range(10, 11 + LONG)]


@pytest.mark.parametrize(("words", "written", "allowed"), [
    ([[2, A, B, C]], [], set()),
    ([[2, A, B, C]], [A], set()),  # everything is still open
    ([[2, A, B, C]], [A, B], {C}),
    ([[2, A, B, C]], [E, A, B], {C}),
    ([[2, A, B, C]], [A, B, C], set()),
    ([[2, A, B, C], [2, A, B, D]], [A, B], {C, D}),
    ([[2, A, B], [2, A, B, C]], [A, B], set()),  # one has ended, the other may go on
    ([[2, B, C, D], [2, A, B, C, E]], [A, B, C], {E}),  # of which more is written
    ([[2, A, A, B]], [A, A, A], {B}),
    ([SENTENCE], SENTENCE[1:4], {SENTENCE[4]}),
    ([SENTENCE], SENTENCE[1:] * 2, set()),
])  # fmt: skip
def test_what_is_begun_is_ended(words: list[list[int]], written: list[int], allowed: set[int]) -> None:
    assert Guide(words).next(written) == allowed


def test_a_sentence_is_said_once() -> None:
    guide = Guide([SENTENCE])
    assert guide.next(SENTENCE[1:]) == set() == guide.next([*SENTENCE[1:], *SENTENCE[1:4]])


def test_nothing_else_can_be_drawn() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    masked = Guide([[2, A, B, C]])([A, B], logits)
    assert masked.softmax(dim=0).tolist() == [0, 0, 1, 0, 0] and logits[E] == 4
    logits[C] = -torch.inf  # a schema does not allow it here
    assert Guide([[2, A, B, C]])([A, B], logits) is logits


def test_what_the_model_hardly_means_is_not_forced() -> None:
    """小鸭子 is a hero, and begins the topic 小鸭子学会分享. Where nothing is doubted, it is."""
    logits = torch.zeros(5)
    for more, forced in ((DOUBT - 0.1, True), (DOUBT + 0.1, False)):
        logits[E] = more
        assert torch.isfinite(Guide([[2, A, B, C]], DOUBT)([A, B], logits)[E]).item() is not forced
    assert torch.isinf(Guide([[2, A, B, C]])([A, B], logits)[E])


def test_a_word_is_begun_after_two_tokens_that_are_no_blanks() -> None:
    encode = lambda text: [ord(character) for character in text]  # noqa: E731
    assert [words[0] for words in told(["ab", "a b", "a", ""], encode)] == [2, 3, 1]
