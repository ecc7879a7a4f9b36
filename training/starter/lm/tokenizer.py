"""The tokenizer: a common Chinese character, a frequent English word and a fixed prompt are one token each.

What it does not know it spells in bytes, so every text comes back as it was. No token reaches beyond a character, a
word or a mark: a name is cut in the same way wherever it stands, which is what makes copying easy to learn.
"""

import itertools
import json
import string
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from contracts import prompts
from contracts.chat import Message
from contracts.prompts import TALK_SYSTEM, Language
from training.starter.lm.corpus import Example, corpus
from training.starter.lm.slots import COMMON

VOCABULARY = 6144
CONTEXT = 4096  # tokens
PAD, END, SYSTEM, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIAL = (PAD, END, SYSTEM, USER, ASSISTANT)
# Each message behind its role; who writes a special token in a message does not forge one.
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'].replace('<|', '< |') }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SEAMS = (  # of a story's JSON, as `json.dumps` writes it
    '{"title": "',
    '", "hero": "',
    '", "pages": [{"text": "',
    '", "picture": "',
    '"}, {"text": "',
    '"}]}',
)
_PIECES = Regex(r"""\\"|[A-Za-z]+(?:'[a-z]+)?|\p{N}|\p{Han}|.|\n""")


def phrases() -> list[str]:
    """The fixed system prompts and the seams of the JSON."""
    languages: Sequence[Language] = ("zh", "en")
    asked = [
        message
        for word, language in zip("一a", languages, strict=True)
        for message in (
            prompts.story(word, "", "", 1, language)[0],
            prompts.product_script(word, [], "", "", "")[0],
            prompts.polish(word)[0],
        )
    ]
    return [message.content for message in asked] + [*TALK_SYSTEM.values(), *SEAMS]


def trained(seed: int, examples: int = 20_000) -> PreTrainedTokenizerFast:
    """A tokenizer for the corpus of this seed."""
    return _wrapped(
        *_merged(
            message.content
            for one in itertools.islice(corpus(seed), examples)
            for message in one.messages
            if message.role != "system"
        )
    )


def rendered(messages: Sequence[Message], tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The tokens of a conversation that waits for its answer."""
    asked = [message.model_dump() for message in messages]
    text = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def tokenized(example: Example, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], int]:
    """All tokens of an example, and where its answer begins."""
    prompt = rendered(example.prompt, tokenizer)
    answer = tokenizer(example.answer, add_special_tokens=False)["input_ids"]
    return [*prompt, *answer, tokenizer.eos_token_id], len(prompt)


def _merged(texts: Iterable[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges: special tokens, fixed phrases, bytes, characters, then what is frequent."""
    texts = list(texts)
    counted = Counter(itertools.chain.from_iterable(texts))
    frequent = {sign for sign, count in counted.items() if count >= 20}
    alphabet = sorted({*COMMON, *string.printable[:95], "\n", *frequent})
    fixed = [*SPECIAL, *phrases(), *(f"<0x{byte:02X}>" for byte in range(256))]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Split(_PIECES, "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(fixed),
        min_frequency=10,
        show_progress=False,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
    )
    raw.train_from_iterator(texts, trainer)
    learned = sorted(raw.get_vocab().items(), key=lambda entry: entry[1])
    vocabulary = {token: index for index, token in enumerate([*fixed, *(token for token, _ in learned)])}

    merges = [(first, second) for first, second in json.loads(raw.to_str())["model"]["merges"]]
    return vocabulary, merges


def _wrapped(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> PreTrainedTokenizerFast:
    whole = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True))
    whole.pre_tokenizer = pre_tokenizers.Split(_PIECES, "isolated")
    whole.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    whole.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    whole.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases()])
    return PreTrainedTokenizerFast(
        tokenizer_object=whole,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
