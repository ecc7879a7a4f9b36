"""Samples as tokens, of which a model learns some: of conversations the answers, of texts everything."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jinja2 import TemplateError
from torch import Tensor

from contracts.chat import Message
from contracts.errors import InvalidInput
from store.samples import Placed, Sample

IGNORED = -100  # a label that `cross_entropy` passes by
HELD_OUT = 0.1  # of the different samples
MOST_HELD_OUT = 512
Render = Callable[[Sequence[Message], bool], str]


@dataclass(frozen=True)
class Lesson:
    """`labels`: a token's own id where it is learnt, else `IGNORED`; `key`: its sample's."""

    ids: list[int]
    labels: list[int]
    key: str


class Teacher:
    """Cuts samples into lessons of at most `longest` tokens, as the model will be asked when it is served."""

    def __init__(self, tokenizer: Any, template: str | None, longest: int) -> None:
        self.tokenizer, self.template, self.longest = tokenizer, template, longest

    def lessons(self, samples: Iterable[Placed]) -> Iterator[Lesson]:
        """A conversation of which no answer comes within `longest` gives none."""
        for placed in samples:
            try:
                yield from self._of(placed.sample)
            except TemplateError as error:
                raise placed.row.wrong(f"这个模型不接受这样的对话：{error}") from error

    def _of(self, sample: Sample) -> Iterator[Lesson]:
        if sample.text:
            ids = [*self.tokenizer(sample.text)["input_ids"], self.tokenizer.eos_token_id]
            windows = [ids[start : start + self.longest] for start in range(0, len(ids), self.longest)]
            cut = [Lesson(window, window, sample.key) for window in windows]
        else:
            ids, labels = self._answers(sample.messages)
            cut = [Lesson(ids[: self.longest], labels[: self.longest], sample.key)]
        yield from (lesson for lesson in cut if learnt([lesson]))

    def _answers(self, messages: Sequence[Message]) -> tuple[list[int], list[int]]:
        """Each piece is cut by itself: that is how a prompt is cut when its answer is still to be written."""
        ids: list[int] = []
        labels: list[int] = []
        for text, learnt in pieces(messages, self._rendered):
            opened = not ids and self.template is not None  # as `prompting` does
            cut = list(self.tokenizer(text, add_special_tokens=opened)["input_ids"])
            ids += cut
            labels += cut if learnt else [IGNORED] * len(cut)
        end = self.tokenizer.eos_token_id
        if end not in cut:  # a template that ends no answer
            ids.append(end)
            labels.append(end)
        return ids, labels

    def _rendered(self, messages: Sequence[Message], asks: bool) -> str:
        told = [message.model_dump() for message in messages]
        return str(
            self.tokenizer.apply_chat_template(
                told, chat_template=self.template, tokenize=False, add_generation_prompt=asks
            )
        )


def pieces(messages: Sequence[Message], render: Render) -> list[tuple[str, bool]]:
    """A conversation's text, cut before and after each answer; with which pieces are answers.

    Of a template that writes earlier answers in another way (some leave out what was thought), the last answer alone.
    """
    cut: list[tuple[str, bool]] = []
    done = ""
    for place, message in enumerate(messages):
        if message.role == "assistant":
            asked, whole = render(messages[:place], True), render(messages[: place + 1], False)
            if not (asked.startswith(done) and whole.startswith(asked)):
                return [(render(messages[:-1], True), False), (messages[-1].content, True)]
            cut += [(asked[len(done) :], False), (whole[len(asked) :], True)]
            done = whole
    return cut


def split(lessons: Sequence[Lesson]) -> tuple[list[Lesson], list[Lesson]]:
    """What is taught, and what is held out; equal samples are on one side, and always on the same one."""
    keys = sorted({lesson.key for lesson in lessons})
    if len(keys) < 2:
        raise InvalidInput("能用于训练的样本少于两条：请增加样本，或加大 max_length。", param="dataset_path")
    held = [key for key in keys if int(key[:8], 16) < HELD_OUT * 2**32][:MOST_HELD_OUT] or keys[:1]
    chosen = set(held[: len(keys) - 1])
    return [each for each in lessons if each.key not in chosen], [each for each in lessons if each.key in chosen]


def order(count: int, seed: int, epoch: int) -> list[int]:
    """In which an epoch takes the lessons."""
    shuffled: list[int] = torch.randperm(
        count, generator=torch.Generator().manual_seed(seed * 100_003 + epoch)
    ).tolist()
    return shuffled


def collated(lessons: Sequence[Lesson], pad: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and labels, (batch, length) each; padded on the right."""
    length = max(len(lesson.ids) for lesson in lessons)

    def padded(values: Sequence[list[int]], fill: int) -> Tensor:
        return torch.tensor([[*each, *[fill] * (length - len(each))] for each in values], device=device)

    ids = padded([lesson.ids for lesson in lessons], pad)
    mask = padded([[1] * len(lesson.ids) for lesson in lessons], 0)
    return ids, mask, padded([lesson.labels for lesson in lessons], IGNORED)


def learnt(lessons: Iterable[Lesson]) -> int:
    """Tokens whose loss counts; the first of a lesson is not predicted."""
    return sum(label != IGNORED for lesson in lessons for label in lesson.labels[1:])
