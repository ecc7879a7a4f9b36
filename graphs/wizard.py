"""The script wizard: from an idea to a finished text in small steps, with what may be done at each."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from contracts import prompts
from contracts.engines import Chat
from contracts.errors import InvalidInput
from contracts.livestream import Copy, Draft, Refined
from graphs.advertising import flags
from graphs.drafts import Wanted, drafted
from graphs.facts import clauses
from graphs.lengths import cut, wrong_length
from graphs.livestream import keeps_numbers, puts_back

_EDITS = (
    "correct_grammar",
    "set_length_50",
    "set_length_100",
    "set_length_200",
    "make_lively",
    "make_formal",
    "make_warm",
    "add_interaction",
)
STEPS: dict[int, dict[str, int]] = {  # what may be done at a step, and which one follows
    1: {"generate_draft": 2},  # an idea
    2: dict.fromkeys(_EDITS, 3) | {"finish": 4},  # a draft
    3: dict.fromkeys(_EDITS, 3) | {"finish": 4},  # an edited text
    4: {},  # a finished one
}
KEPT = ("make_lively", "make_warm", "add_interaction")  # they add to what is there, and change no clause of it
SHORTEST, LONGEST = 10, 2000  # what `set_length_<n>` takes
_LENGTH = re.compile(r"set_length_([0-9]{1,9})")
_CALLS = re.compile(
    r"[?？]\W*|公屏|弹幕|评论|留言|点赞|关注|扣[一二三四五六0-9]|\b(?:chat|comments?|follow|tell me)\b", re.I
)


def refine(
    current_text: str, action: str, step: int, chat: Chat, seed: int | None = None
) -> AsyncGenerator[Draft | Refined]:
    """Drafts while the model writes, and last the text after the action, with what may be done next.

    `finish` gives the text back as it is. Any `set_length_<n>` from 10 to 2000 is allowed where a length is; it is met
    within a fifth. An action, step or text that is not is `InvalidInput` at once; three faulty answers, `EngineFailed`.
    """
    following = _next(action, step)
    if not current_text.strip():
        raise InvalidInput("文本不能为空", param="current_text")
    return _refined(current_text, action, following, chat, seed)


async def _refined(
    text: str, action: str, following: int, chat: Chat, seed: int | None
) -> AsyncGenerator[Draft | Refined]:
    actions = list(STEPS[following])
    if action == "finish":
        yield Refined(text=text, flags=flags(text), next_step=following, actions=actions)
        return
    async with aclosing(drafted(chat, _wanted(text, action, seed))) as items:
        async for item in items:
            if isinstance(item, Copy):
                yield Refined(**dict(item), next_step=following, actions=actions)
            else:
                yield item


def _next(action: str, step: int) -> int:
    """The step that follows, where the action is allowed."""
    if not STEPS.get(step):
        raise InvalidInput(f"步骤应为 {min(STEPS)} 到 {max(STEPS) - 1}", param="step")
    length = _LENGTH.fullmatch(action)
    known = length and SHORTEST <= int(length[1]) <= LONGEST
    following = STEPS[step].get("set_length_50" if known else action)
    if following is None:
        allowed = "、".join(STEPS[step])
        further = f"，字数可为 {SHORTEST} 到 {LONGEST}" if "set_length_50" in STEPS[step] else ""
        raise InvalidInput(f"第 {step} 步可用的操作：{allowed}{further}", param="action")
    return following


def _wanted(text: str, action: str, seed: int | None) -> Wanted:
    asked = prompts.refine(text, action)
    if length := _LENGTH.fullmatch(action):
        size = int(length[1])
        return Wanted(asked, partial(wrong_length, wanted=size), mend=partial(cut, wanted=size), seed=seed)
    keeps = keeps_numbers(text)
    problem = _inviting(text, keeps) if action == "add_interaction" else keeps
    return Wanted(asked, problem, mend=puts_back(text), seed=seed, clauses=clauses(text) if action in KEPT else ())


def _inviting(original: str, keeps: Callable[[str], str]) -> Callable[[str], str]:
    """Asks for one more call to the viewers than there was."""
    before = len(_CALLS.findall(original))

    def problem(text: str) -> str:
        return keeps(text) or ("" if len(_CALLS.findall(text)) > before else "没有和观众的互动，例如一个问题")

    return problem
