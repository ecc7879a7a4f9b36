"""The tokenizer, in CLIP's layout: a Chinese character that the painter knows is one token, so is an English word.

What it does not know it spells in bytes. CLIP's byte pairs tell the last letter of a word from the others, so a
character has two tokens: one before another letter, one at the end.
"""

import json
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

from deployments.image.painter.words import TABLES
from training.starter.diffusion.captions import captions

LENGTH = 40  # tokens of a prompt that are read, the first and the last one among them
START, END = "<|startoftext|>", "<|endoftext|>"
LAST = "</w>"  # CLIP's mark at the end of a word
ENGLISH = 2500  # tokens at most
Merge = tuple[str, str]


def made() -> CLIPTokenizer:
    """The tokenizer; always the same."""
    texts = [text for table in TABLES.values() for text in table.values()]
    texts += [caption.text for caption in islice(captions(0), 2000)]
    joined = " ".join(texts).lower()
    merges: list[Any] = list(
        dict.fromkeys([*_chinese(set(re.findall(r"[一-鿿，。、！？：；]", joined))), *_english(joined)])
    )
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + LAST for letter in letters), *(one + other for one, other in merges), START, END]
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def kept(folder: Path) -> CLIPTokenizer:
    """The folder's tokenizer, which is made where it has none."""
    if not folder.exists():
        made().save_pretrained(folder)
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
    return tokenizer


def _chinese(characters: Iterable[str]) -> list[Merge]:
    """How the three bytes of each character become one token."""
    merges = []
    for character in sorted(characters):
        first, second, third = list(_bytes(character))
        merges += [(first, second), (first + second, third), (first + second, third + LAST)]
    return merges


def _bytes(character: str) -> str:
    """Byte-level BPE's letters for a character's bytes."""
    return ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(character)[0][0]


def _english(texts: str) -> list[Merge]:
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=LAST))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(
        re.findall(r"[a-z]+", texts),
        trainers.BpeTrainer(vocab_size=ENGLISH, end_of_word_suffix=LAST, show_progress=False),
    )
    return [(one, other) for one, other in json.loads(tokenizer.to_str())["model"]["merges"]]
