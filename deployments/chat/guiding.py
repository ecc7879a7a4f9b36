"""How vLLM is told to guide an answer: a logits processor, loaded by its name in the engine's process.

Nothing happens to requests that name neither words nor clauses, and want no list of so many things.
"""

import itertools
import json
import math
from typing import Any

from vllm import SamplingParams
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from contracts.chat import ChatRequest
from deployments.chat.guide import DOUBT, Guide, told, ways
from deployments.chat.listing import Listing, opened, seams_of
from deployments.chat.retelling import Retelling, text_of

# In a request's `extra_args`: what `told`, `text_of` and `seams_of` give; whether words may begin something else.
WORDS, TEXT, SEAMS, DOUBTED = "words", "text", "seams", "doubted"


class Guided(AdapterLogitsProcessor):
    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> Guide | Listing | None:
        given = params.extra_args or {}
        if given.get(TEXT):
            return Retelling(given[WORDS], given[TEXT])
        guide = Guide(given.get(WORDS, ()), DOUBT if given.get(DOUBTED) else math.inf)
        return Listing(guide, given[SEAMS]) if given.get(SEAMS) else guide if given.get(WORDS) else None


def guided(request: ChatRequest, tokenizer: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The `extra_args` of a request, and its schema as the engine is to see it.

    In JSON, such as a story, there are words beside those that are named.
    """

    def encode(text: str) -> list[int]:
        """As templates show it: nothing that is written makes a special token."""
        return list(tokenizer.encode(text.replace("<|", "< |"), add_special_tokens=False))

    words = itertools.chain.from_iterable(map(ways, request.verbatim))
    asked = {WORDS: told(words, encode), DOUBTED: request.json_schema is not None}
    if request.clauses:
        asked[TEXT] = text_of(request.clauses, encode, tokenizer.eos_token_id)
    schema, things = request.json_schema, request.things
    begins = encode(json.dumps(request.begins, ensure_ascii=False)[1:-1])
    if schema and things and (seams := seams_of(tokenizer.get_added_vocab(), things, begins)):
        return asked | {SEAMS: seams}, opened(schema)
    return asked, schema
