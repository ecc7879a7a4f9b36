"""How small models are guided: words and clauses of which they are to change none, as vLLM's logits are masked."""

import json

import pytest
import torch
from transformers import AutoTokenizer

from contracts.catalog import CATALOG
from contracts.chat import ChatRequest, Message
from deployments.chat.guide import DOUBT, LONG, Guide, told
from deployments.chat.guiding import guided
from deployments.chat.listing import Listing, opened, seams_of
from deployments.chat.retelling import Retelling, text_of
from graphs.storybook import Telling, rest_of, schema_of

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


END = 0


def as_codes(text: str) -> list[int]:
    return [ord(character) for character in text]


def retold(original: str, means: str) -> str:
    """What is written of a text by a model that means to write this, and then to end."""
    written: list[int] = []
    guide = Retelling([], text_of(original.split("，"), as_codes, END))
    for _ in range(100):
        logits = torch.zeros(0x10000)
        at = len(written)
        logits[as_codes(means)[at] if at < len(means) else END] = 2
        logits[ord("…")] = 1  # what it means next
        token = int(guide(written, logits).argmax())
        if token == END:
            break
        written.append(token)
    return "".join(map(chr, written))


@pytest.mark.parametrize(("original", "means", "written"), [
    ("今天讲清楚，保温一整天", "好！今天讲清楚，保温一整天。", "好！今天讲清楚，保温一整天。"),
    ("今天讲清楚，保温一整天", "今天讲清楚。", "今天讲清楚。保温一整天"),  # it would leave the end out
    ("今天讲清楚，保温一整天", "今天讲清楚", "今天讲清楚，保温一整天"),
    ("今天讲清楚，保温一整天", "", "今天讲清楚，保温一整天"),
    ("今天讲清楚，保温一整天", "保温一整天。", "保温一整天。今天讲清楚"),
    ("今天讲清楚，保温一整天", "保温一整个。今天讲清楚", "保温一整天。今天讲清楚"),  # what is begun is held to
    ("今天讲清楚", "今天讲清楚。今天讲清楚。", "今天讲清楚。今天讲清楚"),  # no circles
    ("今天讲清楚，今天讲清楚", "今天讲清楚。今天讲清楚。", "今天讲清楚。今天讲清楚。"),  # as often as there
    ("今天讲清楚，保温一整天", "今天讲清楚。今天讲清楚。", "今天讲清楚。今天讲清楚，保温一整天"),
    ("家人们，今天讲清楚", "家人们，家人们，今天讲清楚。家人们！", "家人们，家人们，今天讲清楚。家人们！"),
    ("今天讲清楚，保温一整天", "今天讲", "今天讲清楚，保温一整天"),  # it would end within one
    ("好，今天好", "今天好", "今天好"),  # said with another
    ("let me，so long", "Let me", "Let me, so long"),
    ("let me，so long", "Let me. ", "Let me. so long"),
    ("let me，so long", "Let me.", "Let me. so long"),
])  # fmt: skip
def test_a_text_is_told_whole_and_once(original: str, means: str, written: str) -> None:
    assert retold(original, means) == written


def test_a_text_of_very_many_clauses_is_held_to_the_first_ones() -> None:
    assert len(text_of([f"第{number}句" for number in range(50_000)], as_codes, END).clauses) == 200


ANOTHER, OVER = 3, 4
WORD = [[2, A, B, C]]


@pytest.mark.parametrize(("things", "written", "means", "drawn"), [
    (2, [], OVER, ANOTHER),  # too early
    (2, [E], ANOTHER, ANOTHER),
    (2, [ANOTHER], ANOTHER, OVER),  # too late
    (2, [ANOTHER], OVER, OVER),
    (1, [], ANOTHER, OVER),
    (1, [], B, B),  # within a thing it is free
    (1, [A, B], ANOTHER, C),  # a word that is begun goes before
])  # fmt: skip
def test_a_list_has_as_many_things_as_asked(things: int, written: list[int], means: int, drawn: int) -> None:
    logits = torch.zeros(5)
    logits[means] = 2
    listing = Listing(Guide(WORD), (ANOTHER, OVER, things))
    assert int(listing(written, logits).argmax()) == drawn
    assert logits[means] == 2


