"""How vLLM is told to guide an answer: a logits processor, loaded by its name in the engine's process.

Nothing happens to requests that name neither words nor clauses.
"""

import math
from collections.abc import Callable
from typing import Any

from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from contracts.chat import ChatRequest
from deployments.chat.guide import DOUBT, Guide, told
from deployments.chat.retelling import Retelling, text_of

WORDS, TEXT = "words", "text"  # in a request's `extra_args`: what `told` and `text_of` give
DOUBTED = "doubted"  # whether the words' beginnings may mean something else


class Guided(AdapterLogitsProcessor):
    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> Guide | None:
        given = params.extra_args or {}
        if given.get(TEXT):
            return Retelling(given[WORDS], given[TEXT])
        return Guide(given[WORDS], DOUBT if given[DOUBTED] else math.inf) if given.get(WORDS) else None


def guided_by(request: ChatRequest, encode: Callable[[str], list[int]], end: int) -> dict[str, Any] | None:
    """The `extra_args` of a request. In JSON, such as a story, there are words beside those that are named."""
    words = told(request.verbatim, encode)
    text = text_of(request.clauses, encode, end) if request.clauses else None
    return {WORDS: words, TEXT: text, DOUBTED: request.json_schema is not None} if words or text else None