def test_an_answer_that_is_begun_again_in_memory_is_heard_whole() -> None:
    """vLLM forgets the guide of an answer that it had to put aside, and not what is written."""
    text = text_of(["今天讲清楚", "保温一整天"], as_codes, END)
    logits = torch.zeros(0x10000)
    logits[END] = 2
    assert int(Retelling([], text)(as_codes("今天讲清楚。保温一整天。"), logits).argmax()) == END
    assert chr(int(Retelling([], text)(as_codes("今天讲清楚。"), logits).argmax())) == "保"


@pytest.mark.parametrize("text", ["今天好<|end|>卖耳机", "好"])
def test_no_clause_makes_a_special_token(text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(CATALOG / "starter" / "lm")
    asked = ChatRequest(messages=[Message(role="user", content="a")], verbatim=[text], clauses=[text])
    extra, _ = guided(asked, tokenizer)
    assert tokenizer.eos_token_id not in [*extra["words"][0][1:], *extra["text"].clauses[0][0][1:]]


@pytest.mark.parametrize(("written", "drawn"), [
    ([], E),  # the seam before the first string is the model's
    ([D], B),
    ([D, B], A),
    ([D, B, A], E),  # and what comes after the beginning
    ([A], E),  # it begins in a way of its own
])  # fmt: skip
def test_the_first_string_begins_as_asked(written: list[int], drawn: int) -> None:
    logits = torch.zeros(9)
    logits[E] = 2
    assert int(Listing(Guide([]), (7, 8, 1, [D, B, A]))(written, logits).argmax()) == drawn


def test_a_beginning_that_the_schema_forbids_is_let_go() -> None:
    logits = torch.zeros(9)
    logits[B] = -torch.inf
    assert Listing(Guide([]), (7, 8, 1, [D, B]))([D], logits) is logits


@pytest.mark.parametrize("topic", ["小狐狸学会分享", 'the "lost" moon', "<|end|>"])
def test_a_title_begins_with_its_topic(topic: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(CATALOG / "starter" / "lm")
    extra, _ = guided(Telling(topic, "小狐狸", "森林", 2).request(0), tokenizer)
    opening, *begins = extra["seams"].begins
    assert tokenizer.decode([opening]) == '{"title": "' and tokenizer.eos_token_id not in begins
    assert json.loads(f'"{tokenizer.decode(begins)}"').replace("< |", "<|") == topic


def test_where_the_schema_allows_no_end_nothing_is_exchanged() -> None:
    logits = torch.zeros(5)
    logits[OVER] = -torch.inf
    assert Listing(Guide([]), (ANOTHER, OVER, 1))([], logits) is logits


def test_the_seam_that_is_wrong_cannot_be_drawn_by_chance() -> None:
    drawn = Listing(Guide([]), (ANOTHER, OVER, 2))([], torch.zeros(5)).softmax(0)
    assert drawn[OVER] == 0 and drawn[ANOTHER] > 0


@pytest.mark.parametrize("pages", [1, 6])
def test_the_number_of_pages_is_left_open_and_nothing_else(pages: int) -> None:
    for schema in (schema_of(pages), rest_of(pages)):
        free = opened(schema)
        bounds = {"minItems": pages, "maxItems": pages}
        assert free["properties"]["pages"] | bounds == schema["properties"]["pages"]
        assert schema["properties"]["pages"]["minItems"] == pages
        assert {**free, "properties": None} == {**schema, "properties": None}


def test_a_schema_of_a_callers_own_stays_as_it_is() -> None:
    """Whatever it is: only a pipeline says how many things it wants."""
    tokenizer = AutoTokenizer.from_pretrained(CATALOG / "starter" / "lm")
    schema = {"type": "object", "properties": {"pages": {"type": "array", "minItems": "2", "maxItems": "2"}}}
    asked = ChatRequest(messages=[Message(role="user", content="a")], json_schema=schema)
    assert guided(asked, tokenizer) == ({"words": [], "doubted": True}, schema)
    assert guided(asked.model_copy(update={"json_schema": schema_of(2), "things": 2}), tokenizer)[0]["seams"]


def test_a_tokenizer_without_seams_has_none() -> None:
    assert seams_of({"<|end|>": 1}, 2) is None
    assert seams_of({'"}]}': 18, '"}, {"text": "': 17}, 2) == (17, 18, 2, [])
